#!/bin/bash
# Tests of the recorder, in TAP: what a server that has hung up never read is not in the recording. The peers stand for two that no package has:
# one that leaves after each error (msmtp, src/msmtpd.c), one that leaves after an answer that is none (Responder, servers/SMTP.py).

set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
. test/tap.sh

# leaver PORT VERBS...: a server on 127.28.7.1 that knows EHLO, HELO, MAIL, RSET, NOOP, VRFY and QUIT, and hangs up after these; OTHER are those that it does not know.
cat >"$dir/leaver.py" <<'END'
import socketserver
import sys

KNOWN = {b"EHLO": b"250 peer.example\r\n", b"HELO": b"250 peer.example\r\n", b"MAIL": b"250 ok\r\n", b"RSET": b"250 ok\r\n", b"NOOP": b"250 ok\r\n",
         b"VRFY": b"252 perhaps\r\n", b"QUIT": b"221 bye\r\n"}
LAST = [verb.encode() for verb in sys.argv[2:]] + [b"QUIT"]


class Session(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"220 peer.example ESMTP\r\n")
        for line in self.rfile:
            verb = (line.split() or [b""])[0].upper()
            self.wfile.write(KNOWN.get(verb, b"500 what\r\n"))
            if (verb if verb in KNOWN else b"OTHER") in LAST:
                return


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True


Server(("127.28.7.1", int(sys.argv[1])), Session).serve_forever()
END

# record NAME PORT VERBS...: starts one, and records it.
record() {
    local name=$1 port=$2
    shift
    python3 "$dir/leaver.py" "$@" &
    local server=$!
    for _ in $(seq 50); do
        (exec 3<>"/dev/tcp/127.28.7.1/$port") 2>/dev/null && break
        sleep 0.1
    done
    RECORDINGS=$dir python3 test/lab/record --at "127.28.7.1:$port" "$name" 'product: Leaver' 'version: 1' 'settings: stock'
    local status=$?
    kill "$server"
    wait "$server" 2>/dev/null
    return "$status"
}

# unread FILE REGEX: the steps that follow, on the same connection, a reply of this form, but for the search for the limit.
unread() {
    awk -v last="$2" '
        /^-- / { if (left == $3) print left, $2; step = $2; connection = $3 }
        /^S / && $0 ~ last && step != "errorlimit" { left = connection }' "$dir/$1.md"
}

ok "one that leaves after each error is recorded" record errors 2551 OTHER
ok "its errors are there" has "$dir/errors.md" '^S 500 what'
ok "nothing is asked after an error" test -z "$(unread errors '^S 500')"
ok "and its limit is" has "$dir/errors.md" '^-- errorlimit .* end=close .* errors=[12]$'
ok "one that leaves after VRFY is recorded" record answers 2552 VRFY
ok "nothing is asked after VRFY" test -z "$(unread answers '^S 252')"
ok "but after an error" test -n "$(unread answers '^S 500')"
echo "1..$count"
