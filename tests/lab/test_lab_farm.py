"""A farm is what its plan says, counted from the scanner's side."""

import errno
import socket
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import DataError
from auditor.lab.farm import Farm
from auditor.lab.farm_arp import Answering
from auditor.lab.farm_plan import FarmPlan, grow, kinds
from auditor.wire import sadp

SMALL = {
    "network": "10.78.0.0/20",
    "live": 200,
    "dead": 10,
    "quiet": 0.3,
    "spread_s": 0.1,
    "chatter": 50,
}


@pytest.fixture(scope="module")
def farm(start):
    with start(Farm.start, **SMALL) as grown:
        yield grown


def test_the_same_plan_grows_the_same_hosts_and_another_seed_others():
    words = [
        [(h.ip, h.mac, h.kind.name, h.manner) for h in grow(FarmPlan(live=50, seed=s))]
        for s in (1, 1, 2)
    ]
    assert words[0] == words[1] != words[2]


@settings(max_examples=25, deadline=None)
@given(
    live=st.integers(1, 400),
    dead=st.integers(0, 100),
    drip=st.floats(0, 0.5),
    seed=st.integers(0, 9),
)
def test_a_plan_is_kept_whatever_its_numbers(live, dead, drip, seed):
    plan = FarmPlan(network="10.78.0.0/20", live=live, dead=min(dead, live), drip=drip, seed=seed)
    hosts = grow(plan)
    assert len({h.ip for h in hosts}) == len({h.mac for h in hosts}) == live
    assert plan.scanner not in {h.ip for h in hosts}
    assert sum(h.silent for h in hosts) == plan.dead
    assert not any(h.mac.is_local or h.mac.is_group for h in hosts)
    assert [h.ip for h in hosts] == sorted((h.ip for h in hosts), key=socket.inet_aton)


def test_texts_of_a_host_leave_no_variable_unfilled():
    for kind in kinds(FarmPlan()):
        host = next(h for h in grow(FarmPlan(live=500)) if h.kind.name == kind.name)
        assert not [value for value in host.words().values() if "$" in value]


def test_a_plan_that_makes_no_sense_is_refused():
    with pytest.raises(DataError):
        Farm.start(live="many")
    with pytest.raises(DataError):
        Farm.start(network="10.0.0.0/29", live=100)
    with pytest.raises(DataError):
        Farm.start(kinds={"unicorn": 1})


def test_arp_loss_loses_about_its_share_and_never_invents():
    asked = bytes(12) + b"\x08\x06\x00\x01\x08\x00\x06\x04\x00\x01" + bytes(16)
    known, unknown = asked + bytes([10, 78, 0, 1]), asked + bytes([10, 78, 0, 2])
    answering = Answering({bytes([10, 78, 0, 1]): b"\xc4\x2f\x90\0\0\1"}, 0.2, 0, 0)
    answers = [answering.answer(known) for _ in range(2000)]
    assert 300 < answers.count(b"") < 500
    assert {a[22:32] for a in answers if a} == {b"\xc4\x2f\x90\0\0\1" + bytes([10, 78, 0, 1])}
    assert answering.answer(unknown) == b""
    assert answering.answer(known[:20]) == b""


@pytest.mark.network
def test_exactly_the_live_hosts_answer_arp_each_with_its_own_mac(farm):
    told = farm.run(
        ["arp-scan", "-I", "eth0", "-N", "-B", "10M", "-r", "2", "-t", "200", "-x", farm.network],
        capture_output=True,
        text=True,
        timeout=60,
    )
    if told.returncode and not told.stdout:
        pytest.skip(f"skipped, because arp-scan is missing: {told.stderr}")
    found = dict(line.split("\t")[:2] for line in told.stdout.splitlines())
    assert found == {host.ip: str(host.mac) for host in farm.hosts}


@pytest.mark.network
def test_ports_are_open_refused_or_silent_as_planned(farm):
    def state(ip, port):
        with farm.inside(), socket.socket() as own:
            own.settimeout(0.4)
            return errno.errorcode.get(own.connect_ex((ip, port)), "open")

    plain = next(h for h in farm.hosts if not h.silent and not h.quiet)
    quiet = next(h for h in farm.hosts if not h.silent and h.quiet)
    dead = next(h for h in farm.hosts if h.silent)
    assert {state(plain.ip, port) for port in plain.ports} == {"open"}
    assert state(plain.ip, 4444) == "ECONNREFUSED"
    assert state(quiet.ip, quiet.ports[0]) == "open"
    assert state(quiet.ip, 4444) == "EAGAIN"
    assert state(dead.ip, 80) == "EAGAIN"
    assert {(plain.ip, plain.ports[0]), (quiet.ip, quiet.ports[0])} <= farm.open_ports


@pytest.mark.network
def test_a_web_server_of_the_farm_says_the_words_of_its_kind(farm):
    for host in [h for h in farm.hosts if 80 in h.ports][:20]:
        with farm.inside(), socket.create_connection((host.ip, 80), 2) as own:
            own.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert own.recv(65_536).startswith(b"HTTP/1."), host.kind.name
    told = farm.report()
    assert told["requests"] >= 20
    assert told["violations"] == []
    assert told["received"]["tcp-syn"]["frames"] >= 20


@pytest.mark.network
def test_one_discovery_question_is_answered_by_all(farm):
    speakers = {
        h.ip: str(h.mac)
        for h in farm.hosts
        if not h.silent and any(s.kind == "sadp" for s in h.kind.udp)
    }
    heard = {}
    with (
        farm.inside(),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as group,
    ):
        member = socket.inet_aton("239.255.255.250") + socket.inet_aton(farm.plan.scanner)
        group.bind(("", 37020))
        group.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, member[4:])
        own.sendto(sadp.inquiry(1), ("239.255.255.250", 37020))
        until = time.monotonic() + 2
        while time.monotonic() < until and len(heard) < len(speakers):
            for ear in (own, group):
                ear.settimeout(0.02)
                try:
                    data, sender = ear.recvfrom(65_536)
                except TimeoutError:
                    continue
                if reply := sadp.read_reply(data):
                    heard[sender[0]] = reply.mac
    assert heard == speakers


@pytest.mark.network
def test_loss_delay_and_odd_manners_are_as_asked(start):
    knobs = {"arp_loss": 0.3, "arp_delay_s": 0.08, "tarpit": 0.5, "drip": 0.5, "witness": True}
    grown = start(Farm.start, network="10.79.0.0/24", live=100, **knobs)
    with grown as farm:
        once = farm.run(
            ["arp-scan", "-I", "eth0", "-N", "-r", "1", "-t", "300", "-i", "1", "-x", farm.network],
            capture_output=True,
            text=True,
            timeout=60,
        )
        if once.stdout:
            assert 40 < len(once.stdout.splitlines()) < 95
        assert {host.manner for host in farm.hosts} == {"tarpit", "drip"}
        assert farm.report()["sent"]["kinds"]["arp"]["frames"] >= 254


@pytest.mark.network
def test_a_farm_leaves_no_process_behind(start, gone):
    with start(Farm.start, network="10.79.0.0/24", live=5) as other:
        keeper = other._keeper.pid
        children = subprocess.run(["pgrep", "-P", str(keeper)], capture_output=True, text=True)
        family = [keeper, *map(int, children.stdout.split())]
        assert len(family) == 3
    assert gone(family) == []
