# Haraka (npm) with the configuration it ships, without plugins: haraka.sh stock | plain | hidden | plugins [RELEASE]
#   plain   without version and session id in the greeting
#   hidden  plain, and with texts of its own that do not name the product
#   plugins stock, with the plugins that a server for users has
haraka=/opt/${2:+releases/Haraka-$2/}node_modules/Haraka
cp -r $haraka/config /srv/config
echo "$HOST" >/srv/config/me
: >/srv/config/plugins
case ${2:-} in
1.*) printf 'listen_host=%s\nport=25\n' "$ADDRESS" ;;
*) printf 'listen=%s:25\nnodes=0\n' "$ADDRESS" ;;
esac >/srv/config/smtp.ini
rm -f /srv/config/smtp.json   # in 3.0.4 by mistake; it would say where to listen
if [ "$1" = plugins ]; then
    certificate
    cp /srv/cert.pem /srv/config/tls_cert.pem
    cp /srv/key.pem /srv/config/tls_key.pem
    printf '%s\n' tls auth/flat_file rcpt_to.in_host_list >/srv/config/plugins
fi
# Before 3.1 a text has a file of its own, and the greeting no session id.
if [ "$1" = plain ] || [ "$1" = hidden ]; then
    if [ -e /srv/config/connection.ini ]; then
        sed -i 's/^; show_version=true/show_version=false/; s/^banner_chars=.*/banner_chars=0/' /srv/config/connection.ini
    else
        echo true >/srv/config/header_hide_version
        printf '[headers]\nshow_version=false\n' >>/srv/config/smtp.ini   # what 2.8.28 and later ask for instead
    fi
fi
if [ "$1" = hidden ]; then
    if [ -e /srv/config/connection.ini ]; then
        sed -i 's/^; greeting\[\]=My.*/greeting[]=ready/; s/^helo=.*/helo=pleased to meet you/; s/^close=.*/close=goodbye/' /srv/config/connection.ini
    else
        echo ready >/srv/config/smtpgreeting
        echo 'pleased to meet you' >/srv/config/ehlo_hello_message
        echo goodbye >/srv/config/connection_close_message
    fi
fi
# What 1.x still found in Node.js's `path`.
echo "require('path').existsSync = require('fs').existsSync" >/srv/old.js
node -r /srv/old.js $haraka/bin/haraka -c /srv
