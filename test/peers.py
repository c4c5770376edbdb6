"""Scripted mail servers: those that no session should trip over, and a few plain ones; one a line in SETS.

usage: peers.py FOLDER SET NETWORK...

Each NETWORK, as 127.0.5., gets the set's peers at .1 and up; ::1 has one. Writes FOLDER/cert.pem and key.pem, then
FOLDER/peers: a line "ADDRESS PORT NAME" for each that listens, then the word "ready" on standard output. Ends when
standard input does, and leaves FOLDER/heard: a JSON line for each connection, {"address", "heard", "early"}; early is
what came before the greeting was sent.
"""
import errno
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import threading
import time

SMTP, PLAIN, SMTPS = 25, 2525, 465
FLOOD = 64 * 1024 * 1024
MISSING = (errno.EACCES, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT)  # port 465 and we are not root; no IPv6
PATIENCE = 100  # seconds that a peer stays; longer than any session


class Gone(Exception):
    """The session has closed the connection."""


class Line:
    """One connection: sends, hears commands, and remembers them."""

    def __init__(self, connection, address, certificate):
        self.connection, self.address, self.certificate = connection, address, certificate
        self.heard, self.early, self.unread = b"", b"", b""
        connection.settimeout(PATIENCE)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def send(self, data):
        if isinstance(data, str):
            data = data.encode("latin-1")
        self.connection.sendall(data)

    def byte_by_byte(self, data, pause):
        for i in range(len(data)):
            self.send(data[i:i + 1])
            time.sleep(pause)

    def command(self):
        """The next line that the session sends."""
        while b"\n" not in self.unread:
            piece = self.connection.recv(4096)
            if not piece:
                raise Gone
            self.heard += piece
            self.unread += piece
        line, self.unread = self.unread.split(b"\n", 1)
        return line.decode("latin-1").strip().upper()

    def listen_before_greeting(self, seconds):
        self.connection.settimeout(seconds)
        try:
            piece = self.connection.recv(4096)
            if not piece:
                raise Gone
            self.early += piece
        except socket.timeout:
            pass
        self.connection.settimeout(PATIENCE)

    def start_tls(self):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.certificate)
        self.connection = context.wrap_socket(self.connection, server_side=True)

    def wait_for_end(self):
        """Hears whatever comes until the session closes."""
        while True:
            piece = self.connection.recv(4096)
            if not piece:
                return
            self.heard += piece


def serve(line, greeting, answers, send=None):
    """A plain server: answers by verb, "OTHER" for the rest; a callable is called with the line instead."""
    send = send or line.send
    if greeting is not None:
        line.listen_before_greeting(0.3)
        send(greeting)
    while True:
        verb = line.command().split(" ")[0]
        answer = answers.get(verb, answers.get("OTHER", "500 5.5.1 unknown\r\n"))
        if callable(answer):
            answer(line)
        else:
            send(answer)
        if verb == "QUIT":
            return


GOOD = {"EHLO": "250-peer.example\r\n250 HELP\r\n", "HELO": "250 peer.example\r\n", "HELP": "214 see the RFC\r\n",
        "RSET": "250 ok\r\n", "QUIT": "221 bye\r\n"}
GREETING = "220 peer.example ESMTP\r\n"


def peer(greeting=GREETING, **answers):
    return lambda line: serve(line, greeting, {**GOOD, **answers})


def close_at_once(line):
    line.connection.close()


def mute(line):
    line.wait_for_end()


