# nginx as a mail proxy, as its documentation sets one up: nginx.sh [notls | hidden]; nothing answers at the address of auth_http.
starttls=on capabilities=
case ${1:-} in
notls) starttls=off ;;
hidden) capabilities="smtp_capabilities SIZE\ 10240000 ENHANCEDSTATUSCODES 8BITMIME;" ;;
esac
certificate
cat >/srv/nginx.conf <<EOF
load_module /usr/lib/nginx/modules/ngx_mail_module.so;
daemon off;
user www-data;
pid /run/nginx.pid;
error_log stderr;
events { }
mail {
    server_name $HOST;
    auth_http $ADDRESS:9;
    $capabilities
    ssl_certificate /srv/cert.pem;
    ssl_certificate_key /srv/key.pem;
    server { listen $ADDRESS:25; protocol smtp; starttls $starttls; }
    server { listen $ADDRESS:587; protocol smtp; starttls $starttls; }
    server { listen $ADDRESS:465 ssl; protocol smtp; }
}
EOF
mkdir -p /var/lib/nginx /var/log/nginx
nginx -c /srv/nginx.conf
