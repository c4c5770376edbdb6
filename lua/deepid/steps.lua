--- The step catalogue: everything that a session may send, and what it costs.
--
-- `errors` is how many errors a server may count against us for the step (a session never asks for more than two on
-- one connection). `depth` is the shallowest depth that sends the step. `say` holds the bytes without their line end;
-- `{name}` stands for the name the scanner greets with.

local M = {}

M.catalogue = {
  { name = "greeting", say = nil, errors = 0, depth = "greeting", source = "RFC 5321 3.1" },
  { name = "ehlo", say = "EHLO {name}", errors = 0, depth = "adaptive", source = "RFC 5321 4.1.1.1" },
  { name = "helo", say = "HELO {name}", errors = 0, depth = "adaptive", source = "RFC 5321 4.1.1.1" },
  { name = "lhlo", say = "LHLO {name}", errors = 0, depth = "adaptive", source = "RFC 2033 4.1" },
  -- 'RFC 5321 4.5.1' does not ask for HELP, and Postfix before 3.9 calls it an unknown command.
  { name = "help", say = "HELP", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.1.8" },
  -- A verb in X can never become standard, so no server can know it: RFC 5321 4.1.5.
  { name = "unknown", say = "XDEEPID", errors = 1, depth = "adaptive", source = "RFC 5321 4.1.5" },
  -- Offered, and still refused with 454 where the key cannot be read.
  { name = "starttls", say = "STARTTLS", errors = 1, depth = "adaptive", source = "RFC 3207 4" },
  { name = "noop", say = "NOOP", errors = 0, depth = "full", source = "RFC 5321 4.1.1.9" },
  { name = "rset", say = "RSET", errors = 0, depth = "full", source = "RFC 5321 4.1.1.5" },
  -- The one mailbox that every server must have (RFC 5321 4.5.1), so nobody's name is guessed.
  { name = "vrfy", say = "VRFY postmaster", errors = 1, depth = "full", source = "RFC 5321 4.1.1.6" },
  -- Verbs of sendmail's history that several servers answer with a joke.
  { name = "wiz", say = "WIZ", errors = 1, depth = "full", source = "nodemailer smtp-server lib/smtp-connection.js" },
  { name = "shell", say = "SHELL", errors = 1, depth = "full", source = "nodemailer smtp-server lib/smtp-connection.js" },
  { name = "kill", say = "KILL", errors = 1, depth = "full", source = "nodemailer smtp-server lib/smtp-connection.js" },
  -- One line, not a whole request: its empty line would be a second error.
  { name = "http", say = "GET / HTTP/1.0", errors = 1, depth = "full", source = "Postfix smtpd_forbidden_commands" },
  { name = "quit", say = "QUIT", errors = 0, depth = "greeting", source = "RFC 5321 4.1.1.10" },
}

M.by_name = {}
for _, step in ipairs(M.catalogue) do M.by_name[step.name] = step end

--- The bytes that ask for one step.
-- @param name   a step's name
-- @param helo   the name that the scanner greets with
-- @return string, empty for the greeting, which is not asked for
function M.bytes(name, helo)
  local say = M.by_name[name].say
  if not say then return "" end
  return say:gsub("{name}", function() return helo end) .. "\r\n"
end

return M
