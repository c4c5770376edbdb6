"""Hosts that answer SYNs in ways that no kernel does: hostile.py

A TUN device `hostile` in the namespace that it runs in takes what goes to 250.0.0.0/8. How 250.N.0.25 answers is HOSTS[N]; none says a word once the
connection stands.
"""

import fcntl
import os
import socket
import struct
import subprocess

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000
SYN, RST, ACK = 2, 4, 16
MSS = b"\x02\x04\x05\xb4"


def checksum(data):
    total = sum(struct.unpack(f">{(len(data) + 1) // 2}H", data + b"\0" * (len(data) % 2)))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ip(source, target, protocol, payload):
    head = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, source, target)
    return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + payload


def syn_ack(packet, options=MSS, offset=None, error=0):
    """What answers the SYN in `packet`; `offset` in words, and `error` is added to what is acknowledged."""
    source, target = packet[12:16], packet[16:20]
    sport, dport, seq = struct.unpack(">HHI", packet[20:28])
    words = offset if offset is not None else 5 + len(options) // 4
    head = struct.pack(">HHIIBBHHH", dport, sport, 1, (seq + 1 + error) & 0xFFFFFFFF, words << 4, SYN | ACK, 1000, 0, 0)
    segment = head + options
    pseudo = target + source + struct.pack(">HH", 6, len(segment))
    return ip(target, source, 6, segment[:16] + struct.pack(">H", checksum(pseudo + segment)) + segment[18:])


def exceeded(packet, quoted):
    """A Time Exceeded message that quotes so many bytes."""
    body = struct.pack(">BBHI", 11, 0, 0, 0) + packet[:quoted]
    return ip(socket.inet_aton("250.0.0.1"), packet[12:16], 1, body[:2] + struct.pack(">H", checksum(body)) + body[4:])


HOSTS = {
    1: lambda p: [syn_ack(p, b"\x02\x00\x00\x00")],                     # an option of length 0
    2: lambda p: [syn_ack(p, b"\x08\xff\x01\x01")],                     # an option longer than the header
    3: lambda p: [syn_ack(p, MSS, offset=15)],                          # a header longer than the packet
    4: lambda p: [syn_ack(p, error=i) for i in range(40, -1, -1)],     # wrong answers in plenty, then the right one
    5: lambda p: [exceeded(p, n) for n in range(0, 29)] + [syn_ack(p)],  # quotations cut short everywhere; the last one counts
    6: lambda p: [syn_ack(p, b"")],                                     # nothing wrong
}


def main():
    tun = os.open("/dev/net/tun", os.O_RDWR)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", b"hostile", IFF_TUN | IFF_NO_PI))
    for command in "link set hostile up", "route add 250.0.0.0/8 dev hostile":
        subprocess.run(["ip", *command.split()], check=True)
    while True:
        packet = os.read(tun, 65536)
        if packet[0] == 0x45 and packet[9] == 6 and packet[33] & (SYN | RST | ACK) == SYN:
            for answer in HOSTS.get(packet[17], HOSTS[6])(packet):
                os.write(tun, answer)


main()
