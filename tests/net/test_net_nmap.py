"""The nmap program as an engine: its reports are read as far as they go."""

import asyncio
import contextlib
import os
import shutil
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor.errors import EnvironmentLack, ScopeRefusal
from auditor.model.address import AddressSet
from auditor.model.coverage_note import read_note
from auditor.model.observation import Outcome
from auditor.net.nmap import arguments, attempts, find_program, read, sweep_nmap
from tests.net.stage import guard, inside, paced

REPORT = """<?xml version="1.0"?><!DOCTYPE nmaprun><nmaprun scanner="nmap">
<host><status state="up" reason="arp-response"/>
<address addr="10.9.0.10" addrtype="ipv4"/><address addr="02:AA:BB:CC:DD:01" addrtype="mac"/>
<ports><port protocol="tcp" portid="80"><state state="open"/></port>
<port protocol="tcp" portid="443"><state state="closed"/></port>
<port protocol="tcp" portid="554"><state state="filtered"/></port></ports></host>
<host><status state="down"/><address addr="10.9.0.11" addrtype="ipv4"/></host>
<host><status state="up"/><address addr="10.9.0.12" addrtype="ipv4"/></host>
</nmaprun>"""
ASKED = AddressSet.parse(["10.9.0.8/29"])
NOW = datetime.now(UTC)


def test_a_report_becomes_attempts_and_a_note():
    found = attempts(REPORT, ASKED, (80, 443, 554), NOW)
    told = [(a.endpoint.ip, a.endpoint.port, a.outcome) for a in found[:-1]]
    assert told == [
        ("10.9.0.10", 0, Outcome.ANSWERED),
        ("10.9.0.10", 80, Outcome.ANSWERED),
        ("10.9.0.10", 443, Outcome.REFUSED),
        ("10.9.0.12", 0, Outcome.ANSWERED),
    ]
    assert found[0].observations[0].value == "02:aa:bb:cc:dd:01"
    note = read_note(found[-1].detail)
    assert note.silent.size == 6 and not note.left and note.value("scanned") == "80,443,554"


@pytest.mark.parametrize("cut", range(0, len(REPORT) - 5, 7))
def test_a_report_that_was_cut_short_tells_what_it_holds_and_what_is_left(cut):
    found = attempts(REPORT[:cut], ASKED, (80,), NOW)
    note = read_note(found[-1].detail)
    hosts = {a.endpoint.ip for a in found[:-1]}
    assert hosts <= {"10.9.0.10", "10.9.0.12"}
    assert note.left.size == 8 - len(hosts) and not note.silent
    assert note.value("why") == "nmap was cut short"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no XML at all",
        "<nmaprun><host><address addr='nonsense' addrtype='ipv4'/></host></nmaprun>",
        '<!DOCTYPE x [<!ENTITY a "&b;">]><nmaprun>&a;</nmaprun>',
    ],
)
def test_a_hostile_report_is_nobody(text):
    assert read(text)[0] == []


def test_a_control_character_that_nmap_wrote_spoils_nothing():
    bad = REPORT.replace('reason="arp-response"', 'reason="&#x1b;[2J&#27;\x07"')
    found, whole = read(bad)
    assert whole and [host.ip for host in found] == ["10.9.0.10", "10.9.0.12"]


def test_the_options_keep_to_the_pace_and_run_no_scripts():
    said = arguments(paced(arp_per_s=10.0, packets_per_s=200.0, rounds=3), (80, 443), raw=True)
    assert said[said.index("--max-rate") + 1] == "10"
    assert said[said.index("--max-retries") + 1] == "2"
    assert not {"-sV", "-O", "-A", "-sC", "--script"} & set(said)


def test_under_a_delicate_pace_it_only_finds_out_who_is_there():
    pace = paced(profile="gentle", arp_per_s=10.0, packets_per_s=200.0)
    said = arguments(pace, (), raw=True)
    assert "-sn" in said and not {"-sS", "-sT", "-p"} & set(said)
    assert float(said[said.index("--max-rate") + 1]) < 10
    assert not [word for word in said if word.startswith("-PS")]


def test_it_knocks_on_no_port_of_its_own_choice():
    for raw in (True, False):
        assert "-PS80,554" in arguments(paced(), (554, 80), raw=raw)


