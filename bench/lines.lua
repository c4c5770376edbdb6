--- Prints lines `address TAB greeting` as a survey of many hosts has them, the same for the same number and seed: three in four from a host that greets
-- with its own name, some with texts that thousands share. The greetings are made up in the
-- forms that servers are known for; how frequent each is here was measured nowhere.
--
-- usage: lua5.4 bench/lines.lua COUNT [SEED]

local count, seed = tonumber(arg[1]), tonumber(arg[2] or 20261130)
math.randomseed(seed)
local random = math.random

local DAYS = { "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun" }
local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
local TOPS = { "com", "com", "com", "net", "org", "de", "co.uk", "fr", "com.br", "ru", "jp", "it" }
local HOSTS = { "mail", "mx", "smtp", "mx1", "server", "host", "vps", "web", "srv", "zimbra", "ns1", "exchange" }
local SYLLABLES = { "ba", "cor", "da", "fen", "gi", "ha", "ker", "lo", "mi", "net", "or", "pa", "ru", "sol", "ta", "ver", "web", "zen" }
local ALNUM = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

local function pick(list) return list[random(#list)] end

local function domain()
  local parts = {}
  for i = 1, random(2, 4) do parts[i] = pick(SYLLABLES) end
  return table.concat(parts) .. (random(4) == 1 and "-" .. pick(SYLLABLES) or "") .. "." .. pick(TOPS)
end

-- A tenth of the hosts carry one of a few thousand names that a provider gave to many; a few have never been named.
local shared = {}
for i = 1, 2000 do shared[i] = pick(HOSTS) .. "." .. domain() end

local function host()
  local kind = random(100)
  if kind <= 10 then return shared[random(#shared)] end
  if kind <= 14 then return pick({ "localhost", "localhost.localdomain", "mail.example.com", "debian", "ubuntu-server" }) end
  if kind <= 26 then return ("%s%d.%s"):format(pick({ "vps", "host", "server", "ip-10-0-1-", "static-84-2-3-" }), random(99999), shared[random(50)]:match("%.(.*)")) end
  return pick(HOSTS) .. (random(5) == 1 and tostring(random(20)) or "") .. "." .. domain()
end

local function date()
  return ("%s, %d %s 2026 %02d:%02d:%02d %s"):format(pick(DAYS), random(28), pick(MONTHS), random(0, 23), random(0, 59), random(0, 59), pick({ "+0000", "+0100", "+0200", "-0500", "+0300" }))
end

local function id(length)
  local bytes = {}
  for i = 1, length do
    local at = random(#ALNUM)
    bytes[i] = ALNUM:sub(at, at)
  end
  return table.concat(bytes)
end

local function address() return ("%d.%d.%d.%d"):format(random(1, 223), random(0, 255), random(0, 255), random(254)) end

-- Of a hundred hosts, how many say what.
local SAY = {
  { 22, function() return ("220 %s ESMTP Postfix"):format(host()) end },
  { 8, function() return ("220 %s ESMTP Postfix (%s)"):format(host(), pick({ "Debian/GNU", "Ubuntu" })) end },
  { 4, function() return ("220 %s ESMTP"):format(host()) end },
  { 14, function() return ("220 %s ESMTP Exim 4.%d%s %s"):format(host(), random(80, 98), pick({ "", ".1", ".2" }), date()) end },
  { 12, function()
    return ("220-%s ESMTP Exim 4.9%d #2 %s \\r\\n220-We do not authorize the use of this system to transport unsolicited, \\r\\n220 and/or bulk e-mail."):format(host(), random(6, 8), date())
  end },
  { 7, function() return ("220 %s Microsoft ESMTP MAIL Service ready at %s"):format(host(), date()) end },
  { 3, function()
    return ("220 %s.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready at %s [%s %s %s]"):format(id(14), date(), id(18), date(), id(16))
  end },
  { 3, function() return ("220 mx.google.com ESMTP %s-%s.%d - gsmtp"):format(id(12):lower(), id(18):lower(), random(999)) end },
  { 4, function() return ("220 %s ESMTP Sendmail 8.%d.%d/8.%d.%d; %s"):format(host(), random(13, 17), random(4), random(13, 17), random(4), date()) end },
  { 3, function() return ("220 %s %s"):format(host(), pick({ "hMailServer", "ESMTP MailEnable Service, Version: 10.30-- ready at " .. date(), "Kerio Connect 9.2.1 ESMTP ready" })) end },
  { 3, function() return ("220 %s ESMTP Haraka/2.8.%d ready"):format(host(), random(28)) end },
  { 2, function() return ("220 %s ESMTP %s"):format(host(), id(10) .. "-" .. id(6)) end },
  { 2, function() return ("220 %s (IMail 9.23 %d-1) NT-ESMTP Server X1"):format(host(), random(99999)) end },
  { 2, function() return ("220 [%s] ESMTP ready"):format(address()) end },
  { 4, function()
    return pick({ "554 5.7.1 Service unavailable; Client host [203.0.113.9] blocked using zen.spamhaus.org", "421 Too many concurrent SMTP connections from 203.0.113.9; please try again later",
      ("554 %s ESMTP not accepting messages"):format(host()), ("550 %s: connections from this network are refused, see https://%s/help?id=%s"):format(host(), shared[random(40)], id(12)) })
  end },
  { 3, function() return ("220 %s"):format((("*"):rep(random(20, 90)))) end },
  { 2, function() return pick({ "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u2", "220 ProFTPD Server (ProFTPD Default Installation) [::ffff:10.0.0.5]", "HTTP/1.1 400 Bad Request", "\\x16\\x03\\x01\\x00" }) end },
  { 2, function() return ("220 %s ESMTP ready %s pid %d session %08x"):format(host(), date(), random(99999), random(0xffffffff)) end },
}

local wheel = {}
for _, kind in ipairs(SAY) do
  for _ = 1, kind[1] do wheel[#wheel + 1] = kind[2] end
end

local last
for _ = 1, count do
  local from = random(50) == 1 and ("2001:db8:%x:%x::%x"):format(random(0xffff), random(0xffff), random(0xff)) or address()
  if last and random(200) == 1 then from = last end
  io.write(from, "\t", pick(wheel)(), "\n")
  last = from
end
