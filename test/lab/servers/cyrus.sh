# Cyrus IMAP's lmtpd on 24: cyrus.sh stock | hidden
mkdir -p /srv/config/socket /srv/config/proc /srv/config/db /srv/spool /run/cyrus/socket /run/cyrus/proc /run/cyrus/lock /var/lib/cyrus /var/spool/cyrus/mail
cat >/srv/imapd.conf <<EOF
configdirectory: /srv/config
partition-default: /srv/spool
defaultpartition: default
servername: $HOST
admins: cyrus
sasl_pwcheck_method: alwaystrue
sasl_mech_list: PLAIN
serverinfo: $([ "$1" = hidden ] && echo off || echo on)
lmtp_downcase_rcpt: yes
EOF
cat >/srv/cyrus.conf <<EOF
START {
}
SERVICES {
  lmtp cmd="/usr/lib/cyrus/bin/lmtpd -C /srv/imapd.conf -a" listen="$ADDRESS:24" prefork=0 maxchild=20
}
EVENTS {
}
EOF
chown -R cyrus: /srv /run/cyrus /var/lib/cyrus /var/spool/cyrus
/usr/lib/cyrus/bin/master -C /srv/imapd.conf -M /srv/cyrus.conf -D -p /run/cyrus-master.pid
