# Haraka (npm) with the configuration it ships, without plugins: haraka.sh stock | plain
#   plain   without version and session id in the greeting
cp -r /opt/node_modules/Haraka/config /srv/config
echo "$HOST" >/srv/config/me
: >/srv/config/plugins
printf 'listen=%s:25\nnodes=0\n' "$ADDRESS" >/srv/config/smtp.ini
if [ "$1" = plain ]; then
    sed -i 's/^; show_version=true/show_version=false/; s/^banner_chars=.*/banner_chars=0/' /srv/config/connection.ini
fi
node /opt/node_modules/Haraka/bin/haraka -c /srv
