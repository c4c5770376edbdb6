# Private roots made of Debian packages, for the lab's servers and for other releases' Nmap. Sourced by bash.
#
# The packages are downloaded by apt with a state of its own, from the mirrors that the system's own apt configuration names,
# and unpacked, never installed: no maintainer script runs and nothing outside of the given folder changes.

keyring=/usr/share/keyrings/debian-archive-keyring.gpg

# private_apt BASE ARGUMENTS...: apt-get that keeps everything in BASE/apt.
private_apt() {
    local base=$1
    shift
    apt-get -qq -o Dir::Etc::sourcelist="$base/apt/sources.list" -o Dir::Etc::sourceparts=- \
        -o Dir::State="$base/apt/state" -o Dir::State::status="$base/apt/status" \
        -o Dir::Cache="$base/apt/cache" -o APT::Install-Recommends=0 \
        -o APT::Sandbox::User=root -o Acquire::Check-Valid-Until=false "$@"
}

# debian_sources BASE SUITE...: lines for sources.list: the system's Debian mirrors with these suites put in for its own. A
# stable release brings its -updates and -security along, but for Debian 11, whose -security lists files that are gone.
# Where the system has no lists, as in a new container, they are fetched into BASE/apt/system.
debian_sources() {
    local base=$1 ours suite state=()
    shift
    if [ -z "$(apt-get indextargets --format '$(ORIGIN)' 'Created-By: Packages')" ]; then
        mkdir -p "$base/apt/system/lists/partial"
        state=(-o Dir::State="$base/apt/system" -o APT::Sandbox::User=root)
        apt-get -qq "${state[@]}" update >&2
    fi
    ours=$(. /etc/os-release && echo "$VERSION_CODENAME")
    for suite; do
        apt-get "${state[@]}" indextargets --format '$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)' 'Created-By: Packages' |
            awk -v ours="$ours" -v suite="$suite" -v keyring="$keyring" '
                $4 != "Debian" || $3 != "main" || index($2, ours) != 1 || $2 ~ /backports/ { next }
                suite == "bullseye" && $2 ~ /-security$/ { next }
                $2 == ours || suite !~ /^(sid|testing|experimental)$|-backports$/ {
                    print "deb [signed-by=" keyring "]", $1, suite substr($2, length(ours) + 1), $3
                }'
    done | sort -u
}

# download_packages BASE "SUITE..." [--some] < REQUESTS: fetches what each line asks for (words for `apt-get install`) with
# all that it depends on. A line is resolved alone, against an empty machine, so that packages of two lines may conflict.
# With --some a line that cannot be had is reported and left out.
download_packages() {
    local base=$1 suites=$2 some=${3:-} request
    mkdir -p "$base/apt/state/lists/partial" "$base/apt/cache/archives/partial"
    : >"$base/apt/status"
    # Several suites: word splitting is meant, here and for a request.
    # shellcheck disable=SC2086
    debian_sources "$base" $suites >"$base/apt/sources.list"
    if ! [ -s "$base/apt/sources.list" ]; then
        echo "apt's configuration names no Debian mirror" >&2
        return 1
    fi
    private_apt "$base" update
    while read -r request; do
        # shellcheck disable=SC2086
        private_apt "$base" install -y --download-only $request </dev/null || {
            [ -n "$some" ] || return 1
            echo "$suites: not to be had: $request" >&2
        }
    done
    private_apt "$base" autoclean # older versions of the same packages, from an earlier run
}

# unpack_packages BASE [PATH...]: unpacks all of them into BASE/root, but for these paths, and documentation. BASE/versions
# says which packages they are.
unpack_packages() {
    local base=$1 folder deb leave=()
    shift
    for deb in ./usr/share/doc ./usr/share/man ./usr/share/locale "$@"; do leave+=("--exclude=$deb"); done
    rm -rf "$base/root"
    mkdir -p "$base"/root/usr/{bin,sbin,lib,lib64} "$base/root/var" "$base/root/run"
    for folder in bin sbin lib lib64; do ln -s "usr/$folder" "$base/root/$folder"; done
    ln -s /run "$base/root/var/run"
    # --keep-directory-symlink: packages of before the merged /usr still ship /bin and /lib.
    for deb in "$base"/apt/cache/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar -xp -C "$base/root" --keep-directory-symlink "${leave[@]}"
        deb=${deb##*/}
        echo "${deb//%3a/:}"
    done | awk -F_ '{ print $1, $2 }' >"$base/versions"
    ldconfig -r "$base/root"
}
