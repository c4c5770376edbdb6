--- Transcripts in: greetings, saved records, recordings in Markdown.

local t = require "tap"
local transcript = require "deepid.transcript"

local RECORDING = [[
# Exim 4.96

How it was obtained: by hand.

- product: Exim
- version: 4.96
- port: 2525

```transcript
-- greeting connection=1 tls=none end=reply ms=12
S 220 mx.example.org ESMTP Exim 4.96\r\n
-- ehlo connection=2 tls=starttls end=timeout ms=1.5
C EHLO a\r\n
S 250-mx\n
S 250 \xFF\\
```

```
S this is no part of it
```
]]

t.test("a recording", function()
  local made, facts = transcript.from_markdown(RECORDING, "exim.md")
  t.eq({ facts.product, facts.version, made.port }, { "Exim", "4.96", 2525 })
  t.eq(made.steps, {
    { step = "greeting", connection = 1, tls = "none", ["end"] = "reply", ms = 12, sent = "", reply = "220 mx.example.org ESMTP Exim 4.96\r\n" },
    { step = "ehlo", connection = 2, tls = "starttls", ["end"] = "timeout", ms = 1.5, sent = "EHLO a\r\n", reply = "250-mx\n250 \255\\" },
  })
end)

for _, case in ipairs({
  { "# nothing\n", "exim.md: no transcript in it" },
  { "```transcript\nhello\n```\n", "exim.md:2: expected -- STEP, C or S" },
  { "```transcript\n-- greeting\nS \\q\n```\n", "exim.md:3: unknown escape \\q" },
}) do
  t.test("a broken recording: " .. case[2], function()
    local made, message = transcript.from_markdown(case[1], "exim.md")
    t.eq({ made, message }, { nil, case[2] })
  end)
end

t.test("a greeting gets its line end", function()
  t.eq(transcript.from_greeting("220 a", "::1").steps[1].reply, "220 a\r\n")
  t.eq(transcript.from_greeting("220 a\n").steps[1].reply, "220 a\n")
end)

t.test("a saved record, and what may be left out", function()
  local made = assert(transcript.from_line('{"record":"transcript","steps":[{"step":"greeting","reply":"220 \\u00ff\\r\\n"}]}'))
  t.eq(made.steps, { { step = "greeting", reply = "220 \255\r\n", sent = "", ["end"] = "reply" } })
  t.eq(select("#", transcript.from_line('{"record":"scan","format":1}')), 1)
end)

for _, case in ipairs({
  { "[]", "not a transcript" }, { "{}", "not a transcript" }, { '{"steps":1}', "not a transcript" }, { "7", "not a JSON object" },
  { '{"steps":[1]}', "step 1 is not an object" }, { '{"steps":[{}]}', "step 1 has no name" },
  { '{"steps":[{"step":"ehlo","reply":5}]}', "step 1: reply is not a string" },
  { '{"steps":[{"step":"ehlo","ms":"x"}]}', "step 1: ms is not a number" },
  { '{"steps":[{"step":"ehlo","end":"boom"}]}', "step 1: unknown end" },
  { '{"steps":[],"address":5}', "the address is not a string" }, { '{"steps":[],"port":2.5}', "the port is not a whole number" },
  { '{"steps":[],"certificate":{"names":[1]}}', "certificate: a name is not a string" },
  { '{"steps":[' .. ('{"step":"x"},'):rep(1000) .. '{"step":"x"}]}', "more than 1000 steps" },
}) do
  t.test("a broken record: " .. case[2], function()
    local made, message = transcript.from_line(case[1])
    t.eq(made, nil)
    t.has(message, case[2], true)
  end)
end

t.done()
