--- The post-scan result in words: who only reads this text knows what to believe and what to do next.

local report = require "deepid.report"

local M = {}

local MOST_LINES = 5 -- of evidence, groups and hosts, each
local MOST_PRODUCTS = 8

local function plural(count, one, many) return ("%d %s"):format(count, count == 1 and one or many) end

-- What the verdict means, and what to believe.
M.VERDICTS = {
  intercepted = {
    own_host = "Port 25 is answered on this machine, not by the targets: a mail shield of an antivirus program, or a local proxy.",
    near_you = "Port 25 is answered near you, not by the targets: your provider, firewall or hotel network takes over mail connections.",
    path = "Port 25 is answered on the way, not by the targets: a box between you and them takes over mail connections.",
    near_target = "Port 25 is answered before the targets, not by them: a box at their end takes over mail connections.",
    unknown = "Port 25 is answered by something else than the targets; where it sits is not known.",
  },
  uniform = {
    unknown = "One machine or pool seems to answer for several of the addresses, and nothing innocent explains it. Either they belong together and nothing"
      .. " shows it, or something between you and them answers in their place.",
  },
  blocked = {
    near_you = "Port 25 is blocked near you: connections to it do not reach the targets, whatever they run.",
  },
  normal = {
    unknown = "Nothing strange: the targets seem to have answered for themselves.",
  },
  insufficient = {
    unknown = "Too little to say whether the targets answered for themselves.",
  },
}

M.BELIEVE = {
  intercepted = "What port 25 says (names, products, versions, 'open') is the box's, not the targets'. Other ports are not touched by this finding.",
  uniform = "Do not take what port 25 says for the targets' own before you know which of the two it is.",
  blocked = "'filtered' on port 25 says nothing about the targets: they may well run mail servers.",
  normal = "What port 25 says can be taken as the targets' own, as far as banners can be believed.",
  insufficient = "Take what port 25 says as unconfirmed.",
}

--- Advice, by name.
M.ADVICE = {
  shield_off = "Switch the mail shield off, or scan from a machine without one; then scan again.",
  elsewhere = "Scan the same targets from another network, each scan with smtp-deepid.save, and compare: deepid compare HERE.jsonl THERE.jsonl",
  other_ports = "Look at ports 465 and 587 meanwhile: what takes over or blocks port 25 mostly leaves them alone.",
  ask_provider = "Look up your provider's policy on port 25; many open it on request.",
  ask_network = "Tell the targets' operators, if they are yours: the box may be theirs, a firewall or mail gateway.",
  trace = "Run as root with smtp-deepid.trace: it shows how many hops away port 25 is answered, and by or behind which router.",
  control = "Name an address where certainly no mail server is, smtp-deepid.control=ADDRESS: if it answers too, something else is answering.",
  names = "Scan with name resolution (without -n): PTR names tell one owner's machines from unrelated ones.",
  known = "Name hosts that you know to accept mail, smtp-deepid.known=ADDRESS,...: their silence counts.",
  more_targets = "Scan mail hosts in other networks too: one host or one network has nothing to compare with.",
  mail_ports = "Scan -p 25,110,143,465,587,993,995: hosts that offer mail elsewhere tell a blocked port 25 from no mail server.",
  privileged = "Run as root: the distance of the answers (TTL) can then be compared with the hosts' other ports.",
}

local function unobserved(object, what)
  for _, name in ipairs(object.unobserved) do
    if name == what then return true end
  end
  return false
end

local CHOOSE = {}

function CHOOSE.intercepted(object)
  if object.where == "own_host" then return { "shield_off", "elsewhere" } end
  if object.where == "near_target" then return { "elsewhere", "ask_network", "other_ports" } end
  local last = { near_you = "ask_provider", unknown = "trace" }
  return { "elsewhere", "other_ports", last[object.where] }
end

