# email-oauth2-proxy before the lab's Postfix that is given.
cat >/srv/proxy.config <<EOF
[SMTP-25]
local_address = $ADDRESS
server_address = $NET.$1
server_port = 25
[a@example.org]
token_url = https://example.org/token
permission_url = https://example.org/auth
client_id = x
client_secret = x
redirect_uri = http://localhost
EOF
emailproxy --no-gui --config-file /srv/proxy.config --log-file /srv/log
