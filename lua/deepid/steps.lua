--- The step catalogue: everything that may be sent to a server, and what it costs.
--
-- <code>name</code>    of the step, letters alone
-- <code>say</code>     the bytes without their line end; {name} stands for the name the scanner greets with
-- <code>ending</code>  the line end where it is not CRLF
-- <code>after</code>   what must hold before: connect (greeted, nothing said yet), hello (EHLO, HELO or LHLO accepted), mail
--   (the null sender accepted), refusal (every hello refused; of others the recorder asks it before any), authntlm (AUTH NTLM answered 334), tls (a hello inside TLS)
-- <code>errors</code>  how many errors a server may count for it; nobody asks for more than two on one connection
-- <code>replies</code> how many replies it asks for, where that is not one
-- <code>alone</code>   what the server takes it for is not sure: nothing else is asked on its connection
-- <code>depth</code>   the shallowest depth that sends it: greeting, adaptive, full; record: the recorder of the lab alone
-- <code>source</code>  what says that the command exists, or what a server does with it
--
-- Nothing here can deliver or relay a message, start a queue run, or log in: no recipient is ever named after a sender,
-- and a 3xx reply ends the connection, but for NTLM's, which is asked for its names and given up.

local M = {}

-- A line as long as RFC 5321 4.5.3.1.4 allows holds 512 bytes, with its CRLF.
local LINE = 512
local function noop(bytes) return "NOOP " .. ("x"):rep(bytes - #"NOOP " - #"\r\n") end

-- What begins the exchange after `334` has answered AUTH NTLM: a NEGOTIATE_MESSAGE ([MS-NLMP] 2.2.1.1) without names, that
-- asks for Unicode, the target's name and its version (flags 0x02088205).
local NEGOTIATE = "TlRMTVNTUAABAAAABYIIAgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="

M.catalogue = {
  { name = "greeting", after = "connect", errors = 0, depth = "greeting", source = "RFC 5321 3.1" },
  { name = "ehlo", say = "EHLO {name}", after = "connect", errors = 0, depth = "adaptive", source = "RFC 5321 4.1.1.1" },
  { name = "helo", say = "HELO {name}", after = "connect", errors = 0, depth = "adaptive", source = "RFC 5321 4.1.1.1" },
  { name = "lhlo", say = "LHLO {name}", after = "connect", errors = 0, depth = "adaptive", source = "RFC 2033 4.1" },
  -- 'RFC 5321 4.5.1' does not ask for HELP, and Postfix before 3.9 calls it an unknown command.
  { name = "help", say = "HELP", after = "hello", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.1.8" },
  -- A verb in X can never become standard, so no server can know it: RFC 5321 4.1.5.
  { name = "unknown", say = "XDEEPID", after = "hello", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.5" },
  -- Offered, and still refused with 454 where the key cannot be read.
  { name = "starttls", say = "STARTTLS", after = "hello", errors = 1, depth = "adaptive", source = "RFC 3207 4" },
  { name = "noop", say = "NOOP", after = "hello", errors = 0, depth = "full", source = "RFC 5321 4.1.1.9" },
  { name = "rset", say = "RSET", after = "hello", errors = 0, depth = "full", source = "RFC 5321 4.1.1.5" },
  -- The one mailbox that every server must have (RFC 5321 4.5.1), so nobody's name is guessed.
  { name = "vrfy", say = "VRFY postmaster", after = "hello", errors = 1, depth = "full", source = "RFC 5321 4.1.1.6" },
  -- Verbs of sendmail's history that several servers answer with a joke.
  { name = "wiz", say = "WIZ", after = "hello", errors = 1, depth = "full", source = "nodemailer smtp-server lib/smtp-connection.js" },
  { name = "shell", say = "SHELL", after = "hello", errors = 1, depth = "full", source = "nodemailer smtp-server lib/smtp-connection.js" },
  { name = "kill", say = "KILL", after = "hello", errors = 1, depth = "full", source = "nodemailer smtp-server lib/smtp-connection.js" },
  -- One line, not a whole request: its empty line would be a second error.
  { name = "http", say = "GET / HTTP/1.0", after = "connect", errors = 1, depth = "full", source = "Postfix smtpd_forbidden_commands" },
  { name = "quit", say = "QUIT", after = "connect", errors = 0, depth = "greeting", source = "RFC 5321 4.1.1.10" },

  -- Before any hello, each on a connection of its own.
  { name = "bareehlo", say = "EHLO", after = "connect", errors = 1, depth = "record", source = "RFC 5321 4.1.1.1" },
  { name = "barehelo", say = "HELO", after = "connect", errors = 1, depth = "record", source = "RFC 5321 4.1.1.1" },
  { name = "ehloliteral", say = "EHLO [192.0.2.1]", after = "connect", errors = 1, depth = "record", source = "RFC 5321 4.1.3" },
  { name = "ehlorubbish", say = "EHLO !$%&", after = "connect", errors = 1, depth = "full", source = "RFC 5321 4.1.1.1" },
  { name = "helorubbish", say = "HELO !$%&", after = "connect", errors = 1, depth = "record", source = "RFC 5321 4.1.1.1" },
  { name = "ehlolower", say = "ehlo {name}", after = "connect", errors = 1, depth = "full", source = "RFC 5321 2.4" },
  { name = "earlynoop", say = "NOOP", after = "connect", errors = 1, depth = "record", source = "RFC 5321 4.1.4" },
  { name = "earlyhelp", say = "HELP", after = "refusal", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.4" },
  { name = "earlyunknown", say = "XDEEPID", after = "refusal", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.5" },
  { name = "earlymail", say = "MAIL FROM:<>", after = "connect", errors = 1, depth = "full", source = "RFC 5321 4.1.4" },
  { name = "earlyauth", say = "AUTH XDEEPID", after = "refusal", errors = 1, depth = "adaptive", source = "RFC 4954 4" },

  -- Commands that the hello has made possible: arguments that should not be there, or are not.
  { name = "ehloagain", say = "EHLO {name}", after = "hello", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.4" },
  { name = "nooparg", say = "NOOP deepid", after = "hello", errors = 1, depth = "record", source = "RFC 5321 4.1.1.9" },
  { name = "rsetarg", say = "RSET deepid", after = "hello", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.1.5" },
  { name = "helptopic", say = "HELP MAIL", after = "hello", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.1.8" },
  { name = "helpnone", say = "HELP XDEEPID", after = "hello", errors = 1, depth = "record", source = "RFC 5321 4.1.1.8" },
  { name = "vrfybare", say = "VRFY", after = "hello", errors = 1, depth = "full", source = "RFC 5321 4.1.1.6" },
  { name = "expn", say = "EXPN postmaster", after = "hello", errors = 1, depth = "full", source = "RFC 5321 4.1.1.7" },
  { name = "mailbare", say = "MAIL", after = "hello", errors = 1, depth = "record", source = "RFC 5321 4.1.1.2" },
  { name = "mailcolon", say = "MAIL FROM <>", after = "hello", errors = 1, depth = "record", source = "RFC 5321 4.1.1.2" },
  { name = "mailspace", say = "MAIL FROM: <>", after = "hello", errors = 1, depth = "record", source = "RFC 5321 3.3" },
  { name = "mailbracket", say = "MAIL FROM:postmaster", after = "hello", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.2" },
  { name = "mailunclosed", say = "MAIL FROM:<postmaster", after = "hello", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.2" },
  { name = "maildouble", say = "MAIL FROM:<<>>", after = "hello", errors = 1, depth = "record", source = "RFC 5321 4.1.2" },
  { name = "mailparam", say = "MAIL FROM:<> XDEEPID=1", after = "hello", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.1.11" },
  { name = "mailsize", say = "MAIL FROM:<> SIZE=99999999999", after = "hello", errors = 1, depth = "record", source = "RFC 1870 6.1" },
  { name = "mailsizebad", say = "MAIL FROM:<> SIZE=x", after = "hello", errors = 1, depth = "adaptive", source = "RFC 1870 6.1" },
  { name = "mailbody", say = "MAIL FROM:<> BODY=XDEEPID", after = "hello", errors = 1, depth = "adaptive", source = "RFC 6152 2" },
  { name = "mailret", say = "MAIL FROM:<> RET=XDEEPID", after = "hello", errors = 1, depth = "adaptive", source = "RFC 3461 4.3" },
  { name = "mailutf", say = "MAIL FROM:<> SMTPUTF8", after = "hello", errors = 1, depth = "record", source = "RFC 6531 3.4" },
  { name = "rcptearly", say = "RCPT TO:<postmaster>", after = "hello", errors = 1, depth = "adaptive", source = "RFC 5321 3.3" },
  { name = "dataearly", say = "DATA", after = "hello", errors = 1, depth = "adaptive", source = "RFC 5321 3.3" },
  { name = "bdat", say = "BDAT", after = "hello", errors = 1, depth = "adaptive", source = "RFC 3030 2" },
  { name = "bdatearly", say = "BDAT 0", after = "hello", errors = 1, depth = "record", source = "RFC 3030 2" },
  { name = "burl", say = "BURL", after = "hello", errors = 1, depth = "record", source = "RFC 4468 3" },
  { name = "etrn", say = "ETRN", after = "hello", errors = 1, depth = "adaptive", source = "RFC 1985 5" },
  { name = "turn", say = "TURN", after = "hello", errors = 1, depth = "record", source = "RFC 5321 F.1" },
  { name = "atrn", say = "ATRN", after = "hello", errors = 1, depth = "full", source = "RFC 2645 5.2" },
  { name = "saml", say = "SAML", after = "hello", errors = 1, depth = "record", source = "RFC 5321 F.6" },
  { name = "auth", say = "AUTH XDEEPID", after = "hello", errors = 1, depth = "adaptive", source = "RFC 4954 4" },
  { name = "authbare", say = "AUTH", after = "hello", errors = 1, depth = "record", source = "RFC 4954 4" },
  -- A server that knows it asks for the next move (334): at depth full a message without names, which it answers with its own, and
  -- then the exchange is given up.
  { name = "authntlm", say = "AUTH NTLM", after = "hello", errors = 1, depth = "full", source = "MS-SMTPNTLM 2.2.1.1" },
  { name = "starttlsarg", say = "STARTTLS deepid", after = "hello", errors = 1, depth = "record", source = "RFC 3207 4" },
  { name = "xclient", say = "XCLIENT", after = "hello", errors = 1, depth = "adaptive", source = "Postfix XCLIENT_README" },
  { name = "xforward", say = "XFORWARD", after = "hello", errors = 1, depth = "record", source = "Postfix XFORWARD_README" },
  { name = "debug", say = "DEBUG", after = "hello", errors = 1, depth = "full", source = "Sendmail srvrsmtp.c" },
  { name = "verb", say = "VERB", after = "hello", errors = 1, depth = "record", source = "Sendmail srvrsmtp.c" },
  { name = "onex", say = "ONEX", after = "hello", errors = 1, depth = "record", source = "Sendmail srvrsmtp.c" },
  { name = "nooplower", say = "noop", after = "hello", errors = 1, depth = "record", source = "RFC 5321 2.4" },
  { name = "leadspace", say = " NOOP", after = "hello", errors = 1, depth = "record", source = "RFC 5321 4.1.1" },
  { name = "eightbit", say = "NOOP \xE4", after = "hello", errors = 1, depth = "adaptive", source = "RFC 5321 2.4" },
  { name = "quitarg", say = "QUIT deepid", after = "hello", errors = 1, alone = true, depth = "full", source = "RFC 5321 4.1.1.10" },
  { name = "empty", say = "", after = "hello", errors = 1, alone = true, depth = "full", source = "RFC 5321 4.1.1" },
  { name = "barelf", say = "NOOP", ending = "\n", after = "hello", errors = 1, alone = true, depth = "full", source = "RFC 5321 2.3.8" },
  { name = "longline", say = noop(LINE + 1), after = "hello", errors = 2, alone = true, depth = "full", source = "RFC 5321 4.5.3.1.4" },
  { name = "overlong", say = noop(4 * LINE + 1), after = "hello", errors = 2, alone = true, depth = "full", source = "RFC 5321 4.5.3.1.4" },
  { name = "pair", say = "NOOP\r\nRSET", after = "hello", errors = 2, replies = 2, alone = true, depth = "full", source = "RFC 2920 3.1" },

  -- In a transaction that holds a null sender; it never gets a recipient.
  { name = "mail", say = "MAIL FROM:<>", after = "hello", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.1.2" },
  { name = "mailagain", say = "MAIL FROM:<>", after = "mail", errors = 1, depth = "record", source = "RFC 5321 4.1.4" },
  { name = "rcptbare", say = "RCPT", after = "mail", errors = 1, depth = "record", source = "RFC 5321 4.1.1.3" },
  { name = "rcptnull", say = "RCPT TO:<>", after = "mail", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.1.3" },
  { name = "rcptunclosed", say = "RCPT TO:<", after = "mail", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.2" },
  { name = "datanone", say = "DATA", after = "mail", errors = 1, depth = "record", source = "RFC 5321 3.3" },

  { name = "ntlm", say = NEGOTIATE, after = "authntlm", errors = 1, depth = "full", source = "MS-NLMP 2.2.1.1" },
  { name = "cancel", say = "*", after = "authntlm", errors = 1, depth = "full", source = "RFC 4954 4" },

  { name = "tlsagain", say = "STARTTLS", after = "tls", errors = 1, depth = "record", source = "RFC 3207 4.2" },
}

M.by_name = {}
for _, step in ipairs(M.catalogue) do M.by_name[step.name] = step end

--- The bytes that ask for one step.
-- @param name   a step's name
-- @param helo   the name that the scanner greets with
-- @return string, empty for the greeting, which is not asked for
function M.bytes(name, helo)
  local step = M.by_name[name]
  if not step.say then return "" end
  return step.say:gsub("{name}", function() return helo end) .. (step.ending or "\r\n")
end

return M
