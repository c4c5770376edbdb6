# stunnel, which offers STARTTLS for the host of the lab's network that is given and has none.
certificate
cat >/srv/stunnel.conf <<EOF
foreground = yes
pid =
[smtp]
accept = $ADDRESS:25
connect = $NET.$1:25
protocol = smtp
cert = /srv/cert.pem
key = /srv/key.pem
EOF
stunnel4 /srv/stunnel.conf
