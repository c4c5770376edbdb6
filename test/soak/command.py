#!/usr/bin/env python3
"""The `deepid` command on five million greetings, three in four of them of one host alone: its resident memory stays under 64 MiB, and the states of
two halves, merged, say the same to the byte. Prints the times, but asks nothing of them.

usage: test/soak/command.py [LINES [LUA]]
"""

import json
import os
import subprocess
import sys
import tempfile
import time

LINES = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
LUA = sys.argv[2] if len(sys.argv) > 2 else "lua5.4"
CAP_KIB = 64 << 10

PRODUCTS = (
    "ESMTP Postfix (Debian/GNU)", "ESMTP Postfix", "ESMTP Exim 4.96 Tue, 24 Nov 2026 10:%02d:00 +0000",
    "Microsoft ESMTP MAIL Service ready at Tue, 24 Nov 2026 10:%02d:00 +0000", "ESMTP Sendmail 8.15.2/8.15.2; Tue, 24 Nov 2026 10:%02d:00 GMT",
)

tests, failed = 0, 0


def ok(good, name):
    global tests, failed
    tests += 1
    failed += not good
    print("%sok %d - %s" % ("" if good else "not ", tests, name), flush=True)


def line(i):
    """Each address once; the greetings of one in four announce one of 2,000 names."""
    host = i * 2654435761 & 0xFFFFFFFF
    text = PRODUCTS[host % 5]
    text = text % (i % 60) if "%" in text else text
    return "%d.%d.%d.%d\t220 mx.h%d.host.net %s\n" % (host >> 24, host >> 16 & 255, host >> 8 & 255, host & 255, i % 2000 if i % 4 == 0 else i, text)


def run(*words):
    """What the command prints; its peak of resident memory is asserted."""
    started = time.time()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen([LUA, "lua/bin/deepid", *words], stdout=output)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    print("# %s: %.0f s, %.0f s of CPU time, peak %d KiB" % (words[0], time.time() - started, usage.ru_utime + usage.ru_stime, usage.ru_maxrss))
    ok(process.returncode == 0 and usage.ru_maxrss <= CAP_KIB, "deepid %s under %d KiB" % (words[0], CAP_KIB))
    return text


with tempfile.TemporaryDirectory() as folder:
    halves = [os.path.join(folder, name) for name in ("one", "two")]
    for first, path in enumerate(halves):
        with open(path, "w") as file:
            file.writelines(map(line, range(first, LINES, 2)))
    whole = run("survey", "--json", *halves)
    ok(json.loads(whole)["hosts_seen"] == LINES, "%d hosts seen" % LINES)
    states = [path + ".state" for path in halves]
    for path, state in zip(halves, states):
        run("partial", "-o", state, path)
    ok(run("merge", "--json", *states) == whole, "two states, merged, say the same to the byte")
print("1..%d" % tests)
sys.exit(failed != 0)
