"""What needs no mail server: light.py ports PORT... | dns TABLE | proxy

ports  listens on the ports, of IPv4 and IPv6, and never says a word: something to compare with.
dns    answers PTR questions from a table (address, tab, ..., the name last), on 127.0.0.1.
proxy  stands in for boxes on the way: takes what nftables redirects to it and passes it on to where it was going. By the port that
       it was redirected to: 2501 passes all; 2502 masks the greeting and the keywords; 2503 removes STARTTLS.
"""

import asyncio
import ipaddress
import re
import socket
import struct
import sys


def listener(port, family):
    s = socket.socket(family)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    s.bind(("", port))
    s.listen(512)
    return s


async def hold(reader, writer):
    try:
        await reader.read(1)
    except OSError:
        pass
    writer.close()


async def ports(*numbers):
    for number in numbers:
        for family in socket.AF_INET, socket.AF_INET6:
            await asyncio.start_server(hold, sock=listener(int(number), family))


class Names(asyncio.DatagramProtocol):
    def __init__(self, path):
        self.names = {}
        for line in open(path):
            fields = line.rstrip("\n").split("\t")
            self.names[ipaddress.ip_address(fields[0]).reverse_pointer] = fields[-1]

    def connection_made(self, transport):
        self.transport = transport

    def datagram_received(self, data, client):
        labels, at = [], 12
        while data[at]:
            labels.append(data[at + 1:at + 1 + data[at]].decode())
            at += 1 + data[at]
        question = data[12:at + 5]
        name = self.names.get(".".join(labels).lower())
        answer = b""
        if name:
            coded = b"".join(bytes([len(x)]) + x.encode() for x in name.split(".")) + b"\0"
            answer = b"\xc0\x0c\0\x0c\0\x01\0\0\x0e\x10" + struct.pack(">H", len(coded)) + coded
        head = struct.pack(">HHHHH", 0x8580 if name else 0x8583, 1, 1 if name else 0, 0, 0)
        self.transport.sendto(data[:2] + head + question + answer, client)


async def dns(path):
    await asyncio.get_running_loop().create_datagram_endpoint(lambda: Names(path), ("127.0.0.1", 53))


def keep(line):
    return line


def mask(line):
    """What a firewall's SMTP inspection leaves of a greeting and of keywords that it does not know."""
    if line.startswith(b"220"):
        return b"220 " + b"*" * (len(line) - 6) + b"\r\n"
    return re.sub(rb"^(250[- ])(STARTTLS|CHUNKING|PIPELINING|PRDR|DSN)\b", lambda m: m[1] + b"X" * len(m[2]), line)


def strip(line):
    return b"" if line[4:12] == b"STARTTLS" else line


CHANGES = {2501: keep, 2502: mask, 2503: strip}


def destination(s):
    """Where the client wanted to go, as netfilter remembers it: SO_ORIGINAL_DST is 80 for both families."""
    if s.family == socket.AF_INET:
        port, address = struct.unpack(">2xH4s8x", s.getsockopt(socket.SOL_IP, 80, 16))
        return socket.inet_ntop(socket.AF_INET, address), port
    port, address = struct.unpack(">2xH4x16s4x", s.getsockopt(socket.IPPROTO_IPV6, 80, 28))
    return socket.inet_ntop(socket.AF_INET6, address), port


async def relay(reader, writer, change):
    try:
        # Bytes as they come where nothing is changed: TLS has no lines.
        while data := await (reader.read(65536) if change is keep else reader.readline()):
            writer.write(change(data))
            await writer.drain()
    except (OSError, ValueError):
        pass
    writer.close()


async def serve(reader, writer, change):
    s = writer.get_extra_info("socket")
    try:
        inner_reader, inner_writer = await asyncio.wait_for(asyncio.open_connection(*destination(s)), 5)
    except (OSError, asyncio.TimeoutError):
        writer.close()
        return
    await asyncio.gather(relay(inner_reader, writer, change), relay(reader, inner_writer, keep))


async def proxy():
    for port, change in CHANGES.items():
        for family in socket.AF_INET, socket.AF_INET6:
            await asyncio.start_server(lambda r, w, c=change: serve(r, w, c), sock=listener(port, family))


async def main(task, *arguments):
    await {"ports": ports, "dns": dns, "proxy": proxy}[task](*arguments)
    await asyncio.Event().wait()


asyncio.run(main(*sys.argv[1:]))
