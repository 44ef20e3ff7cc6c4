"""Taking devices away: what proves it, what does not, and what opens it again."""

from datetime import UTC, date, datetime, timedelta

import pytest

from auditor.errors import UsageError
from auditor.model.policy import Verdict
from auditor.policy.removals import burn_down, removal, removal_rows

GC = "ca-gc-hikvision-2025"
MAC = ("mac", "44:19:b6:00:00:01")
FIRST = datetime(2026, 3, 2, 9, tzinfo=UTC)


def step(name, day, subject=(MAC,), **proof):
    return removal(
        by="G. Okafor", at=FIRST + timedelta(days=day), reason="plan 2026", subject=subject,
        step=name, **proof,
    )  # fmt: skip


PAPER = {"certificate": "R-2291"}
DONE = [step("isolated", 1), step("unplugged", 5), step("disposed", 9, **PAPER)]


@pytest.mark.parametrize("proof", [
    pytest.param({}, id="somebody-says-so"),
    pytest.param({"scans": 30}, id="not-seen-however-often"),
    pytest.param({"scans": 3, "port_down": True}, id="a-lease-may-still-be-held"),
    pytest.param({"scans": 2, "port_down": True, "no_lease": True}, id="too-few-scans"),
    pytest.param({"port_down": True, "no_lease": True}, id="nobody-looked"),
])  # fmt: skip
def test_not_seeing_it_is_no_proof(proof):
    with pytest.raises(UsageError, match="no proof"):
        step("disposed", 9, **proof)


@pytest.mark.parametrize("proof", [
    pytest.param(PAPER, id="a-disposal-record"),
    pytest.param({"document_sha256": "ab" * 32}, id="the-record-itself"),
    pytest.param({"scans": 3, "port_down": True, "no_lease": True}, id="absence-shown-three-ways"),
])  # fmt: skip
def test_a_proved_disposal_closes_the_finding(world, proof):
    one = world.device("Hikvision", first=FIRST)
    act = step("disposed", 9, **proof)
    (finding,) = world.ruled(one, GC, decisions=[act])
    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert finding.judged is Verdict.NONCONFORMING
    assert act.id in finding.because.en


@pytest.mark.parametrize("name", ["found", "isolated", "unplugged"])
def test_a_step_on_the_way_closes_nothing(world, name):
    one = world.device("Hikvision", first=FIRST)
    assert world.verdict(one, GC, decisions=[step(name, 3)]) == "nonconforming"


def test_a_camera_that_is_off_for_three_scans_stays_open(world):
    silent = world.device("Hikvision", first=FIRST)
    (row,) = removal_rows([], [silent], ["d1"])
    assert (row.state, row.proof) == ("found", "")


@pytest.mark.parametrize(("site", "subject"), [
    pytest.param("HQ", (MAC, ("site", "HQ")), id="at-the-same-site"),
    pytest.param("Depot", (MAC, ("site", "HQ")), id="its-hardware-address-at-another-site"),
    pytest.param("Depot", (("serial", "SN-1"), ("site", "HQ")), id="its-serial-at-another-site"),
])  # fmt: skip
def test_seen_again_anywhere_it_is_open_again(world, site, subject):
    act = step("disposed", 9, subject, **PAPER)
    back = world.device(
        "Hikvision", site=site, serial="SN-1", first=FIRST, last=FIRST + timedelta(20)
    )
    (finding,) = world.ruled(back, GC, decisions=[act])
    assert finding.verdict is Verdict.NONCONFORMING
    assert "seen again" in finding.because.en
    assert "revu" in finding.because.fr
    (row,) = removal_rows([act], [back], [])
    assert row.state == "reappeared"
    assert row.seen_again == f"{site} 2026-03-22"


def test_an_address_at_another_site_is_not_the_disposed_device(world):
    act = step("disposed", 9, (("ip", "192.0.2.9"), ("site", "HQ")), **PAPER)
    other = world.device("Hikvision", site="Depot", first=FIRST)
    assert world.verdict(other, GC, decisions=[act]) == "nonconforming"
    assert removal_rows([act], [other], []) == ()


def test_being_found_again_after_a_disposal_starts_over(world):
    again = [*DONE, step("found", 20)]
    one = world.device("Hikvision", first=FIRST)
    assert world.verdict(one, GC, decisions=again) == "nonconforming"
    (row,) = removal_rows(again, [one], [])
    assert row.state == "found"


def test_the_row_tells_the_whole_way(world):
    (row,) = removal_rows(DONE, [world.device("Hikvision", first=FIRST)], [])
    assert [s.step for s in row.steps] == ["isolated", "unplugged", "disposed"]
    assert (row.state, row.proof) == ("disposed", "disposal_record")
    assert all(s.by == "G. Okafor" for s in row.steps)


def test_a_disposal_from_elsewhere_without_proof_counts_as_unplugged(world):
    from dataclasses import replace

    bare = replace(DONE[-1], values=(("step", "disposed"),))
    one = world.device("Hikvision", first=FIRST)
    assert world.verdict(one, GC, decisions=[bare]) == "nonconforming"
    (row,) = removal_rows([bare], [one], [])
    assert row.state == "unplugged"


def test_the_burn_down_counts_every_device_on_every_day(world):
    devices = [
        world.device("Hikvision", name=f"d{n}", mac=f"44:19:b6:00:00:0{n}", first=FIRST)
        for n in (1, 2, 3)
    ]
    rows = removal_rows(DONE, devices, ["d1", "d2", "d3"])
    points = {point.day: point for point in burn_down(rows, devices, date(2026, 4, 1))}
    assert points[date(2026, 3, 2)].found == 3
    assert points[date(2026, 3, 3)].isolated == 1
    last = points[date(2026, 4, 1)]
    assert (last.found, last.disposed, last.open) == (2, 1, 2)


def test_a_long_burn_down_is_thinned_and_keeps_its_ends(world):
    many = [step("isolated", day) for day in range(1, 200)]
    devices = [world.device("Hikvision", first=FIRST)]
    points = burn_down(removal_rows(many, devices, []), devices, date(2026, 12, 1), points=10)
    assert len(points) == 10
    assert (points[0].day, points[-1].day) == (date(2026, 3, 2), date(2026, 12, 1))


def test_copenhagen_replaces_795_cameras_over_two_years(world):
    """A plan of two years: the curve falls, and is not at zero before the last one is gone."""
    devices = [
        world.device(
            "Hikvision", name=f"c{n}", mac=f"44:19:b6:01:{n >> 8:02x}:{n & 255:02x}", first=FIRST
        )
        for n in range(795)
    ]
    acts = [
        step("disposed", 30 * (n // 40 + 1), (("mac", one.device.macs[0]),), certificate=f"K-{n}")
        for n, one in enumerate(devices[:640])
    ]
    rows = removal_rows(acts, devices, [one.device.id for one in devices])
    curve = burn_down(rows, devices, date(2027, 12, 31))
    opens = [point.open for point in curve]
    assert opens == sorted(opens, reverse=True)
    assert (opens[0], opens[-1]) == (795, 155)


@pytest.mark.parametrize("scans", [-3, 10_000_000])
def test_a_number_of_scans_that_cannot_be_is_refused(scans):
    with pytest.raises(UsageError, match="no number of scans"):
        step("unplugged", 5, scans=scans)
