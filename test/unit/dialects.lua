-- The table of dialects, the likelihood, windows of versions and the choice of the next step, on tables small enough to see through.

local t = require "tap"
local advise = require "deepid.advise"
local behaves = require "deepid.behaves"
local dialect_table = require "deepid.dialect_table"
local dialects = require "deepid.dialects"
local learn = require "deepid.learn"
local window = require "deepid.window"

local function lines(list) return table.concat(list, "\n") .. "\n" end

local TABLE = lines {
  "# a comment",
  "product\tAlpha\tserver\t21", "versions\t1.0 2.0 3.0",
  "*\tehlo\t250-<host>", "*\tkeywords\tPIPELINING|SIZE #|VRFY|DSN", "*\tunknown verb\t500 Alpha has never heard of this command",
  "1.0\thelp\t502 Alpha does not help anybody here", "2.0 3.0\thelp\t214 Alpha helps those who help themselves",
  "1.0 2.0\tetrn\t500 Alpha has no queue for you", "3.0\tetrn\t458 Alpha will not start any queue",
  "product\tBeta\tlibrary\t-", "versions\t0.1",
  "*\tehlo\t250-<host>", "*\tkeywords\tHELP", "*\thelp\t250 Beta supports nothing in particular", "*\tunknown verb\t500 Beta wonders what you mean by this",
  "front\tgamma\tfilter", "*\tbdat\t502 gamma passes no chunks", "*\tstarttls\t502 gamma ends no encryption",
}
local model = assert(dialect_table.read(TABLE, "x.tsv"))

t.test("a table that is none says where", function()
  for _, broken in ipairs { "*\thelp\t500 x\n", "product\n", "product\tA\tserver\t-\nnonsense\n" } do
    local none, message = dialect_table.read(broken, "x.tsv")
    t.ok(none == nil)
    t.has(message, "^x%.tsv:%d: ")
  end
end)

t.test("what a product says names it, and only when there is enough of it", function()
  local full = { ehlo = "250-<host>", help = "214 Alpha helps those who help themselves", unknown = "500 Alpha has never heard of this command" }
  t.eq(model:rank(full)[1].product.name, "Alpha")
  t.ok(model:rank { ehlo = "250-<host>" }[1].p < 0.2)
  t.ok(model:rank {}[1].p < 0.2)
  t.ok(model:rank(full)[1].p > model:rank { ehlo = full.ehlo, help = full.help }[1].p)
end)

t.test("answers that nobody gives are nobody's", function()
  local ranked = model:rank { help = "500 never seen", unknown = "500 nor this", ehlo = "250 hi" }
  t.ok(ranked[1].p < 0.01, tostring(ranked[1].p))
end)

t.test("one answer in many steps counts once", function()
  local once = model:rank { unknown = "500 Alpha has never heard of this command" }[1].score
  t.eq(model:rank { unknown = "500 Alpha has never heard of this command", verb = "500 Alpha has never heard of this command" }[1].score, once)
end)

t.test("a command switched off is answered in the product's own words", function()
  local own = model:rank { help = "500 Alpha has never heard of this command" }
  t.eq(own[1].product.name, "Alpha")
  t.ok(own[1].score > own[2].score + 1)
end)

