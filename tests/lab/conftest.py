"""What the tests of the lab share: the shipped department, and ways to ask its devices.

The kernel's neighbour table is one for all networks of a machine and holds 1,024 entries by
default. Tests that are not about ARP know their neighbours beforehand, so that a sweep in
somebody else's namespace cannot make them fail.
"""

import socket
import subprocess
import time

import pytest

from auditor.errors import EnvironmentLack
from auditor.lab.department import Department
from auditor.lab.farm import Farm
from auditor.lab.links import NEAR, Links
from auditor.model.address import Mac


def acquaint(lab):
    """Let the scanner's network know the hardware address of every device that answers IP."""
    if isinstance(lab, Farm):
        known = [(host.ip, host.mac, NEAR) for host in lab.hosts]
    else:
        places = {name: NEAR + at for at, name in enumerate(lab.interfaces)}
        known = [
            (device.ip, Mac.parse(device.mac), places[device.segment])
            for device in lab.truth.devices
            if device.seen == "ip" and device.segment in places
        ]
    with lab.inside(), Links() as links:
        for interface in {interface for _, _, interface in known}:
            links.groups(interface)
        for ip, mac, interface in known:
            links.neighbour(ip, mac, interface)


@pytest.fixture(scope="session")
def start():
    """Start a lab, or skip where namespaces are not allowed."""

    def starting(make, *words, **knobs):
        try:
            lab = make(*words, **knobs)
        except EnvironmentLack as lack:
            pytest.skip(f"skipped, because {lack.what}: {lack.why}")
        acquaint(lab)
        return lab

    return starting


@pytest.fixture(scope="session")
def department(start):
    """The shipped department, started once."""
    with start(Department.start) as lab:
        yield lab


@pytest.fixture(scope="session")
def who_has():
    """Ask by a frame of our own who has an address; give all MACs that answered."""

    def asking(lab, interface, ip, rounds=1, wait=0.4):
        heard = set()
        with lab.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0608) as own:
            own.bind((interface, 0x0806))
            mac = own.getsockname()[4]
            body = b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01" + mac + socket.inet_aton("0.0.0.0")
            for _ in range(rounds):
                own.send(b"\xff" * 6 + mac + body + bytes(6) + socket.inet_aton(ip))
                until = time.monotonic() + wait
                while (left := until - time.monotonic()) > 0:
                    own.settimeout(left)
                    try:
                        frame = own.recv(128)
                    except TimeoutError:
                        break
                    if frame[20:22] == b"\0\x02" and frame[28:32] == socket.inet_aton(ip):
                        heard.add(frame[22:28].hex(":"))
        return heard

    return asking


@pytest.fixture(scope="session")
def gone():
    """Wait until processes are gone; give those that are still there after five seconds."""

    def waiting(processes):
        until = time.monotonic() + 5
        while left := subprocess.run(
            ["ps", "-o", "pid=,stat=", "-p", ",".join(map(str, processes))],
            capture_output=True,
            text=True,
        ).stdout:
            if time.monotonic() > until or all("Z" in line for line in left.splitlines()):
                break
            time.sleep(0.05)
        return [line for line in left.splitlines() if "Z" not in line]

    return waiting
