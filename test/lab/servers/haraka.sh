# Haraka (npm) with the configuration it ships, without plugins: haraka.sh stock | plain | hidden | plugins [RELEASE]
#   plain   without version and session id in the greeting
#   hidden  plain, and with texts of its own that do not name the product
#   plugins stock, with the plugins that a server for users has
haraka=/opt/${2:+releases/Haraka-$2/}node_modules/Haraka
cp -r $haraka/config /srv/config
echo "$HOST" >/srv/config/me
: >/srv/config/plugins
printf 'listen=%s:25\nnodes=0\n' "$ADDRESS" >/srv/config/smtp.ini
if [ "$1" = plugins ]; then
    certificate
    cp /srv/cert.pem /srv/config/tls_cert.pem
    cp /srv/key.pem /srv/config/tls_key.pem
    printf '%s\n' tls auth/flat_file rcpt_to.in_host_list >/srv/config/plugins
fi
if [ "$1" = plain ] || [ "$1" = hidden ]; then
    sed -i 's/^; show_version=true/show_version=false/; s/^banner_chars=.*/banner_chars=0/' /srv/config/connection.ini
fi
if [ "$1" = hidden ]; then
    sed -i 's/^; greeting\[\]=My.*/greeting[]=ready/; s/^helo=.*/helo=pleased to meet you/; s/^close=.*/close=goodbye/' /srv/config/connection.ini
fi
node $haraka/bin/haraka -c /srv
