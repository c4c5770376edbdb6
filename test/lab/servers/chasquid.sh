# chasquid: receives on 25, takes submissions on 587 and 465.
certificate
mkdir -p "/srv/etc/certs/$HOST" "/srv/etc/domains/$HOST" /srv/data
cp /srv/cert.pem "/srv/etc/certs/$HOST/fullchain.pem"
cp /srv/key.pem "/srv/etc/certs/$HOST/privkey.pem"
cat >/srv/etc/chasquid.conf <<EOF
hostname: "$HOST"
smtp_address: "$ADDRESS:25"
submission_address: "$ADDRESS:587"
submission_over_tls_address: "$ADDRESS:465"
data_dir: "/srv/data"
mail_log_path: "<syslog>"
EOF
chasquid -config_dir=/srv/etc -logfile=/dev/stderr
