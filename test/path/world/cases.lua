--- What stands on the way, who is scanned, and what must be said of it.
--
-- case = {
--   name
--   box      rules for nftables by namespace (BOXES), in force during the case
--   targets  groups of hosts.lua, each { name, count }; `ports` to scan, default "25,80"; `six` for IPv6
--   ptr      PTR names are looked up (else -n)
--   slow     the way leads over the slow line
--   control, known   groups whose addresses go into these arguments
--   trace, root, user, connect   what must come out with trace, as root without it, as another user, as root with -sT:
--            "verdict where", or "verdict" alone; runs that are not named are not made
--   says     texts that the post-scan output of a run must hold, by its name
--   path     values of `path` that every transcript must have, or that of an address, by the run's name; false stands for none
--   distance  by address, how many hops away the trace finds port 25 and the other port
--   reference, greeting_timeout   the arguments
--   front    what the post-scan output names before the targets: role, name, how many hosts; and in the words for people
--   port_says, each_says   text that the result of every port 25, that every odd host's evidence must hold
--   odd      addresses that must be told as odd, and no others: { group, count }
--   long     left out of `make test`
-- }

-- Boxes. An interceptor takes what comes from the scanner's side; what a box itself sends on is not taken again.
local function taken(from, who, what) return ([[
  chain incoming { type nat hook prerouting priority dstnat
    iifname "%s" %s tcp dport 25 %s
  }
]]):format(from, who, what) end

local function filtered(what) return ([[
  chain passing { type filter hook forward priority filter
    tcp dport 25 %s
  }]]):format(what) end

local function both(four, six)
  local chain6 = taken("to-scanner", "meta nfproto ipv6", "dnat ip6 to " .. six):gsub("incoming", "incoming6")
  return taken("to-scanner", "meta nfproto ipv4", "dnat ip to " .. four) .. chain6
end

local BOX = {
  own_server = { isp = both("192.168.1.2", "fd01::2") },
  notice = { isp = taken("to-scanner", "", "dnat ip to 192.168.1.3") },
  relay = { isp = taken("to-scanner", "", "redirect to :2501") },
  mask = { isp = taken("to-scanner", "", "redirect to :2502") },
  strip = { isp = taken("to-scanner", "", "redirect to :2503") },
  strip_near_target = { edge2 = taken("to-core", "", "redirect to :2503") },
  drop = { isp = filtered("drop") },
  reject = { isp = filtered("reject with icmpx type admin-prohibited") },
  two = { edge1 = taken("to-core", "", "dnat ip to 192.168.3.2"), edge2 = taken("to-core", "", "dnat ip to 192.168.4.2") },
  shield = { scanner = [[
  chain outgoing { type nat hook output priority -100
    meta skgid != 4242 tcp dport 25 redirect to :2501
  }]] },
  three = { isp = taken("to-scanner", "ip daddr { 240.7.0.25, 240.77.0.25, 240.177.0.25 }", "dnat ip to 192.168.1.2") },
}

local MIXED = { { "honest", 8 }, { "postfix", 8 }, { "opensmtpd", 8 } }

local OPTIONS = "mss,sackOK,ts,nop,wscale"

