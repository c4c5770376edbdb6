# Dovecot with TLS: dovecot.sh submission | lmtp
#   submission   on 587; what it would relay to is asked for only after a log-in
#   lmtp         on 24
certificate
mkdir -p /run/dovecot /srv/state
cat >/srv/dovecot.conf <<EOF
protocols = $1
listen = $ADDRESS
hostname = $HOST
base_dir = /run/dovecot
state_dir = /srv/state
log_path = /dev/stderr
ssl = yes
ssl_cert = </srv/cert.pem
ssl_key = </srv/key.pem
default_internal_user = dovecot
default_internal_group = dovecot
mail_location = maildir:/srv/mail
submission_relay_host = $ADDRESS
passdb {
  driver = static
  args = nopassword=n password=none
}
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
