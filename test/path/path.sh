#!/bin/bash
# Who answered, end to end: real Nmap against real servers over a network of namespaces, with and without interceptors.
#
# usage: test/path/path.sh [NAME...]      all cases of test/path/world/cases.lua but the long ones, or these
#        LONG=1 test/path/path.sh         the long ones too (make test-path-long)
#
# It needs root, for namespaces. Only where the kernel refuses those is it skipped. The servers are those of the lab's private root.

set -euo pipefail
cd "$(dirname "$0")/../.."
world=test/path/world
isolate=(unshare --mount --net --pid --fork --kill-child)

if ! refusal=$("${isolate[@]}" sh -c 'mount -t tmpfs netns /run && mkdir /run/netns && ip netns add a && ip -n a link add v0 type veth peer name v1' 2>&1); then
    echo "1..0 # SKIP no network namespaces here: ${refusal//$'\n'/ }"
    exit 0
fi
suite=$(. /etc/os-release && echo "${VERSION_CODENAME:-bookworm}")
test/lab/build-root "$suite" >&2
test/lab/build-npm >&2
mkdir -p build/path /run/netns
exec "${isolate[@]}" "$world/start.sh" "$PWD/build/lab/$suite/root" lua5.4 "$world/run.lua" "$@"
