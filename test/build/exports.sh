#!/bin/sh
# What the cores show to the process that loads them: one symbol of ours, and nothing of PCRE2 either way.
count=0

check() {
    count=$((count + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        printf '%s\n' "got: $2" "want: $3" | sed 's/^/# /'
    fi
}

for lua in 5.3 5.4; do
    core=lua/deepid/core-$lua.so
    check "$core exports one symbol" "$(nm -D --defined-only $core | awk '{ print $3 }')" luaopen_deepid_core
    check "$core needs nothing of PCRE2's" "$(nm -D --undefined-only $core | grep -ci pcre)" 0
    check "$core is not linked to a Lua, nor to PCRE2" "$(readelf -d $core | grep NEEDED | grep -ciE 'lua|pcre')" 0
    check "$core needs Lua's functions" "$(nm -D --undefined-only $core | grep -c ' lua_pushinteger$')" 1
done
echo "1..$count"
