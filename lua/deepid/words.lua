--- The post-scan result in words: who only reads this text knows what to believe and what to do next.

local evidence = require "deepid.evidence"
local fronts = require "deepid.fronts"
local next_steps = require "deepid.next_steps"
local report = require "deepid.report"
local silence = require "deepid.silence"

local M = {}

local MOST_LINES = 5 -- of evidence, groups and hosts, each
local MOST_PRODUCTS = 8
local MOST_EXAMPLES = 3

local function plural(count, one, many) return ("%d %s"):format(count, count == 1 and one or many) end

-- Who answers, where something answers in the targets' place, by where it sits.
M.WHO = {
  own_host = "A program on this machine (an antivirus' mail shield, or a local proxy)",
  near_you = "A box near you (your own firewall, your provider's, a hotel network's)",
  path = "A box on the way between you and the targets",
  near_target = "A box at the targets' end",
  unknown = "A box (where it stands is not known)",
}

local function control_of(object)
  for _, item in ipairs(object.evidence) do
    if item.kind == "control" then return item end
  end
end

-- What to make of those that a verdict does not name.
local function others_words(object)
  local count = object.hosts_seen - object.affected
  if count <= 0 then return "" end
  if control_of(object) then return (" Trust the other %d no more: a control answered, too."):format(count) end
  return (" Of the other %d nothing strange was found%s."):format(count, object.hosts_odd > object.affected and ", but for what is told below" or "")
end

local function count_words(object)
  local affected, seen = object.affected, object.hosts_seen
  if affected < seen then return ("%d of %d addresses"):format(affected, seen) end
  return affected == 1 and "the one address" or ("all %d addresses"):format(affected)
end

-- A control alone answered: the user's word stands against it.
local function control_words(object)
  local item = control_of(object)
  local who = ("%s (%s)"):format(item.hosts == 1 and "The control" or "Controls", table.concat(item.examples, ", "))
  return who .. " answered, though you say that no mail server is there. If that is right, something"
    .. (object.where == "near_you" and " near you" or "") .. " answers in its place, and may answer for the targets as well.",
    "Trust port 25 of none of the targets; if you are not sure of the control, name another."
end

-- Whether what is said is the box's own: many say one thing, or what only such boxes say. A relay passes on what the targets say.
local function is_own_voice(object)
  for _, item in ipairs(object.evidence) do
    if item.kind == "signature" or item.kind == "uniformity" or item.kind == "vantage" then return true end
  end
  return false
end

-- What each verdict means, and what to believe: two texts of an object.
local MEANING = {}

function MEANING.intercepted(object)
  if object.affected == 0 then return control_words(object) end
  local who, these = M.WHO[object.where], object.affected < object.hosts_seen and ("of these %d "):format(object.affected) or ""
  if object.where == "own_host" then
    return ("%s answers on port 25 in place of %s."):format(who, count_words(object)),
      ("What port 25 says %s(names, products, 'open') is that program's. Mail shields often take 110, 143, 465 and 587, too: trust none of them."):format(these)
        .. others_words(object)
  end
  if next_steps.changes_what_passes(object) then
    return ("%s stands in for port 25 of %s; what it lets through to the targets and back, it changes."):format(who, count_words(object)),
      ("What port 25 says %s(names, products, 'open') may be the box's. Other ports were not judged."):format(these) .. others_words(object)
  end
  local whose = is_own_voice(object) and "is the box's" or "comes from the box, made up or passed on: do not trust it"
  return ("%s answers on port 25 in place of %s."):format(who, count_words(object)),
    ("What port 25 says %s(names, products, 'open') %s. Other ports were not judged."):format(these, whose) .. others_words(object)
end

function MEANING.uniform(object)
  local who = object.affected and count_words(object):gsub("^%l", string.upper) or "Many addresses"
  local rest = object.affected and others_words(object) or ""
  if next_steps.is_one_network(object) then
    return who .. " answer alike, nearly all that answered in one network: a shared pool or gateway there is the obvious reading, a box near you or on the way"
      .. " the other.", "Do not count each of them as a server until that is clear." .. rest
  end
  return who .. " answer alike. Why is open: they are one owner's, and nothing shows it, or a box near you, on the way or at their end answers for them.",
    ("Do not trust port 25 of these%s (below) until that is clear."):format(object.affected and " " .. object.affected or "") .. rest