def test_a_missing_program_is_said(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(EnvironmentLack, match="not installed"):
        find_program()


def gather(sweep):
    async def run():
        return [attempt async for batch in sweep for attempt in batch]

    return asyncio.run(run())


async def stopped(gate, after_s):
    """Let nmap begin, and stop it."""
    sweep = sweep_nmap(gate, AddressSet.parse(["10.9.0.8/29"]), (80,), raw=True)
    running = asyncio.ensure_future(anext(sweep))
    await asyncio.sleep(after_s)
    running.cancel()
    await asyncio.wait([running])


def slow_nmaps():
    """Count the nmap programs that send no faster than the test below lets them."""
    told = (path / "cmdline" for path in Path("/proc").iterdir() if path.name.isdigit())
    found = 0
    for path in told:
        with contextlib.suppress(OSError):
            words = path.read_bytes().split(b"\0")
            found += words[0].endswith(b"nmap") and b"0.7" in words
    return found


def until(holds, most_s=20.0):
    end = time.monotonic() + most_s
    while not holds() and time.monotonic() < end:
        time.sleep(0.05)
    return holds()


@pytest.mark.network
@pytest.mark.skipif(not shutil.which("nmap"), reason="the nmap program is not installed")
class TestOnTheWire:
    def test_the_program_finds_the_same_stations(self, cable):
        def scene():
            gate = guard("10.9.0.0/24", ports=(80, 443))
            return gather(sweep_nmap(gate, AddressSet.parse(["10.9.0.8/29"]), (80, 443), raw=True))

        found = inside(cable.here, scene)
        there = {a.endpoint.ip for a in found if a.endpoint.ip}
        assert there == {"10.9.0.10", "10.9.0.11", "10.9.0.12"}
        assert all(a.outcome is Outcome.REFUSED for a in found if a.endpoint.port)

    def test_it_is_killed_when_the_scope_ends(self, cable):
        def scene():
            gate = guard("10.9.0.0/24", ports=(80,), pace=paced(arp_per_s=1.0, packets_per_s=1.0))

            async def run():
                sweep = sweep_nmap(gate, AddressSet.parse(["10.9.0.0/24"]), (80,), raw=True)
                running = asyncio.ensure_future(anext(sweep))
                await asyncio.sleep(1.0)
                began = time.monotonic()
                running.cancel()
                await asyncio.wait([running])
                return time.monotonic() - began

            return asyncio.run(run())

        assert inside(cable.here, scene) < 2.0

    def test_what_it_may_send_is_written_down_before_it_begins(self, cable):
        """It does not say what it has sent, and may be killed with us at any moment."""

        def scene():
            journal = []
            pace = paced(arp_per_s=1.0, packets_per_s=1.0, rounds=2)
            gate = guard("10.9.0.0/24", ports=(80,), pace=pace, journal=journal.append)
            asyncio.run(stopped(gate, 0.5))
            return journal

        lines = {line.kind: line for line in inside(cable.here, scene)}
        assert {kind: line.count for kind, line in lines.items()} == {
            "arp": 16, "icmp": 16, "syn": 32,
        }  # fmt: skip
        assert all("at most" in line.detail for line in lines.values())

    @pytest.mark.skipif(not shutil.which("setpriv"), reason="setpriv (util-linux) is missing")
    def test_it_dies_with_who_started_it(self, cable):
        def scene():
            if not (child := os.fork()):
                pace = paced(arp_per_s=0.7, packets_per_s=0.7)
                asyncio.run(stopped(guard("10.9.0.0/24", ports=(80,), pace=pace), 60))
                os._exit(0)
            alive = until(lambda: slow_nmaps() == 1)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return alive, until(lambda: slow_nmaps() == 0)

        assert inside(cable.here, scene) == (True, True)

    def test_it_is_never_started_for_what_is_outside(self, cable):
        def scene():
            gate = guard("10.9.0.0/29", ports=(80,))
            return gather(sweep_nmap(gate, AddressSet.parse(["10.9.0.0/24"]), (80,), raw=True))

        with pytest.raises(ScopeRefusal):
            inside(cable.here, scene)
