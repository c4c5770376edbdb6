# INetSim with its SMTP services alone.
cp -r /usr/share/inetsim/data /srv/data
mkdir -p /srv/log /srv/report
grep -v -e '^start_service' -e '^service_bind_address' -e '^service_run_as_user' /etc/inetsim/inetsim.conf >/srv/inetsim.conf
cat >>/srv/inetsim.conf <<EOF
start_service smtp
start_service smtps
service_bind_address $ADDRESS
service_run_as_user inetsim
EOF
chown -R inetsim: /srv
inetsim --config=/srv/inetsim.conf --data-dir=/srv/data --log-dir=/srv/log --report-dir=/srv/report --pidfile=/run/inetsim.pid
