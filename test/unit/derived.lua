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
t.done()
