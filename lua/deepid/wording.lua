--- Words that name no product: every mail server may say them.

local M = {}

local GENERIC = {}
for word in ([[
  smtp esmtp lmtp utf8smtp esmtpa esmtps mail mailer email mta server service system host gateway relay daemon agent
  ready ok at for the and is of to in on by from with you your this that are be not no here up running it its
  welcome hello hi greetings greets pleased meet glad see bye closing connection transmission channel goodbye
  error command commands syntax unrecognized unrecognised unknown unsupported implemented invalid bad sequence argument arguments parameters
  required requested action taken completed please try again later temporarily unavailable too many connections
  help info information end topics supported available recognized see more use type
  helo ehlo lhlo rcpt data rset noop quit vrfy expn mail auth starttls turn etrn send soml saml onex verb
  size pipelining chunking dsn enhancedstatuscodes smtputf8 binarymime bit mime bitmime login plain
  mon tue wed thu fri sat sun jan feb mar apr may jun jul aug sep oct nov dec gmt utc cet cest est edt pst pdt
  version release build
]]):gmatch("%S+") do GENERIC[word] = true end

--- Whether a word could stand in anyone's reply.
function M.generic(word)
  local lower = word:lower()
  return #lower < 3 or GENERIC[lower] or false
end

--- The words of a text that are not generic, small letters, as a set.
function M.telling(text)
  local found = {}
  for word in text:gmatch("%a[%a%d]+") do
    if not M.generic(word) then found[word:lower()] = true end
  end
  return found
end

return M