function CHOOSE.uniform(object)
  local names = { "trace" }
  if unobserved(object, "control") then names[#names + 1] = "control" end
  if unobserved(object, "names") then names[#names + 1] = "names" end
  return table.move({ "elsewhere", "other_ports" }, 1, 2, #names + 1, names)
end

function CHOOSE.blocked() return { "other_ports", "elsewhere", "ask_provider" } end

function CHOOSE.insufficient(object)
  local names = {}
  local quiet = object.port_25
  if quiet.mail_elsewhere > 0 then
    names = { "known", "trace" }
  elseif object.hosts_seen == 0 then
    names = { "mail_ports" }
  end
  if #object.evidence > 0 or object.hosts_odd > 0 then
    if unobserved(object, "control") then names[#names + 1] = "control" end
    if quiet.mail_elsewhere == 0 then names[#names + 1] = "trace" end
  end
  if object.hosts_seen > 0 and unobserved(object, "names") and #object.groups > 0 then names[#names + 1] = "names" end
  if object.hosts_seen > 0 and unobserved(object, "distance") then names[#names + 1] = "privileged" end
  if object.hosts_seen == 1 or quiet.mail_elsewhere > 0 or #names == 0 then names[#names + 1] = "more_targets" end
  return names
end

function CHOOSE.normal() return {} end

--- What to do next, as an array of texts.
function M.advice(object)
  local list = require "deepid.json".array()
  for i, name in ipairs(CHOOSE[object.verdict](object)) do list[i] = M.ADVICE[name] end
  return list
end

local SHARE = {
  hostname = "%s announce one host name, %s", certificate = "%s show one certificate key, %s", notice = "%s refuse with one text: %s",
}

local function group_lines(group)
  local text = SHARE[group.kind]:format(plural(group.hosts, "address", "addresses"), group.key)
  if group.hosts > #group.examples then
    text = ("%s (%s, ...)"):format(text, table.concat(group.examples, ", "))
  else
    text = ("%s (%s)"):format(text, table.concat(group.examples, ", "))
  end
  if group.judged then text = ("%s; judged by %d of them"):format(text, group.judged) end
  if group.explanation then return { text, "  " .. group.words } end
  if group.surprising == "one_network" then return { text, "  nine in ten of all that answered in their network, and more than eleven" } end
  local expected = group.expected < 0.1 and "less than 0.1" or ("%.1f"):format(group.expected)
  return { text, ("  in %s, where chance alone gives %s and %d would be surprising: less than once in 10,000 scans"):format(
    plural(group.unrelated, "unrelated network", "unrelated networks"), expected, group.needed) }
end

local function add_groups(lines, object)
  local shown = 0
  for _, group in ipairs(object.groups) do
    if shown == MOST_LINES then
      lines[#lines + 1] = ("alike: and %d more groups"):format(#object.groups - shown)
      break
    end
    shown = shown + 1
    local two = group_lines(group)
    lines[#lines + 1] = "alike: " .. two[1]
    lines[#lines + 1] = two[2]
  end
  if object.groups_left then
    lines[#lines + 1] = ("left out: %s that could matter; those in the most networks and of the most hosts were judged"):format(
      plural(object.groups_left, "more group", "more groups"))
  end
end

local function add_evidence(lines, object)
  local shown = 0
  for _, item in ipairs(object.evidence) do
    if item.kind ~= "uniformity" and shown < MOST_LINES then -- the groups are told below
      shown = shown + 1
      lines[#lines + 1] = ("%s: %s (%s%s)"):format(object.verdict == "intercepted" and "because" or "suspicious", item.says, table.concat(item.examples, ", "), item.hosts > #item.examples and ", ..." or "")
    end
  end
  for _, one in ipairs(object.explained) do
    lines[#lines + 1] = ("harmless: %s: %s"):format(plural(one.hosts, "host", "hosts"), one.says)
  end
end

-- Of what stands in front, that which lets sessions through; what answers in a server's place is told among the evidence and the products.
local SHOWN_ROLES = { rewriter = true, proxy = true, filter = true, screen = true }

local function add_fronts(lines, object)
  local shown = 0
  for _, front in ipairs(object.fronts) do
    if SHOWN_ROLES[front.role] and shown < MOST_LINES then
      shown = shown + 1
      lines[#lines + 1] = ("in front: %s, %s: %s (%s%s)"):format(front.name, report.ROLE_WORDS[front.role], plural(front.hosts, "host", "hosts"),
        table.concat(front.examples, ", "), front.hosts > #front.examples and ", ..." or "")
    end
  end
end

-- Port 25 where it is silent: whose doing it is.
local function add_silence(lines, object)
  local quiet = object.port_25
  if quiet.mail_elsewhere == 0 then return end
  local all = quiet.mail_elsewhere + quiet.accepting
  lines[#lines + 1] = ("silent: port 25 is filtered on %d of %s, in %s"):format(quiet.mail_elsewhere, plural(all, "mail host", "mail hosts"),
    plural(quiet.unrelated, "unrelated network", "unrelated networks"))
  if quiet.stops_at then
    lines[#lines + 1] = ("  packets to port 25 end %d hops away%s; those to other ports go on"):format(quiet.stops_at,
      quiet.stops_by and (", at or behind " .. quiet.stops_by) or "")
  elseif quiet.refused > 0 then
    lines[#lines + 1] = ("  %s actively refused, by %s"):format(plural(quiet.refused, "was", "were"), quiet.refused_by or "a router or firewall whose address Nmap does not keep")
  end
  if object.verdict ~= "blocked" and quiet.accepting > 0 then
    lines[#lines + 1] = "  others answered, so it is these hosts' own firewalls"
  elseif object.verdict ~= "blocked" then
    lines[#lines + 1] = "  it may be their own firewalls or something near you: too few unrelated witnesses to tell"
  end
end

local function add_hosts(lines, object)
  local shown = 0
  for _, host in ipairs(object.hosts) do
    if host.verdict == "insufficient" and shown < MOST_LINES then
      shown = shown + 1
      lines[#lines + 1] = ("odd, and no proof: %s: %s"):format(host.address, table.concat(host.evidence, "; "))
    end
  end
end

local UNOBSERVED = {
  distance = "how far away the answers came from (it takes root, or a reference port)", names = "PTR names of the hosts",
  control = "an address without a mail server (smtp-deepid.control)",
}

local function add_unobserved(lines, object)
  local list = {}
  for _, name in ipairs(object.unobserved) do list[#list + 1] = UNOBSERVED[name] end
  if #list > 0 and object.verdict ~= "normal" then lines[#lines + 1] = "not looked at: " .. table.concat(list, "; ") end
end

local function product_words(object)
  local parts = {}
  for i, product in ipairs(object.products) do
    if i > MOST_PRODUCTS then
      parts[#parts + 1] = ("and %d more"):format(#object.products - MOST_PRODUCTS)
      break
    end
    parts[#parts + 1] = ("%d %s"):format(product.hosts, product.product)
  end
  return table.concat(parts, ", ")
end

local function seen_words(object)
  if object.hosts_seen == 0 then return "seen: no mail server that answered" end
  return ("seen: mail servers on %s in %s: %s"):format(plural(object.hosts_seen, "address", "addresses"),
    plural(object.networks, "network", "networks"), product_words(object))
end

--- The object for people.
-- @param object  what <code>verdict.judge</code> gave
-- @return array of lines, without control characters
function M.lines(object)
  local lines = {}
  local sure = object.confidence and (" (%d%% sure)"):format(math.floor(object.confidence * 100)) or ""
  lines[#lines + 1] = "who answered: " .. object.verdict:upper() .. sure
  local meaning = M.VERDICTS[object.verdict]
  lines[#lines + 1] = "  " .. (meaning[object.where] or meaning.unknown)
  if object.affected and object.affected < object.hosts_seen then
    lines[#lines + 1] = ("  That is so for %d of the %d addresses that answered; of the others nothing strange is known."):format(object.affected, object.hosts_seen)
  end
  lines[#lines + 1] = "  " .. M.BELIEVE[object.verdict]
  add_evidence(lines, object)
  add_fronts(lines, object)
  add_silence(lines, object)
  add_groups(lines, object)
  add_hosts(lines, object)
  add_unobserved(lines, object)
  for _, advice in ipairs(object.advice) do lines[#lines + 1] = "next: " .. advice end
  lines[#lines + 1] = seen_words(object)
  return lines
end

--- The same as one text that begins on a line of its own, as scripts print.
function M.text(object) return "\n  " .. table.concat(M.lines(object), "\n  ") end

return M