end

function MEANING.blocked()
  return "Port 25 is blocked near you (your own firewall, your provider's, a hotel network's): connections to it do not reach the targets.",
    "'filtered' on port 25 says nothing about the targets: they may well run mail servers."
end

function MEANING.normal()
  return "Nothing strange: the targets seem to have answered for themselves.",
    "What port 25 says can be taken as the targets' own, as far as banners can be believed."
end

function MEANING.insufficient(object)
  return "Too little to say whether the targets answered for themselves.",
    object.hosts_seen == 0 and "That nothing answered says nothing about the targets yet." or "Take what port 25 says as unconfirmed."
end

-- What the percentage is of.
local SURE_OF = { uniform = " that it is no coincidence", intercepted = "" }

local function sure_words(object)
  if not object.confidence then return "" end
  local of = object.affected == 0 and ", if the control is right" or SURE_OF[object.verdict] or ""
  return (" (%d%% sure%s)"):format(math.floor(object.confidence * 100), of)
end

local SHARE = {
  hostname = "%s announce one host name, %s", certificate = "%s show one certificate key, %s", notice = "%s refuse with one text: %s",
}

-- The first of many addresses.
local function examples_words(item)
  return ("(%s%s)"):format(table.concat(item.examples, ", "), item.hosts > #item.examples and ", ..." or "")
end

local function group_lines(group)
  local text = SHARE[group.kind]:format(plural(group.hosts, "address", "addresses"), group.key)
  text = text .. " " .. examples_words(group)
  if group.judged then text = ("%s; judged by %d of them"):format(text, group.judged) end
  if group.explanation then return { text, "  " .. group.words } end
  if group.surprising == "one_network" then return { text, "  nine in ten or more of those that answered in their network" } end
  local expected = group.expected < 0.1 and "fewer than 0.1" or ("%.1f"):format(group.expected)
  return { text, ("  in %s; by chance %s would, and so many do in fewer than 1 of 10,000 scans"):format(
    plural(group.unrelated, "unrelated network", "unrelated networks"), expected) }
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
      lines[#lines + 1] = ("%s: %s %s"):format(object.verdict == "intercepted" and "because" or "suspicious", item.says, examples_words(item))
    end
  end
  for _, one in ipairs(object.explained) do
    lines[#lines + 1] = ("harmless: %s %s: %s"):format(plural(one.hosts, "host", "hosts"), examples_words(one), one.says)
  end
end

-- Of what stands in front, that which lets sessions through; what answers in a server's place is told among the evidence and the products.
local SHOWN_ROLES = { rewriter = true, proxy = true, filter = true, screen = true }

local function add_fronts(lines, object)
  local shown = 0
  for _, front in ipairs(object.fronts) do
    if SHOWN_ROLES[front.role] and shown < MOST_LINES then
      shown = shown + 1
      lines[#lines + 1] = ("in front: %s, %s: %s %s"):format(front.name, report.ROLE_WORDS[front.role], plural(front.hosts, "host", "hosts"),
        examples_words(front))
      if front.name == fronts.STRIPPER then
        lines[#lines + 1] = ("  mail and passwords sent %s over port 25 may be readable on the way"):format(
          object.where == "near_you" and "from this network" or "to these hosts")
      end
    end
  end
end

-- Port 25 where it is silent: whose doing it is.
local function add_silence(lines, object)
  local quiet = object.port_25
  if quiet.mail_elsewhere == 0 then return end
  local mark = object.verdict == "blocked" and "because" or "silent"
  lines[#lines + 1] = ("%s: port 25 is filtered on %d of %s, in %s"):format(mark, quiet.mail_elsewhere,
    plural(quiet.mail_elsewhere + quiet.accepting, "mail host", "mail hosts"), plural(quiet.unrelated, "unrelated network", "unrelated networks"))
  if quiet.stops_at then
    lines[#lines + 1] = ("%s: packets to port 25 end %s away%s; those to other ports go on"):format(mark, plural(quiet.stops_at, "hop", "hops"),
      quiet.stops_by and (", at or behind " .. quiet.stops_by) or "")
  elseif quiet.refused > 0 then
    lines[#lines + 1] = ("%s: %s actively refused, by %s"):format(mark, plural(quiet.refused, "was", "were"),
      quiet.refused_by or "a router or firewall whose address Nmap does not keep")
  end
  if object.verdict == "blocked" then return end
  if quiet.accepting > 0 then
    lines[#lines + 1] = "  others answered, so most likely it is these hosts' own firewalls"
  else
    lines[#lines + 1] = ("  their own firewalls or something near you: it takes %d silent mail hosts in unrelated networks to tell"):format(silence.WITNESSES)
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
  distance = "how far away the answers came from (it takes root, or a reference port)", names = "PTR names (there are none, or the scan was with -n)",
  control = "an address without a mail server (smtp-deepid.control)",
}

local function add_unobserved(lines, object)
  local list = {}
  for i, name in ipairs(next_steps.gaps(object)) do list[i] = UNOBSERVED[name] end
  if #list > 0 then lines[#lines + 1] = "not looked at: " .. table.concat(list, "; ") end
end

-- What the rules call what is no product.
local function label_of(name) return name == "unknown" and "of a product not recognised" or evidence.LIKE[name] and "worded " .. evidence.LIKE[name] or name end

local function product_words(object)
  local parts = {}
  for i, product in ipairs(object.products) do
    if i > MOST_PRODUCTS then
      parts[#parts + 1] = ("and %d more"):format(#object.products - MOST_PRODUCTS)
      break
    end
    parts[#parts + 1] = ("%d %s"):format(product.hosts, label_of(product.product))
  end
  return table.concat(parts, ", ")
end

-- Whose the answers are, where they are not the targets'.
local function share_words(object)
  if object.verdict ~= "intercepted" or object.affected == 0 then return "" end
  local by = object.where == "own_host" and "from this machine" or next_steps.changes_what_passes(object) and "through the box" or "from the box"
  return (", %s %s"):format(object.affected < object.hosts_seen and object.affected .. " of them" or "all", by)
end

local function seen_words(object)
  if object.hosts_seen == 0 then return "answers in SMTP: none" end
  return ("answers in SMTP: %s in %s%s: %s"):format(plural(object.hosts_seen, "address", "addresses"), plural(object.networks, "network", "networks"),
    share_words(object), product_words(object))
end

-- Where the rest of the addresses is.
local function add_whole_list(lines, object)
  if #object.hosts <= MOST_EXAMPLES then return end
  local which = object.hosts_odd > #object.hosts and ("the first %d of %d"):format(#object.hosts, object.hosts_odd) or "all " .. object.hosts_odd
  lines[#lines + 1] = ("addresses: %s are under 'hosts' in Nmap's XML (-oX) and in deepid survey --json SAVED.jsonl"):format(which)
end

--- The object for people.
-- @param object  what <code>verdict.judge</code> gave
-- @return array of lines, without control characters
function M.lines(object)
  local lines = {}
  lines[#lines + 1] = "who answered: " .. object.verdict:upper() .. sure_words(object)
  local meaning, believe = MEANING[object.verdict](object)
  lines[#lines + 1] = "  " .. meaning
  lines[#lines + 1] = "  " .. believe
  add_evidence(lines, object)
  add_fronts(lines, object)
  add_silence(lines, object)
  add_groups(lines, object)
  add_hosts(lines, object)
  add_unobserved(lines, object)
  for _, advice in ipairs(object.advice) do lines[#lines + 1] = "next: " .. advice end
  add_whole_list(lines, object)
  lines[#lines + 1] = seen_words(object)
  return lines
end

--- The same as one text that begins on a line of its own, as scripts print.
function M.text(object) return "\n  " .. table.concat(M.lines(object), "\n  ") end

return M
