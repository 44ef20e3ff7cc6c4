"""Replies that are forged down to the IP address of their sender, by frames of our own."""

import json
import os
import socket
import struct
import subprocess
import sys
from pathlib import Path

import pytest

from tests.net.stage import Aside, Cable

ROOT = Path(__file__).parent.parent
GC = "ca-gc-hikvision-2025"
FORGER = ("10.9.0.66", "02:bb:00:00:00:66")
VICTIM = "10.9.0.11"  # who answers ARP and nothing else
CAMERA = "44:19:b6:00:00:64"
# source address, MAC in the frame, MAC in the reply
REPLIES = [
    (VICTIM, FORGER[1], None),
    ("10.9.0.77", FORGER[1], "44:19:b6:00:00:77"),
    ("192.168.1.64", CAMERA, CAMERA),
    ("192.168.1.65", FORGER[1], "44:19:b6:00:00:65"),
]
pytestmark = [pytest.mark.network, pytest.mark.slow]


def octets(mac):
    return bytes.fromhex(mac.replace(":", ""))


def sadp(ip, mac):
    said = f"<MAC>{mac.replace(':', '-')}</MAC>" if mac else ""
    return (
        "<ProbeMatch><Types>inquiry</Types><DeviceDescription>DS-2CD2143G0-I</DeviceDescription>"
        f"{said}<DeviceSN>DS-2CD2143G0-I20190910AAWRD5000{ip[-4:].replace('.', '0')}</DeviceSN>"
        f"<IPv4Address>{ip}</IPv4Address></ProbeMatch>"
    ).encode()


def datagram(source, frame_mac, data, to_mac, to_ip, to_port):
    udp = struct.pack("!HHHH", 37020, to_port, 8 + len(data), 0) + data
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 64, 17, 0,
                       socket.inet_aton(source), to_ip)  # fmt: skip
    total = sum(struct.unpack("!10H", head))
    total = (total & 0xFFFF) + (total >> 16)
    head = head[:10] + struct.pack("!H", ~total & 0xFFFF) + head[12:]
    return to_mac + octets(frame_mac) + b"\x08\0" + head + udp


def forge(ready):
    """Answer ARP at an address of its own, and each SADP question under many names."""
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3)) as sock:
        sock.bind(("v1", 3))
        ready.set()
        mine = socket.inet_aton(FORGER[0])
        while True:
            raw = sock.recv(4_096)
            if raw[12:14] == b"\x08\x06" and raw[20:22] == b"\0\1" and raw[38:42] == mine:
                claims = octets(FORGER[1]) + mine
                head = raw[6:12] + octets(FORGER[1]) + b"\x08\x06\0\1\x08\0\6\4\0\2"
                sock.send((head + claims + raw[22:32]).ljust(60, b"\0"))
            asks = raw[12:14] == b"\x08\0" and raw[23] == 17 and b"<Types>inquiry" in raw
            if asks and raw[26:30] == socket.inet_aton("10.9.0.1"):
                (port,) = struct.unpack("!H", raw[34:36])
                for source, frame, stated in REPLIES:
                    data = sadp(source, stated)
                    sock.send(datagram(source, frame, data, raw[6:12], raw[26:30], port))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Audit a segment on which somebody forges."""
    if os.geteuid() != 0:
        pytest.skip("skipped, because network namespaces need root here")
    cable, out = Cable(), tmp_path_factory.mktemp("forged")
    try:
        cable.lay()
        command = ["ip", "netns", "exec", cable.here, sys.executable, "-m", "auditor",
                   "--db", f"sqlite:///{out}/ledger.db", "audit", "10.9.0.0/25", "--pack", GC,
                   "--pace", "300", "--out", str(out / "report")]  # fmt: skip
        env = {**os.environ, "PYTHONPATH": str(ROOT)}
        with Aside(cable.there, forge):
            ended = subprocess.run(
                command, capture_output=True, text=True, env=env, timeout=120, check=False
            )
    finally:
        cable.cut()
    assert (out / "report/report.json").exists(), ended.stderr[-2000:]
    return json.loads((out / "report/report.json").read_text())


def at(report, ip):
    (one,) = (d for d in report["devices"] if ip in d["ips"])
    return one


def codes(device):
    return {clash["code"] for clash in device["contradictions"]}


def test_whose_name_is_borrowed_is_not_accused(report):
    victim = at(report, VICTIM)
    assert victim["maker"] is None and victim["verdicts"][GC] not in {"nonconforming", "review"}
    assert codes(victim) == set()


def test_who_borrowed_it_is_reviewed_and_not_condemned(report):
    forger = at(report, FORGER[0])
    assert forger["macs"] == [FORGER[1]] and forger["verdicts"][GC] == "review"
    assert codes(forger) == {"sent_by_other"}


def test_where_nobody_is_somebody_is_reviewed(report):
    ghost = at(report, "10.9.0.77")
    assert ghost["verdicts"][GC] == "review" and codes(ghost) == {"nobody_there"}


def test_a_forged_factory_address_is_reviewed_and_a_true_one_condemned(report):
    forged, true = at(report, "192.168.1.65"), at(report, "192.168.1.64")
    assert forged["verdicts"][GC] == "review" and codes(forged) == {"sent_by_other"}
    assert true["verdicts"][GC] == "nonconforming" and codes(true) == set()
    assert true["macs"] == [CAMERA]
