--- Derived steps: the order of EHLO keywords.

local t = require "tap"
local derived = require "deepid.derived"

local function ehlo(keywords, tls) return { step = "ehlo", tls = tls or "none", reply = "250-mx\r\n250-" .. keywords:gsub(" ", "\r\n250-") .. "\r\n250 HELP\r\n" } end

local function order(...)
  local step = derived.steps({ steps = { ... } })[1]
  return step and step.step .. "=" .. step.reply:sub(1, -3)
end

t.test("the same order, whatever TLS takes away or adds", function()
  t.eq(order(ehlo "A B C D STARTTLS E", ehlo("A B AUTH C D E", "starttls")), "ehloorder=same")
end)
t.test("another order", function()
  t.eq(order(ehlo "A B C D E", ehlo "A C B D E"), "ehloorder=shuffled")
  t.eq(order(ehlo "A B C D E", ehlo "A B C D E", ehlo "E B C D A"), "ehloorder=shuffled")
end)
t.test("too little to say", function()
  t.eq(order(ehlo "A B C D E"), nil)
  t.eq(order(ehlo "A B C", ehlo "C B A"), nil)
  t.eq(order(ehlo "A B C D E", { step = "ehlo", reply = "550 no\r\n" }), nil)
  t.eq(order({ step = "greeting", reply = "220 mx\r\n" }), nil)
end)
t.test("a keyword said twice counts once", function()
  t.eq(order(ehlo "AUTH AUTH=LOGIN B C D E", ehlo "AUTH B C D E"), "ehloorder=same")
end)

local function pace(greeting, first_ms, ms)
  local step = derived.steps({ steps = { { step = "greeting", reply = greeting, first_ms = first_ms, ms = ms }, { step = "ehlo", reply = "250 mx\r\n", first_ms = 0, ms = 9000 } } })[1]
  return step and step.step .. "=" .. step.reply:sub(1, -3)
end

local TEASER = "220-mx.example.org ESMTP\r\n220 mx.example.org ESMTP\r\n"
local LINE = "220 mx.example.org ESMTP\r\n"

t.test("a greeting whose end was held back", function()
  t.eq(pace(TEASER, 6, 6006), "greetingpace=teaser")
  t.eq(pace(LINE, 1000, 26000), "greetingpace=stutter")
  t.eq(pace(LINE:sub(1, 12), 1000, 11000), "greetingpace=stutter")
  t.eq(pace(TEASER, 1000, 53000), "greetingpace=stutter")
end)
t.test("a slow network, a lost packet and a wait before the greeting are nothing", function()
  t.eq(pace(TEASER, 900, 900), nil)
  t.eq(pace(TEASER, 900, 4000), nil)
  t.eq(pace(LINE, 20000, 20000), nil)
  t.eq(pace(TEASER, nil, nil), nil)
  t.eq(pace(TEASER, nil, 6000), nil)
end)
t.done()
