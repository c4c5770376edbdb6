"""Drives one mail server through the whole step catalogue (lua/deepid/steps.lua), for test/lab/record.

Each step is asked in the context that the catalogue names, on as many connections as that takes, with at most two errors
on each. A server that insists on TLS is asked again inside it. What the server said is kept byte for byte.
"""

import re
import select
import socket
import ssl
import time

NAME = b"scanner.example"
CONNECT_S = 10
GREETING_S = 25  # longer than any screen's delay
REPLY_S = 12
PARTING_S = 0.05  # in which one that leaves after a reply has left
LINGER_S = 0.4  # for what follows a reply to a step whose number of replies is not sure
REPLY_MAX = 65536
MOST_ERRORS = 2
MOST_UNKNOWN = 30  # of unknown commands, in search of the server's limit
TRIES, PAUSE_S = 4, 3  # for a connection that the server does not want yet
HELLOS = ("ehlo", "helo", "lhlo")
SECURED = ["hello", "starttls", "hello"]  # what comes first on a connection inside TLS


class Reply:
    """One reply: its bytes, how it ended, and the milliseconds until its first and its last byte."""

    def __init__(self):
        self.raw, self.end, self.first_ms, self.ms, self.began = b"", "timeout", None, 0, time.monotonic()

    def add(self, data):
        self.ms = round((time.monotonic() - self.began) * 1000)
        self.first_ms = self.ms if self.first_ms is None else self.first_ms
        self.raw += data

    def finals(self):
        """How many replies end in here: RFC 5321 4.2."""
        return len(re.findall(rb"^\d{3}(?: [^\n]*)?\r?\n", self.raw, re.M)) if self.raw.endswith(b"\n") else 0

    def code(self):
        """That of the last line: postscreen's teaser says 220- before it refuses."""
        return self.raw.rstrip(b"\r\n").split(b"\n")[-1][:3].decode("latin-1")

    def is_refusal(self):
        """Whether it may be meant for clear text alone: RFC 3207 4, or no answer at all."""
        return self.code() == "530" or (not self.raw and self.end in ("close", "reset"))


def waiting(link, seconds):
    pending = isinstance(link, ssl.SSLSocket) and link.pending()
    return pending or (seconds > 0 and select.select([link], [], [], seconds)[0])


def receive(link, patience_s, replies=1, linger_s=0):
    got, until = Reply(), time.monotonic() + patience_s
    while waiting(link, until - time.monotonic()):
        try:
            data = link.recv(4096)
        except ConnectionResetError:
            data, got.end = b"", got.end if got.end == "reply" else "reset"
        except TimeoutError:  # what came was TLS's own, a session ticket: RFC 8446 4.6.1
            continue
        if not data:
            got.end = "close" if got.end == "timeout" else got.end
            break
        got.add(data)
        if len(got.raw) > REPLY_MAX:
            got.end = "limit"
            break
        if got.finals() >= replies:
            got.end, until = "reply", time.monotonic() + linger_s
            if not linger_s:
                break
    if got.first_ms is None:
        got.first_ms = got.ms = round((time.monotonic() - got.began) * 1000)
    return got


