#!/bin/sh
# LuaRocks builds and installs the engine, core, knowledge and command, for either Lua, from a checkout without a built core.
unset MAKEFLAGS MAKELEVEL LUA_PATH
. test/tap.sh

rocks() { (cd "$dir/checkout" && luarocks --lua-version "$lua" --tree "$dir/$lua" "$@"); }

mkdir "$dir/checkout"
cp -r Makefile csrc lua nselib rockspec "$dir/checkout"
rm -f "$dir"/checkout/lua/deepid/*.so
printf '220 mx.example.org ESMTP Exim 4.97.1 Tue, 12 Mar 2024 10:00:00 +0000\\r\\n\n' >"$dir/greetings"

for lua in 5.3 5.4; do
    ok "Lua $lua: luarocks make" rocks make rockspec/smtp-deepid-scm-1.rockspec
    ok "Lua $lua: its core, and no other" [ "$(cd "$dir/$lua" && find lib/lua -type f)" = "lib/lua/$lua/deepid/core-$lua.so" ]
    (cd / && env -i PATH="$PATH" "$dir/$lua/bin/deepid" identify "$dir/greetings") >"$dir/got" 2>&1
    ok "Lua $lua: the command works" has "$dir/got" 'Exim.*4\.97\.1'
    (cd / && eval "$(rocks path)" && "lua$lua" -e 'print(require("deepid.core").load().lua, require("deepid") ~= nil)') >"$dir/got" 2>&1
    ok "Lua $lua: the library works" has "$dir/got" "^$lua.true$"
    ok "Lua $lua: luarocks remove" rocks remove smtp-deepid
    ok "Lua $lua: nothing is left" [ -z "$(find "$dir/$lua" -name '*deepid*')" ]
done
echo "1..$count"
