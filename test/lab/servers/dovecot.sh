# Dovecot with TLS: dovecot.sh submission | lmtp [notls | hidden]
#   submission   on 587; what it would relay to is asked for only after a log-in
#   lmtp         on 24
#   hidden       a greeting that does not name the product
certificate
mkdir -p /run/dovecot /srv/state
version=$(dovecot --version | cut -d' ' -f1)
case $version in
2.[0-3].*)
    cat >/srv/dovecot.conf <<EOF
protocols = $1
ssl_cert = </srv/cert.pem
ssl_key = </srv/key.pem
mail_location = maildir:/srv/mail
passdb {
  driver = static
  args = nopassword=n password=none
}
EOF
    ;;
*)
    cat >/srv/dovecot.conf <<EOF
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
protocols = $1
ssl_server_cert_file = /srv/cert.pem
ssl_server_key_file = /srv/key.pem
mail_driver = maildir
mail_path = /srv/mail
passdb static {
  password = none
}
EOF
    ;;
esac
cat >>/srv/dovecot.conf <<EOF
listen = $ADDRESS
hostname = $HOST
base_dir = /run/dovecot
state_dir = /srv/state
log_path = /dev/stderr
ssl = $([ "${2:-}" = notls ] && echo no || echo yes)
$([ "${2:-}" != hidden ] || echo "login_greeting = ready")
default_internal_user = dovecot
default_internal_group = dovecot
submission_relay_host = $ADDRESS
EOF
if [ "$1" = lmtp ]; then
    cat >>/srv/dovecot.conf <<EOF
service lmtp {
  inet_listener lmtp {
    port = 24
  }
}
EOF
fi
dovecot -F -c /srv/dovecot.conf
