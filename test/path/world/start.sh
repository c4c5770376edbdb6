#!/bin/bash
# Makes the world of test/path, starts its servers, and runs a command in it: start.sh ROOT COMMAND...
#
# Runs in mount, network and process namespaces of its own (see path.sh): whatever way it ends, the kernel takes down all that was
# started and mounted here.

set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
lab=$here/../../lab
. "$here/net.sh"
root=$1
shift

mount -t proc proc /proc
mkdir -p build/path
mount -t tmpfs -o mode=1777 world build/path
work=$PWD/build/path
lua5.4 "$here/hosts.lua" >"$work/hosts"
make_net

# hosts_of NAMESPACE: lines ADDRESS NAME
hosts_of() { awk -F'\t' -v space="$1" '$2 == space { print $1, $4 }' "$work/hosts"; }

# server SPACE ADDRESS HOST RUN...: a real server of the lab; its hosts come on standard input.
server() {
    local space=$1 address=$2 host=$3
    shift 3
    # A command in the background would else read /dev/null.
    in_ "$space" unshare --mount --pid --uts --ipc --fork --kill-child \
        "$lab/inside" "$root" 127.25 "${PEER:-$space}" "$address" "$host" "$@" <&0 >"$work/$space-$address.log" 2>&1 &
}

for space in exim postfix opensmtpd edge; do
    in_ "$space" python3 -B "$here/light.py" ports 80 993 >"$work/$space-light.log" 2>&1 &
done
server exim - mx.exim.test-lab.net many.sh exim alone < <(hosts_of exim)
server edge - mx.edge.test-lab.net many.sh exim alone < <(hosts_of edge)
server inner - mx.inner.test-lab.net many.sh exim alone < <(hosts_of inner | awk -F'[. ]' '{ print "192.168.9." 100 + $2, substr($0, index($0, " ") + 1) }')
server postfix - mx.postfix.test-lab.net many.sh postfix < <(hosts_of postfix)
server opensmtpd - mx.opensmtpd.test-lab.net many.sh opensmtpd < <(hosts_of opensmtpd)

# What stands on the way: a real Postfix and a refusal on the first router, another Postfix on the last one before `edge`, and relays.
server isp - smtp.isp-relay.net many.sh postfix < <(echo 192.168.1.2 smtp.isp-relay.net; echo fd01::2 smtp.isp-relay.net)
server edge1 - gate.edge-one.net many.sh postfix < <(echo 192.168.3.2 gate.edge-one.net)
server edge2 - gate.edge-two.net many.sh postfix < <(echo 192.168.4.2 gate.edge-two.net)
in_ isp ip addr add 192.168.1.3/24 dev to-scanner
PEER=provider-notice server isp 192.168.1.3 notice.isp-relay.net peer.sh </dev/null
for space in scanner isp edge2; do
    in_ "$space" setpriv --regid=4242 --clear-groups \
        python3 -B "$here/light.py" proxy >"$work/$space-proxy.log" 2>&1 &
done
in_ scanner python3 -B "$here/light.py" dns "$work/hosts" >"$work/dns.log" 2>&1 &
in_ exim python3 -B "$here/hostile.py" >"$work/hostile.log" 2>&1 &
python3 -B "$here/slow.py" isp core >"$work/slow.log" 2>&1 &

# speaks SPACE ADDRESS PORT: whether a connection is answered there, with a line where the port is 25.
speaks() {
    in_ "$1" timeout 5 bash -c "exec 3<>/dev/tcp/$2/$3 && { [ $3 != 25 ] || read -r -u 3 _; }" 2>/dev/null
}

while read -r space address port; do
    deadline=$((SECONDS + ${PATIENCE:-30}))
    until speaks "$space" "$address" "$port"; do
        if [ "$SECONDS" -ge "$deadline" ]; then
            echo "# no answer from $address port $port; build/path would have told:"
            tail -n 5 "$work"/*.log | sed 's/^/# /'
            exit 1
        fi
        sleep 0.2
    done
done <<'SPOKEN'
scanner 240.1.0.25 25
scanner 4201:1::25 25
scanner 241.60.0.25 25
scanner 242.40.0.25 25
scanner 243.1.0.25 25
scanner 248.1.0.25 25
scanner 243.1.0.25 993
scanner 250.6.0.25 80
isp 192.168.1.2 25
isp 192.168.1.3 25
edge1 192.168.3.2 25
edge2 192.168.4.2 25
scanner 127.0.0.1 2501
isp 192.168.1.2 2503
edge2 192.168.4.2 2503
SPOKEN

"$@"