def flood(line):
    line.listen_before_greeting(0.3)
    block = b"220-" + b"x" * 1018 + b"\r\n"
    for _ in range(FLOOD // len(block)):
        line.send(block)


def drip(line):
    for byte in b"220 " + b"y" * PATIENCE:
        line.send(bytes([byte]))
        line.listen_before_greeting(1)


def drip_named(line):
    line.byte_by_byte(b"220 mx.peer.example ESMTP spamd IP-based SPAM blocker; " + b"y" * PATIENCE, 1)


def byte_segments(line):
    serve(line, GREETING, GOOD, lambda text: line.byte_by_byte(text.encode(), 0.002))


def cut_segments(line):
    def send(text):
        for piece in text.replace("\r\n", "\r|\n").replace("250", "2|50").replace("-", "|-").split("|"):
            line.send(piece)
            time.sleep(0.02)
    serve(line, GREETING, GOOD, send)


def endless(pause):
    def answer(line):
        while True:
            line.send("250-more of the same\r\n")
            time.sleep(pause)
    return answer


def reset(line):
    line.send("250-and then")
    time.sleep(0.1)
    line.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    line.connection.close()
    raise Gone


def talk_plain(line):
    line.send("220 go ahead\r\n")
    line.connection.recv(4096)
    line.send("250 what is all that noise?\r\n")
    line.wait_for_end()


def answer_starttls(line):
    line.send("220 go ahead\r\n")
    line.start_tls()


# As Postfix does: a bare STARTTLS might be Responder's, which bears no error, and HELP would have to wait.
OFFERS_TLS = "250-peer.example\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250 STARTTLS\r\n"


def starttls(line):
    serve(line, GREETING, {**GOOD, "EHLO": OFFERS_TLS, "STARTTLS": answer_starttls})


def smtps(line):
    line.start_tls()
    serve(line, GREETING, GOOD)


def smtps_bytes(line):
    line.start_tls()
    serve(line, GREETING, GOOD, lambda text: line.byte_by_byte(text.encode(), 0.02))


def garbage(delay):
    def behave(line):
        line.connection.recv(4096)
        time.sleep(delay)
        line.send(b"\x16garbage" * 25)
        line.wait_for_end()
    return behave


def binary(line):
    line.send(bytes(range(256)) * 4)
    line.wait_for_end()


WAS_BUSY = set()  # addresses that have refused once


def busy_once(line):
    line.listen_before_greeting(0.3)  # a connect scan is gone by then, and does not count
    if line.address in WAS_BUSY:
        return serve(line, GREETING, GOOD)
    WAS_BUSY.add(line.address)
    line.send("421 too many of you\r\n")
    return line.wait_for_end()


def hang_up(line):
    line.connection.close()
    raise Gone


LMTP_ONLY = {"OTHER": "500 5.5.1 this is LMTP: say LHLO\r\n", "LHLO": "250-peer.example\r\n250 PIPELINING\r\n",
             "HELP": "214 help\r\n", "QUIT": "221 bye\r\n"}

HOSTILE = [
    ("close_at_once", PLAIN, close_at_once),
    ("mute", PLAIN, mute),
    ("flood", PLAIN, flood),
    ("drip", PLAIN, drip),
    ("drip_named", PLAIN, drip_named),
    ("byte_segments", PLAIN, byte_segments),
    ("cut_segments", PLAIN, cut_segments),
    ("bare_lf", PLAIN, peer("220 peer.example ESMTP\n", EHLO="250-peer.example\n250 HELP\n", HELP="214 help\n")),
    ("nuls", PLAIN, peer("220 nul\0nul\0\r\n", HELP="214 \0\r\n")),
    ("escapes", PLAIN, peer("220 \x1b[31mred\x1b[0m \x07\x08\x7f\x9b2J \x1b]0;title\x07\r\n", HELP="214 \x1b[2J\r\n")),
    ("eight_bit", PLAIN, peer("220 caf\xe9 \xff\xfe \xc3\xa9\r\n", HELP="214 \x80\r\n")),
    ("long_line", PLAIN, peer("220 " + "z" * 100 * 1024 + "\r\n")),
    ("long_help", PLAIN, peer(HELP="214 " + "z" * 60 * 1024 + "\r\n")),
    ("endless_fast", PLAIN, peer(EHLO=endless(0))),
    ("endless_slow", PLAIN, peer(EHLO=endless(1))),
    ("reset", PLAIN, peer(EHLO=reset)),
    ("data", PLAIN, peer(**{verb: "354 end with a dot\r\n" for verb in ("EHLO", "HELO", "HELP", "QUIT", "OTHER")})),
    ("starttls_plain", PLAIN, peer(EHLO=OFFERS_TLS, STARTTLS=talk_plain)),
    ("starttls", PLAIN, starttls),
    ("smtps", SMTPS, smtps),
    ("smtps_bytes", SMTPS, smtps_bytes),
    ("garbage", SMTPS, garbage(0)),
    ("garbage_later", SMTPS, garbage(0.8)),
    ("garbage_late", SMTPS, garbage(1.5)),
    ("binary", PLAIN, binary),
    ("busy_once", PLAIN, busy_once),
    ("lmtp_only", PLAIN, lambda line: serve(line, GREETING, LMTP_ONLY)),
    ("helo_only", PLAIN, peer(EHLO="500 5.5.1 unknown\r\n")),
    ("refuses_all", PLAIN, peer(**{verb: "550 no\r\n" for verb in ("EHLO", "HELO", "HELP", "OTHER")})),
    ("late_tls", PLAIN, smtps),
    ("silent_help", PLAIN, peer(HELP=lambda line: line.wait_for_end())),
    ("hangs_up", PLAIN, peer(HELP=hang_up)),
    ("refuses", PLAIN, peer("554 go away\r\n")),
    ("other_protocol", PLAIN, lambda line: (line.send("SSH-2.0-OpenSSH_9.2p1\r\n"), line.wait_for_end())),
]


BLOCKED = "451 https://www.spamhaus.org/query/ip/127.0.0.1\r\n"
RBLSMTPD = {verb: "250 rblsmtpd.local\r\n" for verb in ("HELO", "EHLO", "MAIL", "RSET", "NOOP")}
PGP = "220 gw.example PGP Universal service ready (proxied server greeted us with: 220 in.example ESMTP Postfix)\r\n"
# As test/transcripts/exim-4.96-notls.md has it: who only greets as Exim is known not to be it.
EXIM = peer("220 mx.example.org ESMTP Exim 4.96 Tue, 24 Nov 2026 10:00:00 +0000\r\n",
            EHLO="250-mx.example.org Hello scanner.example [127.0.0.1]\r\n250-SIZE 52428800\r\n250-8BITMIME\r\n250-PIPELINING\r\n250 HELP\r\n",
            HELP="214-Commands supported:\r\n214 AUTH HELO EHLO MAIL RCPT DATA BDAT NOOP QUIT RSET HELP\r\n", NOOP="250 OK\r\n", RSET="250 Reset OK\r\n",
            QUIT="221 mx.example.org closing connection\r\n", OTHER="500 unrecognized command\r\n")


def web(line):
    line.connection.recv(4096)
    line.send("HTTP/1.0 200 OK\r\nServer: Apache/2.4.1 (Unix)\r\nContent-Type: text/html\r\n\r\n<html></html>\r\n")


# For the script's own ways. What these servers say is in the knowledge's examples and in Nmap's probes.
SCRIPT = [
    ("exim", PLAIN, EXIM),
    ("rblsmtpd", PLAIN, peer("220 rblsmtpd.local\r\n", OTHER=BLOCKED, HELP=BLOCKED, QUIT="221 rblsmtpd.local\r\n", **RBLSMTPD)),
    ("pgp", PLAIN, peer(PGP)),
    ("communigate", PLAIN, peer("220 mx.example.org ESMTP CommuniGate Pro 6.2.14\r\n")),
    ("web", PLAIN, web),
    ("drip", PLAIN, drip),
    ("elsewhere", 8025, EXIM),
]

# A server that nobody knows, on two machines: signs that Nmap escapes, a reply longer than Nmap keeps, and the bare EHLO of its probes.
LONG = "".join(f"214-{i} is a line of a long help text\r\n" for i in range(60)) + "214 end\r\n"


def foomail(host, version):
    answers = {"HELP": LONG, "EHLO": "501 5.5.4 EHLO whom?\r\n"}

    def behave(line):  # at once, since Nmap's probes do not wait for the greeting; one answer, which spares their time limits
        line.send(f'220 {host} ESMTP Foo"Mail" (a\\b|c) {version} \x7f\xe9 ready.\r\n')
        line.send(answers.get(line.command().split(" ")[0], "500 5.5.1 what\r\n"))
    return behave


AUTHORING = [("foomail1", SMTP, foomail("mx.one.example", "1.2.3")), ("foomail2", SMTP, foomail("gate.two.example", "10.4"))]

SETS = {"hostile": HOSTILE, "script": SCRIPT, "authoring": AUTHORING}


def make_certificate(folder):
    key, certificate = os.path.join(folder, "key.pem"), os.path.join(folder, "cert.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=peer.example",
                    "-addext", "subjectAltName=DNS:peer.example,DNS:alt.example"], check=True, stderr=subprocess.DEVNULL)
    return certificate, key


