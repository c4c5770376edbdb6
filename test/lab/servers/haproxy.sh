# HAProxy in TCP mode before the host of the lab's network that is given.
cat >/srv/haproxy.cfg <<EOF
defaults
  mode tcp
  timeout connect 5s
  timeout client 60s
  timeout server 60s
listen smtp
  bind $ADDRESS:25
  server behind $NET.$1:25
EOF
haproxy -db -f /srv/haproxy.cfg
