#!/bin/sh
# No warnings: gcc, clang and luacheck.
unset MAKEFLAGS MAKELEVEL
echo 1..1
if output=$(make --no-print-directory lint 2>&1); then
    echo 'ok 1 - make lint'
else
    echo 'not ok 1 - make lint'
    printf '%s\n' "$output" | sed 's/^/# /'
fi