def attend(connection, address, behave, certificate, heard):
    line = Line(connection, address, certificate)
    try:
        behave(line)
    except (Gone, OSError):
        pass
    finally:
        line.connection.close()
    heard.append({"address": address, "heard": line.heard.decode("latin-1"), "early": line.early.decode("latin-1")})


def listen(address, port, behave, certificate, heard):
    listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((address, port))
    listener.listen(16)

    def accept():
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=attend, args=(connection, address, behave, certificate, heard), daemon=True).start()
    threading.Thread(target=accept, daemon=True).start()


def all_peers(peers, networks):
    """(address, port, name, behave) for each network, and the one of IPv6."""
    for network in networks:
        for number, (name, port, behave) in enumerate(peers, 1):
            yield network + str(number), port, name, behave
    yield "::1", PLAIN, "ipv6", peer()


def main(folder, peers, networks):
    certificate, heard = make_certificate(folder), []
    with open(os.path.join(folder, "peers"), "w") as table:
        for address, port, name, behave in all_peers(peers, networks):
            try:
                listen(address, port, behave, certificate, heard)
                table.write(f"{address} {port} {name}\n")
            except OSError as problem:
                if problem.errno not in MISSING:
                    raise
    print("ready", flush=True)
    sys.stdin.read()
    with open(os.path.join(folder, "heard"), "w") as out:
        for entry in heard:
            out.write(json.dumps(entry) + "\n")


main(sys.argv[1], SETS[sys.argv[2]], sys.argv[3:])
