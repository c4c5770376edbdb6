# The test's network, made of namespaces: sourced by bash, in mount, network and process namespaces of its own.
#
#   scanner -- isp -- core -- edge1 -- exim, postfix, opensmtpd; inner behind exim
#                        \--- edge2 -- edge
#
# Seen from the scanner, isp is hop 1, core 2, edge1 and edge2 3, and servers 4. Lines are 192.168.N.0/24 and fdNN::/64,
# .1 on the scanner's side. Between isp and core there is a second line, slow (192.168.20.0/24), through a relay that delays.

spaces="scanner isp core edge1 edge2 exim postfix opensmtpd edge inner"
in_() { local space=$1; shift; ip netns exec "$space" "$@"; }

# line N NEAR FAR
line() {
    ip link add "to-$3" netns "$2" type veth peer name "to-$2" netns "$3"
    address "$2" "to-$3" "$1" 1
    address "$3" "to-$2" "$1" 2
}

# address SPACE INTERFACE LINE HOST
address() {
    ip -n "$1" addr add "192.168.$3.$4/24" dev "$2"
    ip -n "$1" -6 addr add "fd$(printf %02d "$3")::$4/64" dev "$2" nodad
    ip -n "$1" link set "$2" up
}

# route SPACE LINE HOST PREFIX...
route() {
    local space=$1 line=$2 host=$3 prefix
    shift 3
    for prefix; do
        if [[ $prefix = *:* ]]; then ip -n "$space" -6 route add "$prefix" via "fd$(printf %02d "$line")::$host"
        else ip -n "$space" route add "$prefix" via "192.168.$line.$host"; fi
    done
}

make_net() {
    local space n
    mount -t tmpfs netns /run/netns
    for space in $spaces; do
        ip netns add "$space"
        ip -n "$space" link set lo up
        # Prefixes of the hosts are local as a whole, so no host needs an interface. No reverse-path filter: the slow line is
        # another way back.
        in_ "$space" sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 \
            net.ipv4.conf.default.rp_filter=0 net.core.somaxconn=1024
    done
    line 1 scanner isp; line 2 isp core; line 3 core edge1; line 4 core edge2
    line 5 edge1 exim; line 6 edge1 postfix; line 7 edge1 opensmtpd; line 8 edge2 edge; line 9 exim inner
    route scanner 1 2 default ::/0
    route isp 2 2 default ::/0
    route core 3 2 240.0.0.0/4 4000::/3 192.168.0.0/16; route core 4 2 243.0.0.0/8; route core 2 1 192.168.1.0/24 fd01::/64
    route edge1 5 2 240.0.0.0/4 4000::/3; route edge1 6 2 241.0.0.0/8; route edge1 7 2 242.0.0.0/8; route edge1 3 1 default ::/0
    route edge2 8 2 243.0.0.0/8; route edge2 4 1 default ::/0
    for n in "exim 5" "postfix 6" "opensmtpd 7" "edge 8" "inner 9"; do
        # shellcheck disable=SC2086
        set -- $n
        route "$1" "$2" 1 default ::/0
    done
    for n in 240 244 245 246 247 248; do ip -n exim route add local $n.0.0.0/8 dev lo; done
    ip -n exim -6 route add local 4200::/8 dev lo
    ip -n exim route add blackhole 249.0.0.0/8
    ip -n postfix route add local 241.0.0.0/8 dev lo
    ip -n opensmtpd route add local 242.0.0.0/8 dev lo
    ip -n edge route add local 243.0.0.0/8 dev lo
    # What the servers' own firewall forwards to machines behind it.
    ip -n inner route add local 192.168.9.96/27 dev lo
    ip -n exim route add 192.168.9.96/27 via 192.168.9.2
    in_ exim nft -f - <<NFT
table ip forward_inside {
    chain incoming {
        type nat hook prerouting priority dstnat
        tcp dport 25 dnat to ip daddr map { $(for n in {1..12}; do echo "248.$n.0.25 : 192.168.9.$((100 + n)),"; done) }
    }
}
NFT
}
