# spampd, SpamAssassin's proxy, before the lab's Postfix.
mkdir -p /var/cache/spampd /var/lib/spamassassin
chown spampd: /var/cache/spampd /var/lib/spamassassin
spampd --nodetach --host="$ADDRESS:25" --relayhost="$NET.11:25" --children=2 --user=spampd --group=spampd \
    --pid=/run/spampd.pid
