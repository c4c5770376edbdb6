"""A line between two namespaces, 192.168.20.0/24, that takes its time: slow.py SPACE SPACE [MS]

Each end is a TUN device in one of the namespaces; what comes out of one goes into the other MS later, 10 by default. This stands in for
the kernel's own netem, which not every kernel has.
"""

import ctypes
import fcntl
import heapq
import os
import select
import struct
import subprocess
import sys
import time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000


def setns(descriptor):
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, 0x40000000):
        raise OSError(ctypes.get_errno(), "setns")


def end(space, host):
    """The device `slow` in a namespace, as a file."""
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    with open(f"/run/netns/{space}") as other:
        setns(other.fileno())
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH", b"slow", IFF_TUN | IFF_NO_PI))
    setns(own)
    os.close(own)
    for command in f"addr add 192.168.20.{host}/24 dev slow", "link set slow up":
        subprocess.run(["ip", "-n", space, *command.split()], check=True)
    return tun


def main(near, far, ms="10"):
    delay_s = int(ms) / 1000
    ends = [end(near, 1), end(far, 2)]
    waiting, count = [], 0
    while True:
        timeout = max(0, waiting[0][0] - time.monotonic()) if waiting else None
        for tun in select.select(ends, [], [], timeout)[0]:
            packet = os.read(tun, 65536)
            count += 1
            heapq.heappush(waiting, (time.monotonic() + delay_s, count, ends[1 - ends.index(tun)], packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, tun, packet = heapq.heappop(waiting)
            os.write(tun, packet)


main(*sys.argv[1:])
