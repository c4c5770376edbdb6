"""Scripted stand-ins for mail servers and boxes that cannot be had: peers.py NAME ADDRESS HOST NET.

Each entry of PEERS or REWRITERS names the source of what it says. A peer talks; a rewriter stands in front of a
real server of the lab and changes bytes in passing, as a firewall does.
"""

import asyncio
import sys
import time

NAME, ADDRESS, HOST, NET = sys.argv[1:5]
LINE_MAX = 4096  # of what a client may send


def now():
    return time.strftime("%a %b %e %H:%M:%S %Y")  # as ctime(3)


# greeting: sent at once. replies: by verb; "*" for any other. end: verbs after whose reply the peer closes; "" closes
# after the greeting. stutter_s: seconds before each byte. stutter_for_s: how long the peer stutters, None for ever.
SPAMD = {
    # OpenBSD's spamd, as libexec/spamd/spamd.c of OpenBSD's source says it (-s: one byte a second by default).
    "greeting": f"220 {HOST} ESMTP spamd IP-based SPAM blocker; {now()}\r\n",
    "replies": {
        "HELO": "250 Hello, spam sender. Pleased to be wasting your time.\r\n",
        "EHLO": "250 Hello, spam sender. Pleased to be wasting your time.\r\n",
        "NOOP": "250 2.0.0 OK I did nothing\r\n",
        "RSET": "250 Ok to start over.\r\n",
        "QUIT": f"221 {HOST}\r\n",
        "*": "500 5.5.1 Command unrecognized\r\n",
    },
    "end": {"QUIT"},
    "stutter_s": 1.0,
}

PEERS = {
    # Form of the greeting: seen on the wire and widely reported; the product's own source is not public. The inner
    # banner is what the lab's own Exim really says. The commands are answered by the server behind.
    "pgp-universal": {
        "greeting": f"220 {HOST} PGP Universal service ready (proxied server greeted us with: "
                    f"mail.inner.example ESMTP Exim 4.96 {time.strftime('%a, %d %b %Y %H:%M:%S +0000', time.gmtime())})\r\n",
        "replies": {
            "EHLO": "250-mail.inner.example Hello scanner.example [127.0.0.1]\r\n"
                    "250-SIZE 52428800\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 HELP\r\n",
            "HELO": "250 mail.inner.example Hello scanner.example [127.0.0.1]\r\n",
            "QUIT": "221 mail.inner.example closing connection\r\n",
            "*": "500 unrecognized command\r\n",
        },
        "end": {"QUIT"},
    },
    # Blacklisted clients of spamd get one byte a second to the end.
    "spamd": SPAMD,
    # By default spamd greylists: the stutter ends after ten seconds (grey_stutter in spamd.c).
    "spamd-grey": {**SPAMD, "stutter_for_s": 10},
    # Under another banner (-n); the stutter ends sooner, for tests that cannot wait.
    "spamd-renamed": {"greeting": f"220 {HOST} ESMTP ready; {now()}\r\n", "replies": {"QUIT": f"221 {HOST}\r\n", "*": "500 5.5.1 Command unrecognized\r\n"},
                      "end": {"QUIT"}, "stutter_s": 0.5, "stutter_for_s": 6},
    # A provider's box that answers in place of every mail server: widely reported of a French provider's customers, as
    # the line below over and over.
    "provider-452": {"greeting": "452 syntax error (connecting)\r\n" * 3, "replies": {}, "end": {""}},
    # No product's text: an invented notice of the kind that providers send, for rules on the class of phrase.
    "provider-notice": {
        "greeting": "554 Connections to port 25 are blocked by your Internet provider; "
                    "please use your provider's outgoing mail server\r\n",
        "replies": {},
        "end": {""},
    },
    # Anyone's server with too many sessions; Postfix's postscreen has this very text (postscreen.c).
    "overload": {"greeting": "421 4.3.2 All server ports are busy\r\n", "replies": {}, "end": {""}},
    # qmail 1.03 and netqmail, as qmail-smtpd.c says it; HELP and VRFY are its author's own words.
    "qmail": {
        "greeting": f"220 {HOST} ESMTP\r\n",
        "replies": {
            "EHLO": f"250-{HOST}\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
            "HELO": f"250 {HOST}\r\n",
            "HELP": "214 qmail home page: http://pobox.com/~djb/qmail.html\r\n",
            "NOOP": "250 ok\r\n",
            "RSET": "250 flushed\r\n",
            "VRFY": "252 send some mail, i'll try my best\r\n",
            "MAIL": "250 ok\r\n",
            "QUIT": f"221 {HOST}\r\n",
            "*": "502 unimplemented (#5.5.1)\r\n",
        },
        "end": {"QUIT"},
    },
}