-- A product that was heard to give twelve answers, in `heard` recordings, and one of its family that gives `unheard` others.
local function ranked_relative(heard, unheard)
  local steps = { "ehlo", "helo", "help", "unknown", "noop", "rset", "etrn", "bdat", "auth", "expn", "mail", "dataearly" }
  local list, tokens = { "product\tOmega\tserver\t-\t" .. heard }, {}
  for i, step in ipairs(steps) do
    local words = "50" .. i .. " words that nobody but Omega says of " .. step
    list[#list + 1] = ("*\t%s\t%s"):format(step, words)
    tokens[step] = i <= unheard and "500 other words of " .. step or words
  end
  return assert(dialect_table.read(TABLE .. lines(list), "x.tsv")):rank(tokens)[1]
end

t.test("who shares a product's words and often says others is a relative", function()
  t.ok(ranked_relative(20, 0).p >= 0.98 and ranked_relative(20, 1).p >= 0.95)
  t.ok(ranked_relative(20, 5).p < 0.5, "five of twelve: " .. ranked_relative(20, 5).p)
  t.ok(ranked_relative(20, 5).score > dialects.UNKNOWN, "though nobody else says these words")
  t.ok(ranked_relative(2, 3).p > ranked_relative(20, 3).p, "of a product heard seldom, less is known")
end)

t.test("a product that changed its codes, or what it quotes, is no relative", function()
  local usual = { help = "502 Omega helps nobody here", unknown = '500 Omega does not know "XDEEPID"', etrn = "500 Omega starts no queue", noop = "250 Omega idles", rset = "250 Omega is blank" }
  local list = { "product\tOmega\tserver\t-\t20", "*\tpair\t250 Omega idles|250 Omega is blank" }
  for step, token in pairs(usual) do list[#list + 1] = ("*\t%s\t%s"):format(step, token) end
  local one = assert(dialect_table.read(lines(list)))
  local function itself(changes)
    for step, token in pairs(usual) do changes[step] = changes[step] or token end
    return one:rank(changes)[1].itself
  end
  local unchanged = itself {}
  t.ok(itself { help = "504 Omega helps nobody here", unknown = "502 Omega does not know", etrn = "458 Omega starts no queue." } > 0.95 * unchanged)
  t.ok(itself { help = "502 Other helps nobody here", unknown = "500 Other does not know", etrn = "500 Other starts no queue" } < 0.5 * unchanged)
  t.ok(itself { help = "500 Omega starts no queue.", unknown = "502 Omega helps nobody here!", etrn = "502 Omega does not know" } < 0.5 * unchanged, "its words in other places")
  t.ok(one:rank { help = "504 Omega helps nobody here" }[1].score > one:rank { help = "502 Other helps nobody here" }[1].score)
  t.eq(itself { noop = "250 what", pair = "250 what|250 Omega is blank" }, itself { noop = "250 what" }, "two commands at once repeat what is said to each")
end)

t.test("keywords may be missing or added, in their order", function()
  local function score(keywords) return model:rank { keywords = keywords }[1] end
  t.eq(score("SIZE #|DSN").product.name, "Alpha")
  t.ok(score("PIPELINING|SIZE #|XNEW|DSN").score > 0)
  t.ok(score("DSN|VRFY|SIZE #").score < 0)
end)

t.test("a step that was never recorded says nothing", function()
  t.eq(model:rank({ quitarg = "221 x" })[1].score, 0)
end)

t.test("a front is named beside the server, by two answers of its own", function()
  local through = { help = "214 Alpha helps those who help themselves", unknown = "500 Alpha has never heard of this command",
    bdat = "502 gamma passes no chunks", starttls = "502 gamma ends no encryption" }
  local best = model:rank(through)[1]
  t.eq(best.product.name, "Alpha")
  t.eq(best.front and best.front.name, "gamma")
  through.bdat = nil
  t.eq(model:rank(through)[1].front, nil)
end)

t.test("fronts that answer alike are named together", function()
  local own, tokens = {}, { help = "214 Alpha helps those who help themselves", unknown = "500 Alpha has never heard of this command" }
  for i, step in ipairs { "bdat", "empty", "longline", "barelf" } do
    tokens[step] = "502 a relay on the way passes nothing of this kind"
    tokens[step] = tokens[step]:gsub("nothing", "nothing number " .. ("x"):rep(i))
    own[i] = ("*\t%s\t%s"):format(step, tokens[step])
  end
  local both = TABLE .. "front\tdelta\tproxy\n" .. lines(own) .. "front\tepsilon\tfilter\n" .. lines(own)
  local best = assert(dialect_table.read(both, "x.tsv")):rank(tokens)[1]
  t.eq({ best.product.name, best.fronts }, { "Alpha", { "delta", "epsilon" } })
end)

local ALPHA = model.products[1]

t.test("versions are excluded by what others answer, and between two that differ the change may be anywhere", function()
  local tokens = { help = "214 Alpha helps those who help themselves" }
  t.eq(model:excluding(ALPHA, tokens, "1.0"), "help")
  t.eq(model:excluding(ALPHA, tokens, "0.9"), "help")
  t.eq(model:excluding(ALPHA, tokens, "1.5"), nil)
  t.eq(model:excluding(ALPHA, tokens, "9.0"), nil)
  t.eq(model:excluding(ALPHA, { help = "500 never seen" }, "1.0"), nil)
end)

t.test("a window is what no answer excludes of the published releases", function()
  local lists = { Alpha = { "0.9", "1.0", "1.5", "2.0", "2.5", "3.0", "3.1" } }
  local both = { help = "214 Alpha helps those who help themselves", etrn = "500 Alpha has no queue for you" }
  local found = window.of(lists, model, ALPHA, both)
  t.eq({ found.min, found.max, found.open, found.all }, { "1.5", "2.5", 3, 7 })
  t.eq({ found.below.step, found.below.release, found.above.step, found.above.release }, { "help", "1.0", "etrn", "3.0" })
  t.eq(window.of(lists, model, ALPHA, {}), nil)
  local old = window.of(lists, model, ALPHA, { help = "502 Alpha does not help anybody here" })
  t.eq({ old.min or "open", old.max }, { "open", "1.5" })
  t.ok(window.contains(found, "2.0") and not window.contains(found, "1.0") and not window.contains(found, "3.0"))
  t.ok(window.contains({ max = "3.8" }, "3.8.5") and window.contains({ min = "3.7.1" }, "3.7"))
end)

t.test("answers that contradict each other exclude nothing", function()
  local lists = { Alpha = { "1.0", "2.0", "3.0" } }
  t.eq(window.of(lists, model, ALPHA, { help = "502 Alpha does not help anybody here", etrn = "458 Alpha will not start any queue" }), nil)
end)

t.test("the next step is the one that tells the candidates apart, then their versions, then none", function()
  local names = { "verb", "etrn", "help" }
  t.eq(advise.choose(model, { ehlo = "250-<host>" }, names), "help")
  local known = { ehlo = "250-<host>", keywords = "PIPELINING|SIZE #|VRFY|DSN", unknown = "500 Alpha has never heard of this command",
    help = "214 Alpha helps those who help themselves" }
  t.eq(advise.choose(model, known, { "verb", "etrn" }), "etrn")
  known.etrn = "458 Alpha will not start any queue"
  t.eq(advise.choose(model, known, { "quitarg", "expn" }), nil)
end)

t.test("a question whose answer was heard already tells little, and what settings changed once they change everywhere", function()
  local one = assert(dialect_table.read(lines { "product\tOmega\tserver\t21", "*\tehlo\t250-<host>", "*\tunknown bdat\t500 Omega does not know this word",
    "*\tetrn\t458 Omega will not start any queue" } .. ("product\tanother\tserver\t-\n"):rep(40)))
  local heard = { ehlo = "250-<host>", unknown = "500 Omega does not know this word" }
  t.eq(advise.choose(one, heard, { "bdat", "etrn" }), "etrn")
  t.eq(advise.choose(one, heard, { "bdat" }), "bdat", "where nobody is likely yet, little is worth a question")
  heard.etrn = "458 Omega will not start any queue"
  t.ok(one:rank(heard)[1].p > 0.9)
  t.eq(advise.choose(one, heard, { "bdat" }), nil)
  local text = lines { "product\tOmega\tserver\t21", "*\tehlo\t250-<host>", "*\tunknown\t500 Omega does not know this word", "*\tetrn\t458 Omega will not start any queue",
    "*\tverb\t250 Omega talks" }
  local sure = assert(dialect_table.read(text .. ("product\tanother\tserver\t-\n"):rep(400)))
  t.eq(advise.choose(sure, heard, { "verb" }), nil, "where one is likely, less is not")
  t.eq(advise.choose(one, { ehlo = "250-<host>" }, { "bdat" }), "bdat")
  t.eq(advise.choose(one, { ehlo = "250-<host>", unknown = "500 go away" }, { "bdat" }), nil)
end)

t.test("who began unlike all is asked on: it may be a product in settings that nobody saw", function()
  local others = {}
  for i = 1, 40 do others[i] = ("product\tanother %d\tserver\t-\n*\tehlo help verb noop\t500 %s\n"):format(i, ("x"):rep(i)) end
  local one = assert(dialect_table.read(lines { "product\tOmega\tserver\t21", "*\tehlo\t250 Omega greets you warmly", "*\thelp\t214 Omega helps",
    "*\tverb\t250 Omega talks", "*\tnoop\t250 Omega rests", "*\tetrn\t458 Omega will not start any queue" } .. table.concat(others)))
  local unlike = { ehlo = "250 Omega greets you warmly", help = "502 no", verb = "504 no", noop = "200 what" }
  t.ok(one:rank(unlike)[1].p < 0.05)
  t.eq(advise.choose(one, unlike, { "etrn" }), "etrn")
end)

t.test("a refusal of everything speaks against nobody, and for who is known to refuse so", function()
  local refused = { help = "451 you are blocked", unknown = "451 you are blocked", refrain = "(as HELP)" }
  t.eq(model:rank(refused)[1].score, 0)
  local blocker = assert(dialect_table.read("product\tGate\tblocker\t-\n*\thelp unknown\t553 go away\n*\trefrain\t(as HELP)\n"))
  t.ok(blocker:rank(refused)[1].score > 0)
  refused.refrain = nil
  t.ok(model:rank(refused)[1].score < 0 and blocker:rank(refused)[1].score < 0)
end)

t.test("a hello refused for the name in it speaks against nobody; one that is not known does", function()
  t.eq(model:rank({ ehlo = "550 we do not like <client>" })[1].score, 0)
  t.ok(model:rank({ ehlo = "502 no such command" })[1].score < 0)
end)

t.test("a server that was heard to speak SMTP alone is not the one that speaks LMTP, nor the other way round; a library of SMTP may speak both", function()
  local words = "500 Omega does not know this word"
  local function itself(kind, heard, hello)
    local list = { "product\tOmega\t" .. kind .. "\t-", "*\t" .. heard .. "\t250-<host>", "*\tmail help unknown\t" .. words }
    local one = assert(dialect_table.read(lines(list) .. ("product\tanother\tserver\t-\n"):rep(40)))
    local first = one:rank({ [hello] = "250-<host>", help = words, unknown = words })[1]
    return first.product.name == "Omega" and first.itself
  end
  t.ok(itself("server", "ehlo", "ehlo") > 0.9 and itself("server", "lhlo", "lhlo") > 0.9 and itself("library", "ehlo", "lhlo") > 0.9)
  t.ok(itself("server", "ehlo", "lhlo") < 0.1 and itself("server", "lhlo", "ehlo") < 0.1 and itself("library", "lhlo", "helo") < 0.1)
end)

t.test("a hello that settings changed makes no relative; another answer does", function()
  local list, heard = { "", "*\tehlo\t250-<host>", "*\tstarttls\t220 Omega begins" }, {}
  for i, step in ipairs { "help", "unknown", "noop", "rset", "etrn", "bdat" } do
    heard[step] = "50" .. i .. " words that nobody but Omega says of " .. step
    list[#list + 1] = "*\t" .. step .. "\t" .. heard[step]
  end
  local function read(heard_often, built_on)
    list[1] = "product\tOmega\tserver\t-\t" .. heard_often
    return assert(dialect_table.read(lines(list) .. ("product\tanother\tserver\t-\n"):rep(40), nil, built_on))
  end
  local one = read(9)
  local function itself(changes, another)
    local tokens = {}
    for step, token in pairs(heard) do tokens[step] = changes[step] or token end
    tokens.ehlo, tokens.starttls = changes.ehlo or "250-<host>", changes.starttls or "220 Omega begins"
    return (another or one):rank(tokens)[1].itself
  end
  local usual, copies = itself {}, { Omega = { Alpha = true } }
  t.eq(itself { ehlo = "250 hi", starttls = "454 later" }, usual)
  t.ok(itself { etrn = "500 what" } < usual)
  t.ok(itself({}, read(9, copies)) < usual, "who is known to say another's words is doubted more")
  t.eq(itself({}, read(40, copies)), itself({}, read(40)), "unless much was recorded of it")
end)

t.test("errors: one less than makes a likely candidate hang up; no more than usual where nobody may be known", function()
  local function errors(ranked, usual) return behaves.errors({ ranked = ranked, errors = {} }, usual) end
  local sure = { { p = 0.99, product = { limit = 21 } } }
  t.eq(errors(sure, 2), 20)
  t.eq(errors({ { p = 0.99, product = {} } }, 2), 29)
  t.eq(errors({ { p = 0.5, product = { limit = 21 } }, { p = 0.3, product = { limit = 2 } } }, 2), 1)
  t.eq(errors({ { p = 0.5, product = { limit = 21 } }, { p = 0.01, product = { limit = 2 } } }, 2), 2)
  t.eq(errors({ { p = 0.6, product = { limit = 21 } }, { p = 0.38, product = { limit = 5 } } }, 1), 4)
  t.eq(errors({ { p = 0.6, product = { limit = 21 } }, { p = 0.3, product = { limit = 5 } } }, 1), 1)
end)

t.test("errors: who is named by the greeting bears what it is known to bear, unless its answers deny it", function()
  local function errors(score, role, soft)
    local ranked = { { p = 0.3, score = score, product = { name = "Alpha smtpd", limit = 21 } }, { p = 0.3, score = score, product = { name = "Beta", limit = 9 } } }
    local hit = { step = { step = "greeting" }, rule = { role = role or "mta", soft = soft }, fields = { product = "Alpha" } }
    return behaves.errors({ ranked = ranked, errors = {} }, 1, { hit })
  end
  t.eq(errors(dialects.UNKNOWN), 8, "whoever else is likely counts")
  t.eq(errors(dialects.UNKNOWN - 10), 1)
  t.eq(errors(dialects.UNKNOWN, "screen"), 1, "what stands in front is no server")
  t.eq(errors(dialects.UNKNOWN, "mta", true), 1, "nor is a hint")
end)

local function digest(product, version, settings, tokens, more)
  local made = { product = product, version = version, settings = settings, front = settings:match("behind:(%S+)"), tokens = tokens }
  for key, value in pairs(more or {}) do made[key] = value end
  return made
end

t.test("learning: the limit of errors is the one inside TLS, where both were recorded", function()
  local facts = { product = "A", version = "1", settings = "stock" }
  local function limit(...) return learn.digest({ steps = { ... } }, facts).limit end
  local function errors(count, ending, tls, reply)
    return { step = "errorlimit", connection = 1, tls = tls, sent = "", reply = reply or "250 ok\r\n502 no\r\n", ["end"] = ending, errors = count }
  end
  t.eq(limit(errors(2, "close", "none")), 2)
  t.eq(limit(errors(2, "close", "none"), errors(9, "close", "starttls")), 9)
  t.eq(limit(errors(2, "close", "none"), errors(30, "reply", "starttls")), nil)
  t.eq(limit(errors(2, "close", "none", "250 ok\r\n")), nil, "it hung up at a verb, not at too many errors")
end)

t.test("learning: what settings may change excludes no version that was never heard in them", function()
  local text = learn.write({
    digest("A", "1", "stock", { help = "214 old" }, { limit = 9 }), digest("A", "2", "stock", { help = "214 new" }),
    digest("A", "2", "hardened", { help = "502 off" }), digest("A", "3", "stock", { help = "214 new" }, { limit = 5 }),
  }, { A = "library" })
  t.eq(text, lines { "product\tA\tlibrary\t5\t4", "versions\t1 2 3", "2 3\thelp\t214 new", "1\thelp\t214 old", "*\thelp\t502 off" })
end)

t.test("learning: what is heard through a front, whatever stands behind, is the front's", function()
  local text = learn.write({
    digest("A", "1", "stock", { help = "a", bdat = "b" }), digest("A", "1", "stock behind:f", { help = "a", bdat = "f" }),
    digest("B", "1", "stock", { help = "c", bdat = "d" }), digest("B", "1", "stock behind:f", { help = "c", bdat = "f" }),
    digest("B", "1", "stock behind:clear", { help = "c", bdat = "d" }, { limit = 3 }),
  }, { f = "filter" })
  t.has(text, "front\tf\tfilter\n%*\tbdat\tf\n$")
  t.ok(not text:find("front\tclear"))
  t.has(text, "product\tB\tserver\t3\t3\n")
  t.eq(select(2, text:gsub("\tbdat\tf", "")), 1)
end)

t.done()
