# The lab's name server: dnsmasq knows the lab's hosts and no others, and asks rbldnsd about the blocklist
# bl.lab.example, which lists every client on the loopback.
cat >/srv/list <<EOF
:127.0.0.2:Blocked - see https://bl.lab.example/lookup?ip=$
127.0.0.0/8
EOF
rbldnsd -r /srv -u rbldns -b "$ADDRESS/5300" bl.lab.example:ip4set:list
dnsmasq --keep-in-foreground --log-facility=- --user=nobody --pid-file= --no-resolv --listen-address="$ADDRESS" \
    --bind-interfaces --local=/#/ --server="/bl.lab.example/$ADDRESS#5300"
