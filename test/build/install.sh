#!/bin/sh
# make install and uninstall: under a PREFIX, staged with DESTDIR, and into the folders of an Nmap (a copy of the system's).
unset MAKEFLAGS MAKELEVEL PREFIX DESTDIR NMAPDIR
. test/tap.sh

empty() { [ -z "$(ls -A "$1")" ] || { find "$1"; false; }; }

# A script that says which core Nmap's own Lua gets.
cat >"$dir/which.nse" <<'END'
categories = { "safe" }
prerule = function() return true end
action = function()
  local core, message = require "deepid.core".load()
  return core and "core for Lua " .. core.lua or message
end
END

# --- PREFIX, from a shell that makes private files by default ---
prefix="$dir/a prefix"
data="$prefix/share/nmap"
(umask 077 && make install PREFIX="$prefix") >"$dir/log" 2>&1
ok 'PREFIX: installs' [ -f "$data/scripts/smtp-deepid.nse" ]
(cd "$prefix" && find . -type f | sort) >"$dir/got"
{
    echo ./bin/deepid
    echo ./share/nmap/nselib/deepid/bin/deepid
    for file in lua/deepid.lua lua/deepid/*.lua lua/deepid/*.so nselib/deepid/*.lua nselib/data/deepid/*; do
        echo "./share/nmap/nselib/${file#*/}"
    done
    echo ./share/nmap/scripts/smtp-deepid.nse
} | sort >"$dir/want"
ok 'PREFIX: these files and no others, so no index of scripts' diff "$dir/got" "$dir/want"
find "$prefix" ! -perm -o=r -o -type d ! -perm -o=x >"$dir/got"
ok 'PREFIX: all may read it' lacks "$dir/got" .
printf '220 mx.example.org ESMTP Exim 4.97.1 Tue, 12 Mar 2024 10:00:00 +0000\\r\\n\n' >"$dir/greetings"
(cd / && env -i PATH="$PATH" "$prefix/bin/deepid" identify "$dir/greetings") >"$dir/got" 2>&1
ok 'PREFIX: the command runs from anywhere' has "$dir/got" 'Exim.*4\.97\.1'
nmap --datadir "$data" --script "$dir/which.nse" >"$dir/got" 2>&1
ok 'PREFIX: Nmap loads the core with --datadir' has "$dir/got" 'core for Lua 5\.[34]'
NMAPDIR="$data" nmap --script-help smtp-deepid >"$dir/got" 2>&1
ok 'PREFIX: Nmap finds the script with NMAPDIR' has "$dir/got" '^Categories: discovery safe version'
touch "$data/nselib/deepid/old.lua" "$data/nselib/data/deepid/old.rules"
make install PREFIX="$prefix" >"$dir/log" 2>&1
(cd "$prefix" && find . -type f -name 'old.*') >"$dir/got"
ok 'PREFIX: installing again removes what is no longer ours' lacks "$dir/got" .
make uninstall PREFIX="$prefix" >"$dir/log" 2>&1
ok 'PREFIX: uninstall leaves no folder' [ ! -e "$prefix" ]

# --- DESTDIR ---
mkdir "$dir/stage"
make install DESTDIR="$dir/stage" PREFIX=/usr >"$dir/log" 2>&1
ok 'DESTDIR: installs below it' [ -x "$dir/stage/usr/bin/deepid" ]
ok 'DESTDIR: no index of scripts is made' [ ! -e "$dir/stage/usr/share/nmap/scripts/script.db" ]
ok 'DESTDIR: the index is not even asked for' lacks "$dir/log" script-updatedb
make uninstall DESTDIR="$dir/stage" PREFIX=/usr >"$dir/log" 2>&1
ok 'DESTDIR: uninstall leaves it empty' empty "$dir/stage"

# --- An Nmap's own folders ---
own="$dir/own"
mkdir -p "$own/bin" "$own/share"
cp "$(command -v nmap)" "$own/bin/nmap"
cp -r /usr/share/nmap "$own/share/nmap"
nmap() { "$own/bin/nmap" "$@"; }
nmap --datadir "$own/share/nmap" --script-updatedb >/dev/null 2>&1
cp -r "$own" "$dir/before"
# Where Nmap looks before its own folder: an index there would hide the system's scripts.
mkdir -p "$dir/elsewhere/scripts"

NMAPDIR="$dir/elsewhere" PATH="$own/bin:$PATH" make install >"$dir/log" 2>&1
ok 'own: the index has the script, and still the others' [ "$(grep -c smtp- "$own/share/nmap/scripts/script.db")" \
    = $(($(grep -c smtp- "$dir/before/share/nmap/scripts/script.db") + 1)) ]
ok 'own: no index elsewhere' empty "$dir/elsewhere/scripts"
nmap --script-help 'smtp-deepid and version and safe' >"$dir/got" 2>&1
ok 'own: Nmap knows its categories' has "$dir/got" '^smtp-deepid'
if [ "$(id -u)" = 0 ]; then
    setpriv --reuid=65534 --regid=65534 --clear-groups "$own/bin/nmap" --script "$dir/which.nse" >"$dir/got" 2>&1
    ok 'own: another user gets the core' has "$dir/got" 'core for Lua 5\.[34]'
else
    count=$((count + 1))
    echo "ok $count - own: another user gets the core # SKIP needs root"
fi
NMAPDIR="$dir/elsewhere" PATH="$own/bin:$PATH" make uninstall >"$dir/log" 2>&1
ok 'own: uninstall leaves all as it was' diff -r "$dir/before" "$own"

echo "1..$count"
