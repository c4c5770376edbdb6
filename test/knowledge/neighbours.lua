--- Replies that look alike: what must be said of each, and what must not.
--
-- A row: the greeting; then product (false: no product may be named), service (where it is not SMTP), info, front as ROLE=NAME (false: none), list,
-- reason, inner.

local t = require "tap"
local deepid = require "deepid"

local engine = assert(deepid.open())

local ROWS = {
  -- Anyone's words name nobody.
  { "220 mx.example.org ESMTP\\r\\n", product = false, front = false },
  { "220 mx.example.org ESMTP Service ready\\r\\n", product = false, front = false },
  { "220 mx.example.org ESMTP Service Ready\\r\\n", product = false, front = false },
  { "220 mx.google.example ESMTP x11si1234567wmk.12 - gsmtp\\r\\n", product = false, front = false },
  { "220 mx.example.org (220 of them) ESMTP\\r\\n", product = false, front = false },
  { "220 ftp.example.org ESMTP ready for FTP users\\r\\n", product = false, front = false },
  { "220 mail.example.org ESMTP Service ready at Tue, 24 Nov 2026 10:00:00 +0000\\r\\n", product = false, front = false },
  { "220 mx.example.org SMTP ready\\r\\n", product = false, front = false },
  { "220 mx.example.org ESMTP server ready.\\r\\n", product = false, front = false },
  { "220 mx.example.org ESMTP Exchange\\r\\n", product = false, front = false },
  { "220 smtp-relay.example.org ESMTP (NO UCE)\\r\\n", product = false, front = false },
  -- Other protocols are named as what they are.
  { "220 ftp.example.org FTP server ready\\r\\n", product = "FTP server", service = "ftp", front = false },
  { "HTTP/1.1 400 Bad Request\\r\\n", product = "HTTP server", service = "http", info = "status 400", front = false },
  { "SSH-2.0-OpenSSH_9.2p1\\r\\n", product = "SSH server", service = "ssh", info = "OpenSSH_9.2p1", front = false },
  -- A provider's name alone does not make its service, nor its software.
  { "220 mx.google.com.example.org ESMTP x11si1234567wmk.12 - gsmtp\\r\\n", product = false, front = false },
  { "220 mx.yahoo.com ESMTP ready\\r\\n", product = "Yahoo Mail", front = false },
  { "220 mx.notmail.ru ESMTP ready\\r\\n", product = false, front = "proxy=nginx mail proxy" },
  { "220 mx.example.org Microsoft ESMTP MAIL Service ready at Tue, 24 Nov 2026 10:00:00 +0000\\r\\n", product = "Microsoft Exchange smtpd", front = false },
  { "220 mailin006.protonmail.ch ESMTP Postfix\\r\\n", product = "Postfix smtpd", info = "Proton Mail", front = false },
  { "220 mx.example.org ESMTP Postcow\\r\\n", product = "Postfix smtpd", info = "mailcow", front = false },
  -- A host's name, or the lack of one, makes no decoy and no product.
  { "220 localhost ESMTP Postfix\\r\\n", product = "Postfix smtpd", front = false },
  { "220 exim.postfix.example ESMTP Sendmail 8.18.1/8.18.1; Tue, 24 Nov 2026 10:00:00 GMT\\r\\n", product = "Sendmail", front = false },
  { "220 qmail.example.org ESMTP\\r\\n", product = false, front = false },
  -- Refusals: whose they are is said only where the text says it.
  { "421 too many connections\\r\\n", product = false, front = "blocker=overload or a limit of connections" },
  { "554 mx.example.org\\r\\n", product = false, front = "blocker=refusal on connect" },
  { "554 SMTP synchronization error\\r\\n", product = "Exim smtpd", front = false },
  { "421 4.3.2 All server ports are busy\\r\\n", product = false, front = "screen=Postfix postscreen" },
  { "451 4.7.1 Greylisted\\r\\n", product = false, front = "screen=greylisting" },
  { "550 blocked using zen.spamhaus.org\\r\\n", product = false, front = "blocker=refusal by a blocklist", list = "zen.spamhaus.org",
    reason = "blocked using zen.spamhaus.org" },
  { "550 You are listed in bl.spamcop.net.\\r\\n", product = false, front = "blocker=refusal by a blocklist", list = "bl.spamcop.net" },
  { "421-mx.example.org\\r\\n421 192.0.2.9 is on a blacklist, see https://lists.example.net/why?192.0.2.9\\r\\n", product = false,
    front = "blocker=refusal by a blocklist", list = "lists.example.net",
    reason = "mx.example.org\\r\\n421 192.0.2.9 is on a blacklist, see https://lists.example.net/why?192.0.2.9" },
  { "550 5.7.1 Service unavailable; client [192.0.2.9] blocked using bl.example.net\\r\\n", product = false,
    front = "screen=Postfix postscreen", list = "bl.example.net" },
  { "554 5.7.1 Dynamic addresses may not connect; use your provider's mail server\\r\\n", product = false,
    front = "blocker=refusal of dynamic addresses" },
  { "554 Use your provider's mail server\\r\\n", product = false,
    front = "interceptor=provider notice by its class of phrase, perhaps not the target's server" },
  { "452 syntax error (connecting)\\r\\n", product = false, front = "interceptor=provider notice, not the target's server" },
  -- Masks, and words that only look like one.
  { "220 ***************************************\\r\\n", product = false, front = "rewriter=Cisco PIX or ASA SMTP inspection" },
  { "220 *** mx.example.org *** ESMTP\\r\\n", product = false, front = false },
  -- One greeting within another, two levels deep.
  { "220 a.example PGP Universal service ready (proxied server greeted us with: b.example ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000)\\r\\n",
    product = false, front = "proxy=PGP Universal", inner = "Exim smtpd=b.example=4.96" },
  { "220 a.example PGP Universal service ready (proxied server greeted us with: b.example PGP Universal service ready (proxied server greeted us with: "
    .. "c.example ESMTP Postfix (3.7.11)))\\r\\n", product = false, front = "proxy=PGP Universal", innermost = "Postfix smtpd=c.example=3.7.11" },
  { "220 gate.example.org relay (220 mail.example.net ESMTP Postfix)\\r\\n", product = false,
    front = "proxy=SMTP proxy that quotes the greeting of its server", inner = "Postfix smtpd=mail.example.net=nil" },
  -- A name in the host's name is none, and one that a relative says is the relative's.
  { "220 masqmail.example.org ESMTP\\r\\n", product = false, front = false },
  { "220 mx.example.org MasqMail 0.3.5 ESMTP\\r\\n", product = "MasqMail", front = false },
  { "220 mx.example.org ESMTP gosmtpd\\r\\n", product = "go-smtpd", front = false },
  { "220 mx.example.org go-smtpd\\r\\n", product = "siebenmann smtpd", front = false },
  { "220 mx.example.org ESMTP ready.\\r\\n", product = false, front = false },
  { "220 ESMTP server\\r\\n", product = false, front = false },
  { "220 mx.example.org Simple Mail Transfer Service Ready\\r\\n", product = false, front = false },
  { "220 mx.example.org Python SMTP proxy version 0.3\\r\\n", product = "Python smtpd module", front = false },
  { "220 mx.example.org Python LMTP server version 6.2.0\\r\\n", product = "lmtpd", service = "lmtp", front = false },
  { "220 mx.example.org Salmon Mail router LMTPD, version 3.2.0\\r\\n", product = "Salmon", service = "lmtp", front = false },
  { "220 mx.example.org node.js smtpevent server 0.0.2\\r\\n", product = "smtpevent", front = false },
  { "220 mx.example.org node.js smtpevent server 1.0.0\\r\\n", product = "smtp-receiver", front = false },
  { "220 mx.example.org ESMTP node.js\\r\\n", product = "node-smtp", front = false },
  { "220 mx.example.org ESMTP nodejs\\r\\n", product = false, front = false },
  { "220 mx.example.org ESMTP Mailin Smtp Server\\r\\n", product = "Mailin", front = false },
  { "220 EventMachine SMTP Server\\r\\n", product = "EventMachine SmtpServer", info = "MailCatcher or another program on it", front = false },
  { "220 mx.example.org ESMTP Mon, 30 Nov 2026 12:00:00 -0\\r\\n", product = false, front = "decoy=SHIVA" },
  { "220 mx.example.org ESMTP Mon, 30 Nov 2026 12:00:00 -0000\\r\\n", product = false, front = false },
}

local function describe(server)
  return ("%s=%s=%s"):format(tostring(server.product), tostring(server.hostname), tostring(server.version))
end

local function check(row)
  local result = engine:identify(deepid.transcript.from_greeting(assert(deepid.escape.bytes(row[1]))))
  t.eq(result.identity.product or false, row.product, "product")
  t.eq(result.identity.service, row.service, "service")
  t.eq(result.identity.info, row.info, "info")
  local front = result.front[1]
  t.eq(front and front.role .. "=" .. front.name or false, row.front, "front")
  t.ok(#result.front <= 1, "more than one front")
  if row.list then t.eq(front.list, row.list, "list") end
  if row.reason then t.eq(front.reason, row.reason, "reason") end
  if row.front then t.ok(#result.advice > 0 or front.role == "screen", "a front without advice") end
  if row.inner then t.eq(describe(result.inner), row.inner, "inner") end
  if row.innermost then t.eq(describe(result.inner.inner), row.innermost, "inner of inner") end
end

for _, row in ipairs(ROWS) do
  t.test(row[1], function() check(row) end)
end
t.done()
