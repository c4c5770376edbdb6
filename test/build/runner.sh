#!/bin/sh
# The runner itself: what must turn it red does, and its last line counts right.
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
count=0

# check NAME WANTED-STATUS WANTED-LAST-LINE < the program's text
check() {
    count=$((count + 1))
    cat >"$dir/$count.sh"
    chmod +x "$dir/$count.sh"
    TEST_TIMEOUT=1s test/run "$dir/$count.sh" >"$dir/out" 2>&1
    status=$?
    if [ $status = "$2" ] && [ "$(tail -n 1 "$dir/out")" = "$3" ]; then
        echo "ok $count - $1"
    else
        echo "not ok $count - $1"
        echo "# status $status, wanted $2 and the last line: $3"
        sed 's/^/# /' "$dir/out"
    fi
}

check 'passes and skips are counted' 0 '1 passed, 0 failed, 1 skipped' <<'END'
#!/bin/sh
printf 'ok 1 - a\nok 2 - b # SKIP no such thing here\n1..2\n'
END
check 'a whole program may be skipped' 0 '0 passed, 0 failed, 1 skipped' <<'END'
#!/bin/sh
echo '1..0 # SKIP not on this machine'
END
check 'a failed test' 1 '1 passed, 1 failed, 0 skipped' <<'END'
#!/bin/sh
printf '1..2\nok 1 - a\nnot ok 2 - b\n# why\n'
exit 1
END
check 'a failed test counts even with status 0' 1 '0 passed, 1 failed, 0 skipped' <<'END'
#!/bin/sh
printf '1..1\nnot ok 1 - b # SKIP is no excuse\n'
END
check 'a non-zero status' 1 '1 passed, 1 failed, 0 skipped' <<'END'
#!/bin/sh
printf '1..1\nok 1 - a\n'
exit 3
END
check 'a crash' 1 '1 passed, 1 failed, 0 skipped' <<'END'
#!/bin/sh
printf '1..1\nok 1 - a\n'
kill -SEGV $$
END
check 'no plan' 1 '1 passed, 1 failed, 0 skipped' <<'END'
#!/bin/sh
echo 'ok 1 - a'
END
check 'fewer tests than planned' 1 '1 passed, 1 failed, 0 skipped' <<'END'
#!/bin/sh
printf '1..2\nok 1 - a\n'
END
check 'more tests than planned' 1 '2 passed, 1 failed, 0 skipped' <<'END'
#!/bin/sh
printf 'ok 1 - a\nok 2 - b\n1..1\n'
END
check 'two plans' 1 '1 passed, 1 failed, 0 skipped' <<'END'
#!/bin/sh
printf '1..1\nok 1 - a\n1..1\n'
END
check 'a plan of no tests, without a reason' 1 '0 passed, 1 failed, 0 skipped' <<'END'
#!/bin/sh
echo 1..0
END
check 'nothing at all' 1 '0 passed, 1 failed, 0 skipped' <<'END'
#!/bin/sh
END
check 'a program that hangs' 1 '1 passed, 1 failed, 0 skipped' <<'END'
#!/bin/sh
printf 'ok 1 - a\n1..1\n'
sleep 60
END

count=$((count + 1))
TEST_TIMEOUT=1s test/run "$dir/none.sh" >"$dir/out" 2>&1 && printf 'not '
echo "ok $count - a program that is not there"

count=$((count + 1))
printf 'not ok 1 - b\n# the reason\n' >"$dir/tap"
printf '#!/bin/sh\ncat "%s"\n' "$dir/tap" >"$dir/why.sh"
chmod +x "$dir/why.sh"
test/run "$dir/why.sh" | grep -q 'the reason' || printf 'not '
echo "ok $count - the reason of a failure is shown"

count=$((count + 1))
printf 'local t = require "tap"\nt.test(_VERSION, function() t.eq(_VERSION, "Lua 5.3") end)\nt.done()\n' >"$dir/half.lua"
test/run "$dir/half.lua" >"$dir/out"
[ $? = 1 ] && [ "$(tail -n 1 "$dir/out")" = '1 passed, 1 failed, 0 skipped' ] || printf 'not '
echo "ok $count - a Lua file runs under both Luas"
echo "1..$count"
