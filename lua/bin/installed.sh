#!/bin/sh
# The `deepid` command as `make install` puts it into PREFIX/bin: runs the engine that was installed with it for Nmap.
nselib=$(dirname "$(readlink -f "$0")")/../share/nmap/nselib
for lua in lua5.4 lua5.3 lua; do
    "$lua" -e 'os.exit(_VERSION == "Lua 5.3" or _VERSION == "Lua 5.4")' 2>/dev/null || continue
    exec "$lua" -e "package.path = [[$nselib/?.lua;]] .. package.path" "$nselib/deepid/bin/deepid" "$@"
done
echo 'deepid: it needs Lua 5.3 or 5.4, such as the package lua5.4' >&2
exit 1
