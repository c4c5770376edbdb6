# OpenSMTPD on 25 and 587: opensmtpd.sh [notls]. It offers STARTTLS, and under Debian 12's OpenSSL 3 every handshake fails (OpenSMTPD issue
# 1239): a server as people run them, and a case of its own.
tls="tls pki $HOST"
[ "${1:-}" != notls ] || tls=
certificate
chmod 600 /srv/key.pem
mkdir -p /var/lib/opensmtpd/empty /run/opensmtpd
mkdir -m 711 /var/spool/smtpd
cat >/srv/smtpd.conf <<EOF
pki $HOST cert "/srv/cert.pem"
pki $HOST key "/srv/key.pem"
listen on $ADDRESS port 25 $tls hostname $HOST
listen on $ADDRESS port 587 $tls hostname $HOST
action "discard" lmtp "/srv/none"
match from local for local action "discard"
EOF
smtpd -d -f /srv/smtpd.conf
