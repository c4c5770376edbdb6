# Haraka (npm) with the configuration it ships, without plugins: haraka.sh stock | plain [RELEASE]
#   plain   without version and session id in the greeting
haraka=/opt/${2:+releases/Haraka-$2/}node_modules/Haraka
cp -r $haraka/config /srv/config
echo "$HOST" >/srv/config/me
: >/srv/config/plugins
printf 'listen=%s:25\nnodes=0\n' "$ADDRESS" >/srv/config/smtp.ini
if [ "$1" = plain ]; then
    sed -i 's/^; show_version=true/show_version=false/; s/^banner_chars=.*/banner_chars=0/' /srv/config/connection.ini
fi
node $haraka/bin/haraka -c /srv
