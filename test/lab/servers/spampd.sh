# spampd, SpamAssassin's proxy, before the lab's Postfix, or before the host of the lab's network that is given. A child hangs
# for as long as a client starts TLS through it, and the next scan wants one that does not.
mkdir -p /var/cache/spampd /var/lib/spamassassin
chown spampd: /var/cache/spampd /var/lib/spamassassin
spampd --nodetach --host="$ADDRESS:25" --relayhost="$NET.${1:-11}:25" --children=12 --user=spampd --group=spampd \
    --pid=/run/spampd.pid
