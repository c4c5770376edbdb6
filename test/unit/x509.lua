-- Certificates: made by the openssl command, and asked of it again.

local t = require "tap"
local x509 = require "deepid.x509"

local function output(command)
  local pipe = assert(io.popen(command, "r"))
  local bytes = pipe:read("a")
  pipe:close()
  return bytes
end

local FOLDER = output("mktemp -d"):gsub("\n", "")

local function file(name) return FOLDER .. "/" .. name end

local function read_file(name)
  local handle = assert(io.open(file(name), "rb"))
  local bytes = handle:read("a")
  handle:close()
  return bytes
end

-- A certificate in DER, its key of the kind that openssl calls `algorithm`.
local function make(algorithm, subject, alternatives)
  local extension = alternatives and (" -addext 'subjectAltName=%s'"):format(alternatives) or ""
  local ok = os.execute(("openssl req -x509 -newkey %s -nodes -utf8 -keyout %s -out %s -days 1 -subj '%s'%s 2>%s")
    :format(algorithm, file "key", file "pem", subject, extension, file "log"))
  assert(ok, "openssl failed: " .. read_file "log")
  return assert(x509.der(read_file "pem"))
end

local function ask(arguments) return output(("openssl x509 -in %s %s"):format(file "pem", arguments)) end

local RSA, EC = "rsa:2048", "ec -pkeyopt ec_paramgen_curve:prime256v1"
local CASES = {
  { "RSA, two alternative names", RSA, "/C=XX/O=Example/CN=mx.example.org", "DNS:mx.example.org,DNS:smtp.example.org",
    names = { "mx.example.org", "smtp.example.org" } },
  { "elliptic curve, addresses", EC, "/CN=mx", "IP:192.0.2.7,IP:2001:db8::1,email:a@example.org,DNS:b.example",
    names = { "mx", "192.0.2.7", "2001:db8:0:0:0:0:0:1", "b.example" } },
  { "no alternative name", "ed25519", "/CN=plain.example", nil, names = { "plain.example" } },
  { "characters that RFC 4514 escapes", EC, "/O=A, B + C;<D>\\\\ \"E\"/OU=#x/CN=caf\u{e9}", nil, names = { "caf\u{e9}" } },
  { "an attribute without a short name", EC, "/serialNumber=12/CN=x", nil, names = { "x" } },
  { "two common names", EC, "/CN=one/CN=two", "DNS:two", names = { "one", "two" } },
}

for _, case in ipairs(CASES) do
  t.test(case[1], function()
    local der = make(case[2], case[3], case[4])
    t.eq(der, ask "-outform DER", "PEM")
    local got = assert(x509.read(der))
    t.eq(got.names, case.names)
    t.eq(got.spki, output(("openssl pkey -in %s -pubout -outform DER"):format(file "key")), "key")
    local subject = ask "-noout -subject -nameopt RFC2253,-esc_msb,utf8,-dump_unknown":gsub("^subject=", ""):gsub("\n$", "")
    t.eq(got.subject, (subject:gsub("serialNumber", "2.5.4.5")), "subject")
  end)
end

t.test("a certificate cut anywhere is refused or read, never an error", function()
  local der = make(EC, "/CN=mx.example.org", "DNS:a.example")
  for length = 0, #der - 1 do
    local got, message = x509.read(der:sub(1, length))
    t.ok(got == nil, length)
    t.has(message, "^not a certificate: ")
  end
end)

t.test("a certificate with any byte changed is refused or read, never an error", function()
  local der = make(EC, "/CN=mx.example.org", "DNS:a.example")
  local refused = 0
  for at = 1, #der do
    for _, byte in ipairs({ 0x00, 0x30, 0x7F, 0x80, 0x83, 0x84, 0xFF }) do
      local got, message = x509.read(der:sub(1, at - 1) .. string.char(byte) .. der:sub(at + 1))
      if not got then refused = refused + 1 end
      t.ok(got or message:find("^not a certificate: "), at)
    end
  end
  t.ok(refused > 0, "none was refused")
end)

t.test("what is no certificate", function()
  t.eq(x509.read(""), nil)
  t.eq(x509.read(("\x30\x80"):rep(40000)), nil)
  t.eq(x509.read("\x30\x83\2\0\0" .. ("\5\0"):rep(65536)), nil)
  t.eq(x509.der("hello"), nil)
end)

os.execute("rm -rf " .. FOLDER)
t.done()