class Connection:
    """One connection: the blocks of what was said on it, and what the server holds against us."""

    def __init__(self, driver, number):
        self.driver, self.number, self.tls = driver, number, "none"
        self.blocks, self.errors, self.open = [], 0, False
        self.link = socket.create_connection(driver.peer, timeout=CONNECT_S)
        self.greeting = receive(self.link, GREETING_S)
        self.note("greeting", b"", self.greeting)

    def note(self, name, sent, got, more=()):
        self.blocks.append((name, self.number, self.tls, sent, got, more))
        # Nothing more is said where the server waits for a message, a secret or a handshake.
        waits = got.code()[:1] == "3" or (got.code() == "220" and name in ("starttlsarg", "tlsagain"))
        self.open = got.end in ("reply", "timeout") and not waits and got.code() not in ("221", "421")
        if name != "greeting" and got.code()[:1] in ("4", "5"):
            self.errors += max(1, got.finals())

    def in_step(self):
        return self.open and self.blocks[-1][4].end == "reply"

    def welcome(self):
        return self.greeting.code()[:1] == "2" and self.greeting.end == "reply"

    def say(self, sent, *how):
        """Sends it and reads the answer; None when the server has left before."""
        try:
            self.link.sendall(sent)
        except OSError:
            return None
        return receive(self.link, REPLY_S, *how)

    def has_left(self):
        """Whether the server has closed after its reply, without a word: what is sent now it never reads."""
        if isinstance(self.link, ssl.SSLSocket):
            return False
        try:
            return bool(select.select([self.link], [], [], PARTING_S)[0]) and not self.link.recv(1, socket.MSG_PEEK)
        except ConnectionResetError:
            return True

    def ask(self, name):
        if self.has_left():
            self.open = False
            return None
        step = self.driver.steps[name]
        sent = step["say"].encode("latin-1").replace(b"{name}", NAME) + step.get("ending", "\r\n").encode()
        got = self.say(sent, step.get("replies", 1), LINGER_S if step.get("alone") else 0)
        # That the server closes on QUIT without a word, or has closed before, says nothing of this step.
        if got is None or (not got.raw and got.end in ("close", "reset") and name == "quit"):
            self.open = False
            return None
        secured = self.secure(got) if name == "starttls" and got.code() == "220" else None
        self.note(name, sent, got)
        if secured:
            self.link, self.tls = secured, "starttls"
        return got

    def secure(self, got):
        """The handshake after STARTTLS: the socket, or None and the step's end changed."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        try:
            self.link.settimeout(REPLY_S)
            return context.wrap_socket(self.link)
        except OSError:
            got.end = "error"
            return None

    def ask_until_closed(self):
        """How many unknown commands the server bears: one block, with as many lines on both sides."""
        sent, told, first_ms, began = b"", b"", None, time.monotonic()
        for errors in range(1, MOST_UNKNOWN + 1):
            got = self.say(b"XDEEPID\r\n")
            if got is None:
                errors -= 1
                break
            sent, told = sent + b"XDEEPID\r\n", told + got.raw
            first_ms = first_ms if first_ms is not None else got.first_ms
            if got.end != "reply" or got.code() in ("221", "421"):
                break
        if not sent:
            return
        whole = Reply()
        whole.raw, whole.first_ms, whole.ms = told, first_ms, round((time.monotonic() - began) * 1000)
        # Whether the last command was read before the end decides between close and reset: that is chance.
        whole.end = "close" if got is None or got.end == "reset" else got.end
        self.note("errorlimit", sent, whole, ("errors=%d" % errors,))
        self.open = self.in_step()

    def close(self):
        self.link.close()


class Gone(Exception):
    """The server wants no more connections from us."""


class Driver:
    def __init__(self, peer, catalogue, lmtp=False, pause_s=0):
        """pause_s: between connections, for a screen that must not remember us from the one before."""
        self.pause_s = pause_s
        self.peer, self.steps = peer, {step["name"]: step for step in catalogue}
        self.hello, self.number, self.blocks = "lhlo" if lmtp else "ehlo", 0, []

    def asked_after(self, *contexts):
        """The steps of these contexts, in the order of the catalogue, but for those that make one."""
        makers = HELLOS + ("greeting", "quit", "mail", "starttls")
        return [step for name, step in self.steps.items() if step["after"] in contexts and name not in makers]

    def plan_hello(self, hello):
        """The steps of each connection that may follow a hello, which takes these steps."""
        after_hello = self.asked_after("hello")
        yield hello + [step["name"] for step in after_hello if step["errors"] == 0]
        errors = [step["name"] for step in after_hello if step["errors"] and not step.get("alone")]
        for i in range(0, len(errors), MOST_ERRORS):
            yield hello + errors[i:i + MOST_ERRORS]
        for step in after_hello:
            if step.get("alone"):
                yield hello + [step["name"]]

    def plan_mail(self, hello):
        for step in self.asked_after("mail"):
            yield hello + ["mail", step["name"]]

    def plan(self):
        """The steps of each connection, but for greeting and quit. "hello" stands for what the server takes as such."""
        yield []
        yield from self.plan_hello(["hello"])
        for step in self.asked_after("connect", "refusal"):
            yield [step["name"]]
        if self.hello == "ehlo":
            yield ["helo"]
        yield from self.plan_mail(["hello"])
        yield SECURED + [step["name"] for step in self.asked_after("tls")]
        yield ["hello", "errorlimit"]
        if self.insists_on_tls():
            yield from self.plan_hello(SECURED)
            yield from self.plan_mail(SECURED)
            yield SECURED + ["errorlimit"]

    def insists_on_tls(self):
        """Whether it refuses most of what it is asked in clear text, and STARTTLS works."""
        steps = [step["name"] for context in ("hello", "mail") for step in self.asked_after(context)] + ["mail"]
        answers = [got for name, _, tls, _, got, _ in self.blocks if name in steps and tls == "none"]
        refused = [got for got in answers if got.is_refusal()]
        return 2 * len(refused) > len(answers) and any(block[2] == "starttls" for block in self.blocks)

    def connect(self):
        time.sleep(self.pause_s if self.number else 0)
        for attempt in range(TRIES):
            if attempt:
                time.sleep(PAUSE_S)
            try:
                connection = Connection(self, self.number + 1)
            except OSError:
                continue
            if connection.welcome() or self.number == 0:
                self.number += 1
                return connection
            connection.close()
        raise Gone()

    def greet(self, connection):
        """Says hello, in the way that the server takes; whether it did."""
        got = connection.ask(self.hello)
        if got and got.code()[:1] == "5" and self.hello == "ehlo" and connection.open:
            got = connection.ask("helo")
            self.hello = "helo" if got and got.code()[:1] == "2" else "ehlo"
        return bool(got) and got.code()[:1] == "2" and connection.open

    def ask_all(self, connection, steps):
        """Asks the steps; returns those that are to be asked on another connection."""
        first = next((n for n in (len(SECURED), 1) if steps[:n] == SECURED[:n]), 0)  # of them make the context
        for i, name in enumerate(steps):
            if name == "hello":
                if not self.greet(connection):
                    return []
                continue
            if name == "errorlimit":
                connection.ask_until_closed()
                return []
            left = steps[:first] + steps[i:] if i > first else []
            if not connection.in_step() or (connection.errors and connection.errors + self.steps[name]["errors"] > MOST_ERRORS):
                return left
            got = connection.ask(name)
            if got is None:
                return left
            accepted = got.code()[:1] == "2"
            if name in ("mail", "starttls") and not (accepted and connection.in_step()):
                return []
            # A sender that was accepted would colour what comes next.
            if name.startswith("mail") and accepted and steps[i + 1:] and "mail" not in steps and connection.in_step():
                connection.ask("rset")
        return []

    def converse(self, steps):
        """One connection; returns the steps that are to be asked on another."""
        connection = self.connect()
        left = self.ask_all(connection, steps) if connection.welcome() else []
        if connection.open:
            connection.ask("quit")
        connection.close()
        self.blocks += connection.blocks
        return left

    def drive(self):
        """All of it: a list of (step, connection, tls, sent, Reply, more settings)."""
        try:
            for steps in self.plan():
                left = self.converse(steps)
                while left:
                    left = self.converse(left)
                # One that refuses everybody has said all that it has to say.
                if self.number == 1 and self.blocks[0][4].code()[:1] != "2":
                    return self.blocks
        except Gone:
            pass
        return self.blocks
