# Mailman's LMTP runner, on 24, without the rest of Mailman.
mkdir -p /srv/var
cat >/srv/mailman.cfg <<EOF
[mailman]
layout: here
[paths.here]
var_dir: /srv/var
[mta]
lmtp_host: $ADDRESS
lmtp_port: 24
EOF
chown -R list: /srv
as list /usr/lib/mailman3/bin/runner -C /srv/mailman.cfg -r lmtp
