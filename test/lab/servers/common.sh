# What several servers of the lab share. Sourced, in the private root, before each server's own script, with
# NET, NAME, ADDRESS and HOST set and /srv as the current folder.

# A self-signed certificate for this host, /srv/cert.pem, and its key, /srv/key.pem.
certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 30 -subj "/CN=$HOST" \
        -addext "subjectAltName=DNS:$HOST" -keyout /srv/key.pem -out /srv/cert.pem 2>/dev/null
    chmod 644 /srv/key.pem   # servers read it after they gave up root; the key guards nothing
}

# as USER COMMAND...: runs it as this user, who may bind ports below 1024: for daemons that give up root too early.
as() {
    local user=$1
    shift
    setpriv --reuid="$user" --regid="$user" --clear-groups --inh-caps=+net_bind_service \
        --ambient-caps=+net_bind_service "$@"
}
