--- What to do next about a verdict: whole commands where there is one, the most useful first.

local json = require "deepid.json"
local silence = require "deepid.silence"

local M = {}

--- The texts, by name. TARGETS and ADDRESS are the user's.
M.TEXTS = {
  another_machine = "Scan from another machine without a mail shield (this one gives the same answers in any network), or switch its shield off for the scan alone,"
    .. " and on again: nmap -p 25,465,587 --script smtp-deepid TARGETS",
  elsewhere = "From another network: nmap -p 25 --script smtp-deepid --script-args smtp-deepid.save=THERE.jsonl TARGETS; then: deepid compare HERE.jsonl THERE.jsonl"
    .. " (if this scan was not saved, repeat it with save=HERE.jsonl). If answers differ, a box is near you or there; the same answers clear nobody.",
  other_ports = "Look at other mail ports: nmap -p 465,587 --script smtp-deepid TARGETS (what takes over or blocks port 25 mostly leaves them alone)",
  ask_provider = "Find out whose doing it is: look at your own firewall first, then ask your provider; many open port 25 on request.",
  ask_router = "Find out whose the router is where packets end, your own or your provider's, and ask who runs it; many providers open port 25 on request.",
  ask_network = "Ask the targets' operators: it may be their own firewall or mail gateway, and then nothing is wrong.",
  inside = "Scan from inside the targets' network if you can. Elsewhere the same box answers everybody: the same answers from another network do not clear it.",
  trace = "sudo nmap -p 25 --script smtp-deepid --script-args smtp-deepid.trace TARGETS (how many hops away port 25 is answered or stopped, and by or behind which"
    .. " router)",
  control = "nmap -p 25 --script smtp-deepid --script-args smtp-deepid.control=ADDRESS TARGETS (an address where certainly no mail server is: if it answers too,"
    .. " something else is answering)",
  other_control = "Name another control, of which you are sure: nmap -p 25 --script smtp-deepid --script-args smtp-deepid.control=ADDRESS TARGETS",
  names = "Scan without -n: PTR names tell one owner's machines from unrelated ones.",
  known = "nmap -p 25 --script smtp-deepid --script-args 'smtp-deepid.known={ADDRESS,ADDRESS}' TARGETS (hosts that you know to accept mail: their silence counts)",
  more_targets = "Scan mail hosts in other networks too: one host or one network has nothing to compare with.",
  more_witnesses = ("Scan more mail hosts, %d or more, each in a network of its own: nmap -p 25,110,143,465,587,993,995 --script smtp-deepid TARGETS"):format(
    silence.WITNESSES),
  mail_ports = "nmap -p 25,110,143,465,587,993,995 --script smtp-deepid TARGETS (hosts that offer mail elsewhere tell a blocked port 25 from no mail server)",
}

-- What fills each gap in what was looked at.
local FILLS = { distance = "trace", names = "names", control = "control" }

--- What was not looked at and would tell more about this verdict: names as in <code>unobserved</code>.
function M.gaps(object)
  local list = {}
  for _, name in ipairs(object.unobserved) do
    -- Who is caught needs no more witnesses; how far away it is says whose it is, but for a program on this machine.
    local tells = object.verdict ~= "normal" and (object.verdict ~= "intercepted" or name == "distance" and object.where ~= "own_host")
    if tells then list[#list + 1] = name end
  end
  return list
end

--- Whether all that is uniform is so within one network.
function M.is_one_network(object)
  for _, group in ipairs(object.groups) do
    if group.surprising == "unrelated" then return false end
  end
  return true
end

local CHOOSE = {}

--- Whether the targets do answer, through something that changes what passes.
function M.changes_what_passes(object) return (object.changed or 0) * 2 >= object.affected end

function CHOOSE.intercepted(object)
  if object.affected == 0 then return { "trace", "other_control", "elsewhere" } end
  if object.where == "own_host" then return { "another_machine" } end
  if object.where == "near_target" then return { "ask_network", "inside", "other_ports" } end
  if object.where == "unknown" then return { "trace", "elsewhere", "other_ports" } end
  if object.where == "path" then return { "elsewhere", "other_ports" } end
  if M.changes_what_passes(object) then return { "ask_provider", "elsewhere", "other_ports" } end
  return { "elsewhere", "other_ports", "ask_provider" }
end

function CHOOSE.uniform(object)
  if M.is_one_network(object) then return { "more_targets", "trace", "control", "names" } end
  return { "trace", "control", "names", "elsewhere", "other_ports" }
end

function CHOOSE.blocked(object)
  local is_placed = object.port_25.stops_at or object.port_25.refused_by
  if is_placed then return { "other_ports", "ask_router", "elsewhere" } end
  return { "other_ports", "trace", "known", "ask_provider", "elsewhere" }
end

function CHOOSE.insufficient(object)
  if object.port_25.mail_elsewhere > 0 then return { "trace", "known", "more_witnesses" } end
  if object.hosts_seen == 0 then return { "mail_ports" } end
  if object.hosts_seen == 1 then return { "trace", "control", "more_targets" } end
  return { "names", "trace", "control" }
end

function CHOOSE.normal() return {} end

local function is_unobserved(object, what)
  for _, name in ipairs(object.unobserved) do
    if name == what then return true end
  end
  return false
end

--- What to do next, as an array of texts; not what this scan did.
--
-- @param is_traced  whether paths were traced
function M.of(object, is_traced)
  local done = { trace = is_traced, names = not is_unobserved(object, "names"), control = not is_unobserved(object, "control") }
  local names, list = CHOOSE[object.verdict](object), json.array()
  for _, gap in ipairs(M.gaps(object)) do names[#names + 1] = FILLS[gap] end
  for _, name in ipairs(names) do
    if not done[name] then list[#list + 1] = M.TEXTS[name] end
    done[name] = true
  end
  if #list == 0 and object.verdict == "insufficient" then list[1] = M.TEXTS.more_targets end
  return list
end

return M
