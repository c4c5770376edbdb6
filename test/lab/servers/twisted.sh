# Twisted's mail service, by its own command.
mkdir -p /srv/mail
twistd3 -n --pidfile= mail --no-pop3 --esmtp --smtp "tcp:25:interface=$ADDRESS" --hostname "$HOST" \
    --maildirdbmdomain "$HOST=/srv/mail"
