--- Dates in greetings, and what they tell of the server's clock.

local t = require "tap"
local clock = require "deepid.clock"

-- What date(1) says of the same dates: seconds since 1970 by local time, offset in minutes.
local DATES = {
  { "220 mx ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000\r\n", 1795514400, 0 },
  { "220 mx ESMTP Exim 4.96 Tue, 24 Nov 2026 11:00:00 +0100\r\n", 1795518000, 60 },
  { "220 mx ESMTP Exim 4.69 #1 Thu, 29 Jul 2010 05:13:48 -0730\r\n", 1280380428, -450 },
  { "220 mx ESMTP Sendmail 8.18.1/8.18.1; Thu, 29 Feb 2024 23:59:60 GMT\r\n", 1709251200, 0 },
  { "220 mx ESMTP spamd IP-based SPAM blocker; Tue Nov 24 10:00:00 2026\r\n", 1795514400, nil },
  { "220 mx ESMTP spamd IP-based SPAM blocker; Sun Mar  1 00:00:00 2026\r\n", 1772323200, nil },
  { "220 mx.zohomail.com SMTP Server ready March 6, 2024 6:59:13 AM PST\r\n", 1709708353, -480 },
  { "220 mx.zohomail.com SMTP Server ready August 1, 2025 12:24:49 PM PDT\r\n", 1754051089, -420 },
  { "220 mx Sendmail; Mon, 1 Jan 2001 00:00:00 MET\r\n", 978307200, nil },
}

for _, case in ipairs(DATES) do
  t.test(case[1], function()
    local date = clock.read(case[1])
    t.eq({ date.seconds, date.offset }, { case[2], case[3] })
  end)
end

t.test("what is no date", function()
  for _, text in ipairs({ "", "220 mx ESMTP", "220 mx 24 Foo 2026 10:00:00 +0000", "220 mx Tue, 24 Nov 2026 25:00:00 +0000",
    "220 mx Tue, 44 Nov 2026 10:00:00 +0000", "220 mx ready at 10/19/18 00:00:25", "220 mx 24 Nov 1066 10:00:00 +0000" }) do
    t.eq(clock.read(text), nil, text)
  end
end)

-- A reply of 64 KiB of letters took a quarter of a minute, in which Nmap stands still.
t.test("long words take no time", function()
  local started = os.clock()
  t.eq(clock.read("220 " .. ("x"):rep(65536) .. "\r\n"), nil)
  t.ok(os.clock() - started < 1, os.clock() - started)
  t.eq(clock.read("220 mx March 6, 2024 6:59:13 AM PST\r\n"), { seconds = 1709708353, offset = -480 })
end)

t.test("skew is by the scanner's clock, and has a sign", function()
  local text = "220 mx; Tue, 24 Nov 2026 11:00:00 +0100\r\n"
  t.eq(clock.judge(text, 1795514400.2), { zone = "+0100", skew_s = 0 })
  t.eq(clock.judge(text, 1795514340), { zone = "+0100", skew_s = 60 })
  t.eq(clock.judge(text, 1795518000.9), { zone = "+0100", skew_s = -3601 })
  t.eq(clock.judge(text), { zone = "+0100" })
  t.eq(clock.judge("220 mx Tue Nov 24 10:00:00 2026\r\n", 1795514400), nil)
end)

t.done()
