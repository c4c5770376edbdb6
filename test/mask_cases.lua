--- Cases of masking: name, text, and what becomes of it, with <date>, <id>, <n>, <client>, <host>, <addr> for the tokens.
--
-- `volatile` left out: the text stays as it is. `template` left out: as `volatile`. `names`: the client's own.

local ME = { "scanner.example", "192.0.2.9" }

-- Texts of which each date is masked whole.
local function dates(...)
  local cases = {}
  for _, date in ipairs { ... } do
    cases[#cases + 1] = { "date: " .. date, "220 mx ready " .. date, volatile = "220 mx ready <date>" }
    cases[#cases + 1] = { "date, in a text: " .. date, "(" .. date .. "); ok\r\n220 x", volatile = "(<date>); ok\r\n220 x" }
  end
  return cases
end

-- Texts that stay as they are at any strength.
local function kept(...)
  local cases = {}
  for _, text in ipairs { ... } do cases[#cases + 1] = { "kept: " .. text, text } end
  return cases
end

-- Texts of which all behind the first blank is one token.
local function masked(token, weak, ...)
  local cases = {}
  for _, text in ipairs { ... } do
    local want = text:gsub(" .*", " " .. token)
    cases[#cases + 1] = { token .. " " .. text, text, volatile = weak and text or want, template = want }
  end
  return cases
end

local lists = {
  {
    { "nothing", "" },
    { "Exim", "220 mx1.example.org ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000\r\n",
      volatile = "220 mx1.example.org ESMTP Exim 4.96 <date>\r\n", template = "220 <host> ESMTP Exim 4.96 <date>\r\n" },
    { "Exim, its compile number stays", "220 mx ESMTP Exim 4.69 #1 Thu, 29 Jul 2010 05:13:48 -0700\r\n",
      volatile = "220 mx ESMTP Exim 4.69 #1 <date>\r\n" },
    { "Sendmail, which names the client", "220 mx.example.org ESMTP Sendmail 8.17.1.9/8.17.1.9/Debian-2+deb12u2; Tue, 24 Nov 2026 10:00:00 GMT; "
        .. "(No UCE/UBE) logging access from: scanner.example(OK)-scanner.example [192.0.2.9]\r\n", names = ME,
      volatile = "220 mx.example.org ESMTP Sendmail 8.17.1.9/8.17.1.9/Debian-2+deb12u2; <date>; "
        .. "(No UCE/UBE) logging access from: <client>(OK)-<client> [<client>]\r\n",
      template = "220 <host> ESMTP Sendmail 8.17.1.9/8.17.1.9/Debian-2+deb12u2; <date>; "
        .. "(No UCE/UBE) logging access from: <client>(OK)-<client> [<client>]\r\n" },
    { "Exchange Online", "220 BL2NAM06FT013.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready at Tue, 24 Nov 2026 10:00:00 +0000 "
        .. "[08DE2B1A2C3D4E5F]",
      volatile = "220 BL2NAM06FT013.mail.protection.outlook.com Microsoft ESMTP MAIL Service ready at <date> [<id>]",
      template = "220 <host> Microsoft ESMTP MAIL Service ready at <date> [<id>]" },
    { "JAMES", "220 mail.example.org SMTP Server (JAMES SMTP Server 2.3.2) ready Tue, 24 Nov 2026 10:00:00 +0000 (GMT)\r\n",
      volatile = "220 mail.example.org SMTP Server (JAMES SMTP Server 2.3.2) ready <date>\r\n",
      template = "220 <host> SMTP Server (JAMES SMTP Server 2.3.2) ready <date>\r\n" },
    { "spamd", "220 mx.example.org ESMTP spamd IP-based SPAM blocker; Tue Nov 24 10:00:00 2026\r\n",
      volatile = "220 mx.example.org ESMTP spamd IP-based SPAM blocker; <date>\r\n",
      template = "220 <host> ESMTP spamd IP-based SPAM blocker; <date>\r\n" },
    { "a greeting within a greeting", "220 gate.example.org relay (220 in.example Microsoft ESMTP ready at Tue, 24 Nov 2026 10:00:00 +0000)",
      volatile = "220 gate.example.org relay (220 in.example Microsoft ESMTP ready at <date>)",
      template = "220 <host> relay (220 <host> Microsoft ESMTP ready at <date>)" },
  },
  dates("Tue, 24 Nov 2026 10:00:00 +0000", "Tue, 24 Nov 2026 10:00:00 +0000 (UTC)", "Tue,  3 Nov 2026 1:02:03 -0700 (PDT)",
    "Tue, 24 Nov 2026 10:00:00 GMT", "Tue, 24 Nov 2026 10:00:00 +0000 (Coordinated Universal Time)", "Tue, 24 Nov 2026 10:00 +01:00",
    "24 Nov 2026 10:00:00 +0000", "24 Nov 2026 10:00:00", "24 Nov 26 10:00:00 CET", "Tue, 24 November 2026 10:00:00", "Tuesday, 24-Nov-26 10:00:00 UTC",
    "Tue, 24 Nov 2026", "Tue 24 Nov 2026 10:00:00 (GMT)", "Tue Nov 24 10:00:00 2026", "Tue Nov  3 10:00:00 2026", "Tue Nov 24 10:00:00 CET 2026",
    "Nov 24 10:00:00 2026", "Nov 24 10:00:00", "Nov 24, 2026 10:00:00 AM", "Tuesday, November 24, 2026 10:00 pm", "Tuesday, November 24, 2026",
    "2026-11-24T10:00:00Z", "2026-11-24 10:00:00", "2026-11-24T10:00:00.123+01:00", "2026-11-24 10:00:00,5 +0100", "2026/11/24 10:00:00",
    "2026.11.24 10:00", "11/24/2026 10:00:00 PM", "24.11.2026 10:00:00", "24.11.26 10:00", "24-11-2026 10:00:00 MSK", "10:00:00", "7:59:60.25 EST",
    "tue, 24 nov 2026 10:00:00 +0000", "sat, 1 MAY 2027 00:00:00 z"),
  {
    { "a date ends before a word", "Tue, 24 Nov 2026 10:00:00 SMTP at 10:00:00 sharp", volatile = "<date> SMTP at <date> sharp" },
    { "two dates", "10:00:00 10:00:00", volatile = "<date> <date>" },
    { "no zone but a comment", "10:00:00 (ready)", volatile = "<date> (ready)" },
  },
  kept("24 Nov 2026", "2026-11-24", "10:00", "Postfix (3.9-20231112)", "Foo (20231112)", "at 25:00:00", "at 10:61:00", "at 10:00:00:00", "at x10:00:00",
    "at 10:00:00x", "Tue, 42 Nov 2026 x", "Tue, 24 Nox 2026 x", "Tuesdays, 24 Nov 2026", "1 Mars 2026 10:00", "24 Nov 1826 10:00", "24 Nov 126 10:00"),
  masked("<id>", false, "id= 1ab2Cd-0003ef-GH", "queued 1rABcD-00000001abc-1XyZ", "x 123e4567-e89b-12d3-a456-426614174000",
    "x D2F7AC6F-1234-4567-89AB-CDEF01234567", "as 4SyZHx3qQ1z1yBR", "as A1B2C3D4E5", "as ABCDE12345", "x 3AOA0B1c012345", "x d41d8cd98f00b204e9800998ecf8427e",
    "x l10si2344234wrt.123", "x d9443c01a7336-29b5b26ffsor123456.12", "- a640c23a62f3a-b7365dd2b2dsi123456266.281", "#547 2ATDiD004610000200"),
  {
    { "Postfix", "250 2.0.0 Ok: queued as 4SyZHx3qQ1z1yBR\r\n", volatile = "250 2.0.0 Ok: queued as <id>\r\n" },
    { "Haraka", "220 mx.example.org ESMTP Haraka/3.1.6 ready (A1B2C3)", volatile = "220 mx.example.org ESMTP Haraka/3.1.6 ready (<id>)",
      template = "220 <host> ESMTP Haraka/3.1.6 ready (<id>)" },
    { "short ids in brackets", "(a1b2c3) [A1B2C3] <123456> {a1b2c3} (a1B2c3) (abcdef) (12345)",
      volatile = "(<id>) [<id>] <<id>> {a1b2c3} (a1B2c3) (abcdef) (12345)" },
    { "packaging is no id", "Debian-2+deb12u2x3y4 deb10u1-2ubuntu1z2z3 22ubuntu3a1b2c3",
      volatile = "Debian-2+deb12u2x3y4 deb10u1-2ubuntu1z2z3 22ubuntu3a1b2c3" },
  },
  kept("Mail2019Server3", "RFC2821compliant", "X-LINK2STATE", "BL000010", "ip-172-31-22-11", "8BITMIME", "secure-server-us", "abcdef-ghijkl-mn", "deadbeefcafe",
    "McAfeeWebShield10", "zone-mta/3.10.18", "v0.96-102-gdf5b04d", "a1B2c3D4e"),
  {
    { "pids and counters", "smtpd[1234] nmap.exe[77] pid 12 pid=13 (qp 1234) session: 5 id #7 ID:8, 9",
      volatile = "smtpd[<n>] nmap.exe[<n>] pid <n> pid=<n> (qp <n>) session: <n> id #<n> ID:<n>, 9" },
    { "qmail", "250 ok 1700000000 qp 1234", volatile = "250 ok <n> qp <n>" },
    { "seconds", "1700000000 1700000000.123456 12345678", volatile = "<n> <n> 12345678" },
    { "a word tells the next number alone", "pid 12 13", volatile = "pid <n> 13" },
  },
  kept("250-SIZE 104857600\r\n250 SIZE=1073741824", "[1234]", "x [1234]", "pid, 12", "pid\r\n12", "concurrent (pass:20, 3)", "LIMITS RCPTMAX=1000"),
  {
    { "the client's names", "250-mx Hello SCANNER.example [192.0.2.9] scanner.example.org xscanner.example", names = ME,
      volatile = "250-mx Hello <client> [<client>] scanner.example.org xscanner.example",
      template = "250-mx Hello <client> [<client>] <host> <host>" },
    { "the longest name", "ab.cd ab", names = { "ab", "ab.cd", "ab.c" }, volatile = "<client> <client>" },
    { "a client that was not named", "250-mx.example Hello dyn-1.isp.example [203.0.113.5], pleased", volatile = "250-mx.example Hello <client> [<client>], pleased",
      template = "250-<host> Hello <client> [<client>], pleased" },
    { "IPv6", "250-mx Hello a.example [IPv6:2001:db8::1] and [2001:db8::2]", volatile = "250-mx Hello <client> [IPv6:<client>] and [<client>]" },
    { "the client's address unbracketed", "554 192.0.2.9 found on a list; 192.0.2.90", names = ME,
      volatile = "554 <client> found on a list; 192.0.2.90", template = "554 <client> found on a list; <addr>" },
    { "an IPv6 name", "by ::1 fe80::1", names = { "::1", "fe80::1" }, volatile = "by <client> <client>" },
    { "a name ends with a letter or a digit", "x 7: y", names = { "7:" } },
    { "a reply code is no name", "220 220 x\r\n220", names = { "220" }, volatile = "220 <client> x\r\n220" },
    { "the server's own address", "220 [192.0.2.25] ESMTP\r\n250-[IPv6:2001:db8::1] x\r\n220 192.0.2.25 ESMTP",
      template = "220 [<addr>] ESMTP\r\n250-[IPv6:<addr>] x\r\n220 <addr> ESMTP" },
    { "the server's own name before the client's address", "250 mx.example [192.0.2.1]", volatile = "250 mx.example [<client>]",
      template = "250 <host> [<client>]" },
  },
  masked("<host>", true, "at mx.example.org", "at mail-1.a_b.example", "at 163.com", "at localhost", "at localhost.localdomain", "at a.xn--p1ai",
    "at ec2-1-2-3-4.compute.amazonaws.com", "at M\195\188nchen.example"),
  {
    { "hosts end where they end", "mx.example.org. (mx.example.org) <a.example>, user@b.example; https://a.example/faq.html#b //d.example",
      template = "<host>. (<host>) <<host>>, user@<host>; https://<host>/faq.html#b //<host>" },
    { "port and network", "server 192.0.2.25 (192.0.2.25:25), 192.0.2.0/24", template = "server <addr> (<addr>:25), <addr>/24" },
    { "an address in a URL", "http://192.0.2.1/x HTTP/1.1", template = "http://<addr>/x HTTP/1.1" },
    { "IPv6 in a text", "from 2001:db8::25: no; ::ffff:192.0.2.1, 1:2:3:4:5:6:7:8 fe80::", template = "from <addr>: no; <addr>, <addr> <addr>" },
  },
  masked("<addr>", true, "blocked: 192.0.2.1", "IP: 192.0.2.1", "Host 192.0.2.1", "exim, 10.0.1.2", "Server 192.0.2.1", "Sendmail; 10.0.1.2"),
  kept("Exim 10.0.1.2", "220 mx ESMTP Foo 10.0.1.2", "Foo/10.0.1.2", "Foo (10.0.1.2)", "Version: 6.0.1.2", "version 6.0.1.2", "Version 1.8 (1.8.9.6)",
    "Sendmail 8.17.1.9/8.17.1.9/x", "foo-10.0.1.2", "v10.0.1.2", "6.0.3790.4675", "010.0.1.2", "10.0.1", "10.0.1.2.3", "10.0.1.256", "8.17.1", "4.96-15+deb12u10",
    "502 5.5.2 Error: command not recognized", "2.3.rc", "nmap.exe", "rfc5321", "std::string", "a::g", "12345::1", "1:2:3", "1:2:3:4:5:6:7:8:9", "::"),
  {
    { "an address in brackets is one, whatever stands before", "Exim [10.0.1.2]", volatile = "Exim [<client>]" },
  },
  kept("HELP EHLO ESMTP SMTP", "250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES", "\0\255\127\0", "220****2**0*02"),
}

local cases = {}
for _, list in ipairs(lists) do
  for _, case in ipairs(list) do cases[#cases + 1] = case end
end
return cases
