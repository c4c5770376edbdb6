# GNU Mailutils' lmtpd on 24.
cat >/srv/lmtpd.conf <<EOF
mode daemon;
foreground yes;
logging { facility mail; }
server "inet://$ADDRESS:24" { single-process no; }
EOF
lmtpd --no-config --config-file=/srv/lmtpd.conf
