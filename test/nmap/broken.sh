#!/bin/bash
# A broken checkout says what is wrong and what mends it, in the script's output, and the rest of the scan goes on.
set -u
export LC_ALL=C
if [ -z "${IN_NET:-}" ]; then IN_NET=1 exec test/in-net "$0"; fi
count=0
dir=$(mktemp -d)
trap 'test/lab/lab stop aiosmtpd; rm -rf "$dir"' EXIT
target=127.25.0.17

# ok NAME COMMAND...: what the command prints is shown when it fails.
ok() {
    local name=$1
    shift
    count=$((count + 1))
    if "$@" >"$dir/why" 2>&1; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        head -n 30 "$dir/why" | sed 's/^/# /'
    fi
}
has() { grep -qE -- "$2" "$1" || { cat "$1"; false; }; }

# says PATTERN: every Nmap says so of the broken copy, runs the other script, and ends well.
says() {
    local pattern=$1 name=$2 version command status
    while IFS=$'\t' read -r version command; do
        # The command is several words: word splitting is meant.
        # shellcheck disable=SC2086
        $command -n -Pn -p 25 --script "$dir/copy/scripts/smtp-deepid.nse,banner" "$target" >"$dir/out" 2>&1
        status=$?
        ok "$version: $name: says so" has "$dir/out" "$pattern"
        ok "$version: $name: the scan goes on" eval "has $dir/out 'banner: 220 ' && [ $status = 0 ]"
    done < <(test/nmap/nmaps)
}

# A fresh copy to break.
copy() {
    rm -rf "$dir/copy"
    mkdir "$dir/copy"
    cp -r csrc lua nselib scripts Makefile "$dir/copy"
    chmod -R a+rX "$dir"
}

ok 'the lab starts' test/lab/lab start aiosmtpd
copy
says 'server: aiosmtpd' 'a whole copy'
copy
rm "$dir"/copy/lua/deepid/core-*.so
says 'C core .*run `make`' 'no core'
copy
mv "$dir/copy/lua/deepid/core-5.3.so" "$dir/core"
mv "$dir/copy/lua/deepid/core-5.4.so" "$dir/copy/lua/deepid/core-5.3.so"
mv "$dir/core" "$dir/copy/lua/deepid/core-5.4.so"
says 'built for Lua 5\.[34], but Lua 5\.[34] loads it.*run `make`' 'the core of the other Lua'
copy
for core in "$dir"/copy/lua/deepid/core-*.so; do head -c 5000 "$core" >"$dir/cut" && mv "$dir/cut" "$core"; done
says 'C core .*run `make`' 'a core cut short'
copy
rm "$dir/copy/lua/deepid/identify.lua"
says "modules cannot be loaded.*deepid\.identify" 'a missing module'
copy
rm -r "$dir/copy/nselib/data"
says 'no knowledge found' 'no knowledge'
copy
rm "$dir/copy/nselib/data/deepid/30-eggs.rules"
says 'knowledge: .*30-eggs\.rules: No such file' 'a missing rule file'
says 'server: aiosmtpd' 'the others are used all the same'
copy
printf 'Probe TCP NULL q||\n#: id bad\n#: role mta\n#: colour red\nmatch smtp m|(| p/x/\n' >>"$dir/copy/nselib/data/deepid/20-servers.rules"
says 'knowledge: .*20-servers\.rules:[0-9]+: unknown annotation colour' 'a broken rule'
says 'server: aiosmtpd' 'the other rules are used all the same'
echo "1..$count"
