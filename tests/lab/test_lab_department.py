"""A small department of real namespaces: hosts answer as said, and everything is witnessed."""

import socket
import subprocess
import sys

import pytest

from auditor.errors import DataError
from auditor.lab.department import Department

pytestmark = pytest.mark.network

WEB = {
    "kind": "http",
    "port": 80,
    "routes": [
        {
            "path": "/",
            "head": "HTTP/1.1 200 OK\nServer: made-up\nContent-Length: $length",
            "body": "at $ip",
        }
    ],
}
DEVICES = [
    {"name": "web", "services": [WEB, {"kind": "shut", "ports": [443]}]},
    {"name": "silent", "silent": True},
    {"name": "printer", "services": [{"kind": "trap", "port": 9100}]},
    {"name": "weak", "services": [WEB], "fragile": {}},
    {
        "name": "ears",
        "services": [
            {
                "kind": "udp",
                "port": 37020,
                "group": "239.255.255.250",
                "needle": "who",
                "reply": "me, $mac",
            }
        ],
    },
]


@pytest.fixture(scope="module")
def lab(start):
    with start(Department.of, DEVICES) as department:
        yield department


def sh(lab, script):
    return lab.run(["sh", "-c", script], capture_output=True, text=True, timeout=30).stdout


def ask(lab, ip, port, words, wait=2.0):
    with lab.inside(), socket.create_connection((ip, port), wait) as own:
        own.settimeout(wait)
        own.sendall(words)
        return own.recv(65_536)


def test_a_host_answers_from_its_own_address_and_mac(lab, who_has):
    assert ask(lab, "10.20.1.1", 80, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").endswith(b"at 10.20.1.1")
    assert who_has(lab, "eth0", "10.20.1.1") == {"02:00:00:00:00:01"}


def test_a_closed_port_refuses_and_a_shut_one_is_silent(lab):
    with pytest.raises(ConnectionRefusedError):
        ask(lab, "10.20.1.1", 81, b"")
    with pytest.raises(TimeoutError):
        ask(lab, "10.20.1.1", 443, b"", wait=0.5)


def test_a_silent_host_answers_arp_and_nothing_else(lab, who_has):
    with pytest.raises(OSError):
        ask(lab, "10.20.1.2", 80, b"", wait=0.5)
    assert who_has(lab, "eth0", "10.20.1.2") == {"02:00:00:00:00:02"}
    assert who_has(lab, "eth0", "10.20.1.77") == set()


def test_a_multicast_question_is_answered(lab):
    with lab.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
        own.settimeout(2)
        own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.20.1.254"))
        own.sendto(b"who", ("239.255.255.250", 37020))
        assert own.recvfrom(1500) == (b"me, 02:00:00:00:00:05", ("10.20.1.5", 37020))


def test_touching_a_printing_port_is_a_violation(lab):
    sh(
        lab,
        "exec 3<>/dev/null; nc -w1 -z 10.20.1.3 9100 || bash -c 'echo </dev/tcp/10.20.1.3/9100'",
    )
    assert {"device": "printer", "what": "port 9100 was touched"} in lab.report()["violations"]


def test_a_fragile_host_survives_what_it_can_and_dies_of_more(lab):
    assert ask(lab, "10.20.1.4", 80, b"GET / HTTP/1.1\r\n\r\n")
    assert "weak" not in lab.report()["dead"]
    for _ in range(6):
        with lab.inside(), socket.socket() as own:
            own.settimeout(0.2)
            own.connect_ex(("10.20.1.4", 80))
    assert lab.report()["dead"]["weak"] == "more than 4 connections in a second"


def test_what_the_scanner_sent_is_counted(lab):
    before = lab.report()["sent"]["kinds"].get("icmp", {"frames": 0})["frames"]
    sh(lab, "ping -c3 -i0.01 -W1 10.20.1.1")
    sent = lab.report()["sent"]
    assert sent["kinds"]["icmp"]["frames"] == before + 3
    assert sent["kinds"]["icmp"]["peak_per_s"] >= 3
    assert sent["unseen"] == 0


def test_nothing_is_left_behind_even_after_kill_9(gone):
    script = (
        "import os, signal, sys; from auditor.lab.department import Department\n"
        "lab = Department.of([{}]); lab.popen(['sleep', '1000'])\n"
        "print(lab.scanner, lab._keeper.pid, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    made = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=30
    )
    if made.returncode != -9:
        pytest.skip(f"skipped, because {made.stderr[-300:]}")
    assert gone(made.stdout.split()) == []
    assert not subprocess.run(["pgrep", "-f", "^sleep 1000$"], capture_output=True).stdout


def test_nonsense_is_refused_with_every_mistake():
    with pytest.raises(DataError) as caught:
        Department.of([{"name": "a", "persona": "nobody"}, {"name": "a"}])
    assert "two devices are called a" in caught.value.why
    assert "no persona nobody" in caught.value.why
