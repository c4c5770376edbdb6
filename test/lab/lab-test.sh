#!/bin/bash
# Tests of the lab itself, in TAP: it starts whole, every server greets and says goodbye, it stops without a trace,
# and all of that a second time. Skipped without root, and while a lab of this checkout runs.

set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
lab=$here/lab
build=$(cd "$here/../.." && pwd)/build/lab
. "$here/../tap.sh"


# runners: the command lines of what runs our servers. The path comes from a pipe, lest grep find itself.
runners() { grep -lzF -f <(echo "$here/inside") /proc/[0-9]*/cmdline 2>/dev/null; }

# Neither a runner nor anything that lives in a root of ours.
no_process() {
    local found
    # shellcheck disable=SC2010
    found=$(runners; ls -l /proc/[0-9]*/root 2>/dev/null | grep -F "$build/")
    [ -z "$found" ] || { echo "$found"; return 1; }
}

no_mount() { ! grep -F "$build/" /proc/[0-9]*/mounts 2>/dev/null; }

# converse ADDRESS PORT: a session of greeting and QUIT, over TLS on 465, in ten seconds. A server may refuse to talk
# (4xx, 5xx); one that greets must also say goodbye, but for spamd, which has not come so far by then.
converse() {
    local talk=(openssl s_client -quiet -verify_quiet -connect "$1:$2")
    [ "$2" = 465 ] || talk=(bash -c 'exec 3<>"/dev/tcp/$0/$1"; cat <&3 & cat >&3; wait' "$1" "$2")
    local reply
    reply=$({ sleep 7; printf 'QUIT\r\n'; sleep 1; } | timeout 10 "${talk[@]}" 2>/dev/null | tr -d '\0')
    printf '%s\n' "$reply"
    case $1 in
    *.4[67]) grep -q '^22' <<<"$reply" ;;
    *) grep -q '^[45][0-9][0-9][ -]' <<<"$reply" || { grep -q '^220 ' <<<"$reply" && grep -q '^221[ -]' <<<"$reply"; } ;;
    esac
}

# All sessions at once: most of the time is waiting for servers that wait.
converse_all() {
    local name address ports port out failed=0
    out=$(mktemp -d)
    while IFS=$'\t' read -r name address ports _; do
        [ "$name" != dns ] || continue
        for port in ${ports//,/ }; do
            (converse "$address" "$port" >"$out/$name:$port" && rm "$out/$name:$port") &
        done
    done < <("$lab" expect | tail -n +2)
    wait
    local file
    for file in "$out"/*; do
        [ -e "$file" ] || continue
        failed=1
        echo "${file##*/} said: $(cat "$file")"
    done
    rm -rf "$out"
    return "$failed"
}

killed_parent_leaves_nothing() {
    local pid
    pid=$(runners | head -n 1)
    pid=${pid#/proc/}
    kill -KILL "${pid%/cmdline}"
    sleep 1
    ! "$lab" status >/dev/null
}

if [ "$(id -u)" != 0 ]; then echo "1..0 # SKIP the lab needs root"; exit 0; fi
if ! no_process >/dev/null; then echo "1..0 # SKIP the lab of this checkout is running"; exit 0; fi
trap '"$lab" stop; rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM HUP

ok "an unknown name is refused" bash -c '! "$0" start nonesuch' "$lab"
ok "all servers start" "$lab" start
ok "status agrees" "$lab" status
ok "a second start finds nothing to do" "$lab" start
ok "every server greets and takes QUIT" converse_all
ok "every expected version is known" bash -c '! "$0" expect | cut -f 8 | grep -n @' "$lab"
ok "one server stops alone" "$lab" stop exim
ok "status misses it" bash -c '! "$0" status >/dev/null && "$0" status postfix' "$lab"
ok "a server whose first process is killed is gone, and status says so" killed_parent_leaves_nothing
ok "all stop" "$lab" stop
ok "no process is left" no_process
ok "no mount is left" no_mount
ok "another start works" "$lab" start exim
ok "and stops" "$lab" stop
ok "and leaves no process" no_process
echo "1..$count"
