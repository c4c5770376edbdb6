# proxsmtpd before the lab's Postfix, or the host of its network that is given, with a filter that lets all pass.
cat >/srv/proxsmtpd.conf <<EOF
Listen: $ADDRESS:25
OutAddress: $NET.${1:-11}:25
FilterCommand: /bin/cat
FilterType: pipe
TempDirectory: /tmp
EOF
as proxsmtp proxsmtpd -d 3 -f /srv/proxsmtpd.conf