# behind: the real server. verbs: those let through, any other line arrives as X's. keywords: EHLO keywords let
# through; None where EHLO itself is not.
REWRITERS = {
    # Cisco PIX, "fixup protocol smtp": the seven verbs of RFC 821 4.5.1 pass, the greeting keeps its 2, 0 and blanks
    # (Microsoft's article KB320027; Cisco's documentation of the fixup).
    "cisco-pix": {
        "behind": f"{NET}.11",
        "verbs": "HELO MAIL RCPT DATA RSET NOOP QUIT",
        "keywords": None,
    },
    # Cisco ASA, "inspect esmtp" with its default map: banner masked, STARTTLS and keywords it does not know masked in
    # their own length (Cisco's configuration guide, "Defaults for ESMTP Inspection"). That the last letter of a masked
    # keyword counts A, B, ... is seen in sessions that people published (250-XXXXXXXA, 250 XXXB).
    "cisco-asa": {
        "behind": f"{NET}.11",
        "verbs": "AUTH DATA EHLO ETRN HELO HELP MAIL NOOP QUIT RCPT RSET SAML SEND SOML VRFY",
        "keywords": "8BITMIME AUTH DSN ENHANCEDSTATUSCODES ETRN HELP PIPELINING SIZE VRFY",
    },
}


def verb_of(line):
    return line.split(b" ")[0].strip().upper().decode("latin-1")


async def speak(writer, text, peer, began):
    stutter_s = peer.get("stutter_s", 0)
    for i in range(len(text)):
        over = peer.get("stutter_for_s")
        if not stutter_s or (over is not None and time.monotonic() - began > over):
            writer.write(text[i:].encode("latin-1"))
            break
        await asyncio.sleep(stutter_s)
        writer.write(text[i].encode("latin-1"))
        await writer.drain()
    await writer.drain()


async def peer_session(reader, writer):
    peer, began, verb = PEERS[NAME], time.monotonic(), ""
    await speak(writer, peer["greeting"], peer, began)
    while verb not in peer["end"]:
        line = await reader.readline()
        if not line:
            break
        verb = verb_of(line)
        await speak(writer, peer["replies"].get(verb, peer["replies"]["*"]), peer, began)


def masked_greeting(line):
    head, tail = line[:4], line[4:].rstrip(b"\r\n")
    return head + bytes(c if c in b"20 " else ord("*") for c in tail) + b"\r\n"


def masked_extensions(lines, keywords):
    out, count = [lines[0]], 0
    for line in lines[1:]:
        keyword = line[4:].strip().split(b" ")[0].decode("latin-1")
        if keyword not in keywords.split():
            line = line[:4] + (b"X" * (len(line[4:].strip()) - 1) + bytes([ord("A") + count])) + b"\r\n"
            count += 1
        out.append(line)
    return out


async def reply_lines(reader):
    lines = []
    while True:
        lines.append(await reader.readline())
        if lines[-1][3:4] != b"-":
            return lines


async def rewriter_session(reader, writer):
    box = REWRITERS[NAME]
    inner_reader, inner_writer = await asyncio.open_connection(box["behind"], 25)
    try:
        lines = [masked_greeting(line) for line in await reply_lines(inner_reader)]
        while lines[-1]:
            writer.write(b"".join(lines))
            await writer.drain()
            line = await reader.readline()
            if not line:
                break
            verb = verb_of(line)
            if verb not in box["verbs"].split():
                line = b"X" * len(line.rstrip(b"\r\n")) + b"\r\n"
            inner_writer.write(line)
            lines = await reply_lines(inner_reader)
            if verb == "EHLO" and box["keywords"] and lines[0].startswith(b"250"):
                lines = masked_extensions(lines, box["keywords"])
    finally:
        inner_writer.close()


async def main():
    session = rewriter_session if NAME in REWRITERS else peer_session

    async def guarded(reader, writer):
        try:
            await session(reader, writer)
        except (ConnectionError, ValueError):  # the client left, or its line passes LINE_MAX
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(guarded, ADDRESS, 25, limit=LINE_MAX)
    await server.serve_forever()


asyncio.run(main())
