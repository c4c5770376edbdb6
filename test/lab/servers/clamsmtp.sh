# clamsmtpd before the lab's Postfix, or the host of its network that is given; the virus scanner itself, asked at the end of a message, is not there.
cat >/srv/clamsmtpd.conf <<EOF
Listen: $ADDRESS:25
OutAddress: $NET.${1:-11}:25
ClamAddress: /run/clamd.ctl
TempDirectory: /tmp
EOF
as clamsmtp clamsmtpd -d 3 -f /srv/clamsmtpd.conf
