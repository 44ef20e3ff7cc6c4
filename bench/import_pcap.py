"""How fast is a capture imported, against a bare loop of scapy's RawPcapReader over the same file?

    python bench/import_pcap.py [--megabytes 1024]

Prints packets a second of both, their ratio and the growth of memory. The traffic is what
a network with cameras carries: mostly video (TCP), names (DNS), some ARP, discovery and web replies.
"""

import argparse
import resource
import struct
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from auditor.importers.pcap import IMPORTER
from auditor.model.observation import Attempt
from auditor.plugins import Options


def ipv4(source, target, protocol, payload):
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 1, 0, 64, protocol, 0, source, target
    )
    return head + payload


def mac(n):
    return b"\x44\x19\xb6" + n.to_bytes(3, "big")


def ip(n):
    return bytes((10, 40, n >> 8 & 255, n & 255))


def tcp(port, load):
    return struct.pack("!HHIIBBHHH", port, 50000, 1, 1, 0x50, 0x10, 1000, 0, 0) + load


def udp(source, target, load):
    return struct.pack("!HHHH", source, target, 8 + len(load), 0) + load


def arp(host):
    words = (1, 0x800, 6, 4, 1, mac(host), ip(host), bytes(6), ip(1))
    return b"\xff" * 6 + mac(host) + b"\x08\x06" + struct.pack("!HHBBH6s4s6s4s", *words)


def frames():
    reply = tcp(80, b"HTTP/1.1 200 OK\r\nServer: Acme-Webs/1.0\r\n\r\n<title>x</title>")
    for n in range(1, 2000):
        host = n % 250 + 1
        ether = mac(254) + mac(host) + b"\x08\x00"
        if n % 50 == 0:
            yield arp(host)
        elif n % 97 == 0:
            yield ether + ipv4(ip(host), ip(999), 6, reply)
        elif n % 10 == 0:
            yield ether + ipv4(ip(host), ip(999), 17, udp(5000, 53, bytes(40)))
        else:
            yield ether + ipv4(ip(host), ip(999), 6, tcp(554, bytes(700)))


def write(path, megabytes):
    block = b"".join(struct.pack("<IIII", 1_700_000_000, 0, len(f), len(f)) + f for f in frames())
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for _ in range(max(1, (megabytes << 20) // len(block))):
            out.write(block)


def peer(path):
    from scapy.utils import RawPcapReader

    began, count = time.perf_counter(), 0
    with RawPcapReader(str(path)) as packets:
        for _ in packets:
            count += 1
    return count, time.perf_counter() - began


def ours(path):
    began, count = time.perf_counter(), 0
    with path.open("rb") as file:
        for item in IMPORTER.read(file, Options("hq", datetime.now(UTC), name=path.name)):
            count += isinstance(item, Attempt)
    return count, time.perf_counter() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--megabytes", type=int, default=1024)
    megabytes = parser.parse_args().megabytes
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bench.pcap"
        write(path, megabytes)
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        taken, mine = ours(path)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        packets, bare = peer(path)
    print(f"{packets} packets, {megabytes} MB, {taken} records")
    print(
        f"import {packets / mine:,.0f} packets/s; bare RawPcapReader {packets / bare:,.0f} packets/s"
    )
    print(f"ratio {bare / mine:.2f} (target 0.5); memory grew by {grown:.0f} MB")


if __name__ == "__main__":
    main()
