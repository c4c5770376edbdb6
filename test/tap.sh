# A small TAP producer for shells; sourced. It makes $dir, a folder that is gone at the end.

count=0
dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
chmod 755 "$dir"

# ok NAME COMMAND...: one test, passed if the command succeeds; what it prints is shown if it fails.
ok() {
    local name=$1
    shift
    count=$((count + 1))
    if "$@" >"$dir/why" 2>&1; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        head -n 40 "$dir/why" | sed 's/^/# /'
    fi
}

# has FILE REGEX, lacks FILE REGEX: conditions that show what speaks against them.
has() { grep -qE -- "$2" "$1" || { cat "$1"; false; }; }
lacks() { ! grep -E -- "$2" "$1"; }