return {
  -- Nothing wrong.
  { name = "mixed servers, nothing wrong", targets = MIXED, ptr = true, trace = "normal", root = "normal", user = "normal",
    path = { root = { ttl = 61, other_ttl = 61, other_port = 80, options = OPTIONS, other_options = OPTIONS, reference = false, hops = false },
      user = { ttl = false, other_port = 80, connect_ms = false, hops = false } } },
  { name = "port 25 alone, and a reference port", targets = { { "honest", 12 } }, ports = "25", root = "normal", connect = "normal", user = "normal",
    path = { root = { ttl = 61, other_ttl = 61, other_port = 80, reference = 80 }, connect = { ttl = 61, reference = 80 },
      user = { ttl = false, other_port = 80, reference = 80 } } },
  { name = "port 25 alone, and none may be tried", targets = { { "honest", 12 } }, ports = "25", reference = "none", root = "normal",
    path = { root = { ttl = 61, other_ttl = false, other_port = false, reference = false } } },
  { name = "a reference port that is closed", targets = { { "honest", 12 } }, ports = "25", reference = "443", trace = "normal",
    path = { trace = { other_port = 443, other_answer = "rst", other_ttl = 61, other_options = false } } },
  { name = "the same over IPv6", targets = { { "six", 12 } }, six = true, trace = "normal", user = "normal" },
  { name = "the same over a slow line", targets = MIXED, slow = true, trace = "normal" },
  { name = "20 hosts of one product", targets = { { "honest", 20 } }, ptr = true, root = "normal", user = "normal" },
  { name = "100 mixed hosts", targets = { { "honest", 60 }, { "postfix", 20 }, { "opensmtpd", 20 } }, ptr = true, root = "normal", user = "normal" },
  { name = "300 mixed hosts", targets = { { "honest" }, { "postfix" }, { "opensmtpd" } }, trace = "normal", user = "normal", long = true },
  { name = "200 hosts of one product", targets = { { "honest" } }, trace = "normal", user = "normal", long = true },
  { name = "a pool of 8 in one network, among others", targets = { { "small" }, { "honest", 12 } }, root = "normal", user = "normal" },
  { name = "a pool of 40 that names itself", targets = { { "pool" } }, ptr = true, root = "normal", user = "normal" },
  { name = "a provider's pool", targets = { { "google" }, { "honest", 8 } }, root = "normal", user = "normal" },
  { name = "25 forwarded to a machine behind the target's firewall", targets = { { "forwarded" } }, ptr = true, trace = "normal", root = "normal",
    user = "normal", path = { root = { ttl = 60, other_ttl = 61 } }, distance = { ["248.3.0.25"] = { 5, 4 } } },
  { name = "targets at two distances", targets = { { "honest", 8 }, { "gates" } }, trace = "normal",
    distance = { ["240.8.0.25"] = { 4, 4 }, ["192.168.3.2"] = { 3, 3 }, ["192.168.4.2"] = { 3, 3 } } },
  { name = "controls that keep silent", targets = MIXED, control = { "absent", 4 }, trace = "normal", user = "normal" },
  -- Packets that no kernel sends. Nmap's own SYN scan takes none of the first three for an answer, so the silence is looked into.
  { name = "hostile answers to SYNs", targets = { { "hostile" } }, known = { "hostile" }, greeting_timeout = "1s", trace = "insufficient",
    path = { trace = {
      ["250.1.0.25"] = { options = "bad", window = 1000, ttl = 60 }, ["250.2.0.25"] = { options = "bad" }, ["250.3.0.25"] = { options = "mss" },
      ["250.4.0.25"] = { options = "mss", ttl = 60 }, ["250.5.0.25"] = { options = false }, ["250.6.0.25"] = { options = "", window = 1000 } } } },
  -- 40 unrelated addresses, one name, and nothing to explain it.
  { name = "a pool of 40 with nothing to explain it", targets = { { "strangers" } }, root = "uniform", user = "uniform" },
  -- Interceptors.
  { name = "the provider's own Postfix answers", box = BOX.own_server, targets = MIXED, trace = "intercepted near_you", root = "intercepted near_you",
    connect = "intercepted near_you", user = "uniform", says = { trace = { "192.168.1.2" } }, path = { root = { ttl = 64, other_ttl = 61 } },
    distance = { ["240.3.0.25"] = { 1, 4 } } },
  { name = "the same over IPv6", box = BOX.own_server, targets = { { "six", 12 } }, six = true, trace = "intercepted near_you",
    root = "intercepted near_you", user = "uniform" },
  { name = "the same over a slow line", box = BOX.own_server, targets = MIXED, slow = true, trace = "intercepted near_you",
    root = "intercepted near_you" },
  { name = "it answers for addresses that do not exist", box = BOX.own_server, targets = { { "honest", 12 } }, control = { "absent", 4 },
    trace = "intercepted near_you", user = "intercepted" },
  { name = "the provider's refusal answers", box = BOX.notice, targets = MIXED, ptr = true, trace = "intercepted near_you", root = "intercepted near_you",
    user = "intercepted near_you" },
  { name = "a relay passes all on", box = BOX.relay, targets = MIXED, trace = "intercepted near_you", root = "intercepted near_you", user = "normal" },
  { name = "it masks greeting and keywords", box = BOX.mask, targets = MIXED, trace = "intercepted near_you", root = "intercepted near_you",
    user = "normal", front = { "rewriter", "Cisco ASA ESMTP inspection", 24 }, port_says = "in front: Cisco ASA ESMTP inspection, a device that changes SMTP in passing" },
  { name = "it strips STARTTLS", box = BOX.strip, targets = { { "honest", 12 } }, ports = "25,80,587", trace = "intercepted near_you",
    root = "intercepted near_you", front = { "rewriter", "something that removes STARTTLS", 12 }, each_says = "it offers STARTTLS on port 587 and not on 25" },
  { name = "the same near the target", box = BOX.strip_near_target, targets = { { "edge", 12 } }, ports = "25,80,587", trace = "intercepted near_target",
    front = { "rewriter", "something that removes STARTTLS", 12 }, each_says = "it offers STARTTLS on port 587 and not on 25" },
  { name = "the same near some targets", box = BOX.strip_near_target, targets = { { "edge", 6 }, { "honest", 12 } },
    trace = "intercepted near_target", odd = { "edge", 6 } },
  { name = "two interceptors on two paths", box = BOX.two, targets = { { "honest", 12 }, { "edge", 12 } }, trace = "intercepted near_target",
    user = "uniform" },
  { name = "a mail shield on the scanner's own machine", box = BOX.shield, targets = { { "honest", 12 } }, trace = "intercepted own_host",
    root = "intercepted own_host", connect = "intercepted own_host" },
  { name = "3 intercepted among 300", box = BOX.three, targets = { { "honest" }, { "postfix" }, { "opensmtpd" } }, ptr = true,
    trace = "intercepted near_you", odd = { "240.7.0.25", "240.77.0.25", "240.177.0.25" }, long = true },
  { name = "3 intercepted among 24", box = BOX.three, targets = { { "some" }, { "postfix", 21 } }, ptr = true, trace = "intercepted near_you",
    root = "intercepted near_you", user = "uniform", odd = { "240.7.0.25", "240.77.0.25", "240.177.0.25" } },
  -- Silence.
  { name = "25 is dropped near the scanner", box = BOX.drop, targets = { { "honest", 20 } }, ports = "25,80,993", trace = "blocked near_you",
    root = "blocked near_you", user = "blocked near_you", says = { trace = { "192.168.1.2" } } },
  { name = "25 is refused near the scanner", box = BOX.reject, targets = { { "honest", 12 } }, ports = "25,80,993", trace = "blocked near_you",
    root = "blocked near_you", says = { trace = { "192.168.1.2" }, root = { "192.168.1.2" } } },
  { name = "25 is dropped, and the hosts are known to accept it", box = BOX.drop, targets = { { "honest", 12 } }, known = { "honest", 12 },
    root = "blocked near_you", user = "blocked near_you" },
  { name = "absent hosts are silent", targets = { { "absent" } }, trace = "insufficient", user = "insufficient" },
}
