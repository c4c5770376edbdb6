# The lab's name server: rbldnsd with one blocklist that lists every client of the lab.
cat >/srv/list <<EOF
:127.0.0.2:Blocked - see https://bl.lab.example/lookup?ip=$
127.0.0.0/8
EOF
rbldnsd -n -r /srv -u rbldns -b "$ADDRESS/53" bl.lab.example:ip4set:list
