#!/bin/bash
# 256 mail hosts on two lines, and a command beside them: bench/hosts.sh ROOT COMMAND...
#
# A real Exim and a real Postfix of the lab's private root ROOT speak for 128 addresses each, on loopback of the namespace `servers`; every fourth
# hides what it is. From the namespace `scanner` they are 100 ms away, there and back. To be run in mount, network and process namespaces of its
# own (bench/run does it), which the kernel takes down with all that is here.

set -euo pipefail
root=$1
shift
work=build/bench/hosts

mount -t proc proc /proc
mount -t tmpfs netns /run
mkdir -p /run/netns "$work"
mount -t tmpfs -o mode=1777 hosts "$work"
for space in scanner servers; do
    ip netns add "$space"
    ip -n "$space" link set lo up
done
ip netns exec servers sysctl -qw net.core.somaxconn=1024
for n in 240 241; do ip -n servers route add local $n.0.0.0/8 dev lo src 127.0.0.1; done

# hosts NETWORK PROGRAM: lines ADDRESS NAME
hosts() {
    local n name
    for n in {1..128}; do
        name=mx
        [ $((n % 4)) != 0 ] || name=hidden
        echo "$1.$n.0.25 $name.$2-$n.net"
    done
}

server() {
    ip netns exec servers unshare --mount --pid --uts --ipc --fork --kill-child \
        test/lab/inside "$root" 127.25 "$1" - "mx.$1.test-lab.net" many.sh "$1" <"$work/$1" >"$work/$1.log" 2>&1 &
}

hosts 240 exim >"$work/exim"
hosts 241 postfix >"$work/postfix"
server exim
server postfix
python3 -B test/path/world/slow.py scanner servers 50 >"$work/slow.log" 2>&1 &

speaks() { ip netns exec servers timeout 5 bash -c "exec 3<>/dev/tcp/$1/25 && read -r -u 3 _" 2>/dev/null; }

for address in 240.1.0.25 240.128.0.25 241.1.0.25 241.128.0.25; do
    for ((try = 0; try < 100; try++)); do
        if speaks "$address"; then continue 2; fi
        sleep 0.2
    done
    tail -n 5 "$work"/*.log >&2
    echo "bench: no server speaks at $address" >&2
    exit 1
done
ip -n scanner route add 240.0.0.0/4 via 192.168.20.2
"$@"
