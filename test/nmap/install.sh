#!/bin/bash
# Installs into a real Nmap's own folders, a private root's, and uses it as users do: by name, as another user, under
# sudo's environment, under bare -sV; then removes it and finds nothing left.
#
# Needs an Nmap that `test/nmap/nmaps --get` brought; runs once with each.

set -u
export LC_ALL=C
unset LUA_PATH # the runner's; a user has none
if [ -z "${IN_NET:-}" ]; then IN_NET=1 exec test/in-net "$0"; fi
. test/tap.sh
trap 'test/lab/lab stop; rm -rf "$dir"; rm -rf build/nmap/*/installed' EXIT



# in_root COMMAND...: in the private root; as_user: there as nobody; under_sudo: with the few variables that sudo leaves.
in_root() { test/nmap/in-root "$root" "$@"; }
as_user() { in_root chroot --userspec=65534:65534 --skip-chdir / "$@"; }
under_sudo() { in_root env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root SUDO_USER=someone TERM=dumb "$@"; }
files() { (cd "$root" && find usr -type f -not -name script.db -exec cksum {} + && sort usr/share/nmap/scripts/script.db) | sort; }

# Which addresses answer what: the lab's Postfix with its version, a hidden one, rblsmtpd, PGP Universal.
named='127.25.0.13' hidden='127.25.0.14' refused='127.25.0.23' proxied='127.25.0.41'

try_one() {
    local name=$1
    files >"$dir/before"
    in_root nmap --script-help 'default' 2>/dev/null | grep -E '^[a-z0-9-]+$' | sort >"$dir/categories"
    make -s install DESTDIR="$root" PREFIX=/usr >"$dir/log" 2>&1
    ok "$name: make install" has "$root/usr/share/nmap/scripts/smtp-deepid.nse" 'portrule'
    in_root nmap --script-updatedb >"$dir/log" 2>&1
    ok "$name: the index has it, in its categories" has "$root/usr/share/nmap/scripts/script.db" \
        'smtp-deepid.nse", categories = \{ "discovery", "safe", "version", \}'

    in_root nmap -n -Pn -p 25 --script smtp-deepid "$named" >"$dir/out" 2>&1
    ok "$name: by name" has "$dir/out" 'server: Postfix smtpd 3\.[0-9]+\.[0-9]+ '
    as_user nmap -n -Pn -p 25 --script smtp-deepid "$named" >"$dir/out" 2>&1
    ok "$name: as another user" has "$dir/out" 'server: Postfix smtpd 3\.[0-9]+\.[0-9]+ '
    under_sudo nmap -n -Pn -p 25 --script smtp-deepid "$named" >"$dir/out" 2>&1
    ok "$name: with what sudo leaves of the environment" has "$dir/out" 'server: Postfix smtpd 3\.[0-9]+\.[0-9]+ '

    in_root nmap -n -Pn -p 25 -sV "$named" "$hidden" "$refused" "$proxied" >"$dir/out" 2>&1
    ok "$name: bare -sV: product and version" has "$dir/out" '^25/tcp +open +smtp +Postfix smtpd 3\.[0-9]+\.[0-9]+'
    ok "$name: bare -sV: a hidden one by its behaviour" has "$dir/out" '^25/tcp +open +smtp +Postfix smtpd 3\.[0-9]+ (to|or)'
    ok "$name: bare -sV: rblsmtpd and the advice" has "$dir/out" '^25/tcp +open +smtp +rblsmtpd \(blocker; .*another address'
    ok "$name: bare -sV: the server behind PGP Universal" has "$dir/out" \
        '^25/tcp +open +smtp-proxy +PGP Universal \(proxy; behind it: Exim smtpd 4\.96 at mail\.inner\.example'
    ok "$name: bare -sV: no script output" lacks "$dir/out" 'smtp-deepid:'

    in_root nmap --script-help 'default' 2>/dev/null | grep -E '^[a-z0-9-]+$' | sort >"$dir/after"
    ok "$name: the default scripts are the same as before" diff "$dir/categories" "$dir/after"
    in_root nmap -n -Pn -p 25 --script banner "$named" >"$dir/out" 2>&1
    ok "$name: other scripts work as before" has "$dir/out" 'banner: 220 '

    make -s uninstall DESTDIR="$root" PREFIX=/usr >"$dir/log" 2>&1
    in_root nmap --script-updatedb >"$dir/log" 2>&1
    files >"$dir/after"
    ok "$name: make uninstall leaves all as it was" diff "$dir/before" "$dir/after"
}

if ! ls build/nmap/*/stamp >/dev/null 2>&1; then
    echo 'ok 1 - install into a real Nmap # SKIP no private root with an Nmap; run test/nmap/nmaps --get bookworm-backports'
    echo 1..1
    exit
fi
ok 'the lab starts' test/lab/lab start postfix-version postfix-hidden rblsmtpd-553 pgp-universal
for stamp in build/nmap/*/stamp; do
    folder=$(dirname "$stamp")
    root=$PWD/$folder/installed
    cp -a "$folder/root" "$root"
    try_one "$(basename "$folder")"
done
echo "1..$count"
