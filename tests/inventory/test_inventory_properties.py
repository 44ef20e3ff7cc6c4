"""What holds of every coverage, reconciliation and comparison, whatever was seen."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.inventory.changes import changes
from auditor.inventory.coverage import coverage
from auditor.inventory.reconcile import reconcile
from auditor.model.address import AddressSet, Range, address
from auditor.model.coverage_note import Note
from auditor.model.device import Assessed, Coverage, Device, Gap, Reach, Sighting, SubnetCoverage
from auditor.model.identity import Identity, Standing, Trait
from auditor.model.observation import (
    Attempt,
    Endpoint,
    Observation,
    Origin,
    Outcome,
    Run,
    StoredAttempt,
)
from auditor.model.settled import Doors, settled

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
BASE = 10 << 24
NOBODY = AddressSet()
PRESENCE = frozenset({"arp", "connect"})
HOSTS = st.integers(0, 31).map(lambda n: address(4, BASE + n))
SETS = st.lists(
    st.tuples(st.integers(0, 31), st.integers(0, 6)).map(
        lambda p: Range(4, BASE + p[0], BASE + min(31, p[0] + p[1]))
    ),
    max_size=3,
).map(AddressSet.of)
ASKED = st.builds(
    lambda tool, ip, outcome: Attempt(tool, Endpoint(ip, port=80), outcome, (), NOON),
    st.sampled_from(["arp", "http", "connect"]),
    HOSTS,
    st.sampled_from(Outcome),
)
SWEPT = st.builds(
    lambda tool, sets: Attempt(
        tool, Endpoint(transport="arp"), Outcome.SILENT, (), NOON, detail=str(Note(*sets))
    ),
    st.sampled_from(["arp", "connect"]),
    st.tuples(SETS, SETS, SETS, SETS).filter(lambda sets: sets[0]),
)
SAID = st.lists(st.one_of(ASKED, SWEPT), max_size=12)


def run(excluded=NOBODY, status="complete", id="r1", started=NOON):
    scope = json.dumps({"networks": ["10.0.0.0/27"], "excluded": excluded.texts()})
    return Run(id=id, site="OTT", kind="scan", started=started, scope=scope, status=status)


def stored(said, run="r1"):
    return [StoredAttempt(at, run, "OTT", attempt) for at, attempt in enumerate(said, 1)]


def outline(found):
    return [(s.assessed, s.gaps, s.complete) for s in found.subnets]


@given(SAID, SETS)
def test_every_address_is_assessed_or_stands_in_exactly_one_gap(said, excluded):
    (subnet,) = coverage([run(excluded)], stored(said), PRESENCE).subnets
    gaps = [AddressSet.parse(gap.ranges) for gap in subnet.gaps]
    assert subnet.assessed + sum(gap.count for gap in subnet.gaps) == subnet.addresses == 32
    assert [part.size for part in gaps] == [gap.count for gap in subnet.gaps]
    whole = AddressSet.of(piece for part in gaps for piece in part.ranges)
    assert whole.size == sum(part.size for part in gaps)


@given(SAID, SETS)
def test_what_was_excluded_is_never_called_assessed(said, excluded):
    (subnet,) = coverage([run(excluded)], stored(said), PRESENCE).subnets
    told = [gap for gap in subnet.gaps if gap.reach is Reach.EXCLUDED]
    assert AddressSet.parse(t for gap in told for t in gap.ranges) == excluded


@given(SAID)
def test_a_visit_is_complete_only_if_every_address_answered_or_was_asked_where_it_must_answer(said):
    (subnet,) = coverage([run()], stored(said), PRESENCE).subnets
    if subnet.complete:
        assert {gap.reach for gap in subnet.gaps} <= {Reach.SILENT, Reach.EXCLUDED}


@given(SAID, st.randoms(use_true_random=False))
def test_the_order_of_the_attempts_does_not_change_the_coverage(said, random):
    mixed = list(said)
    random.shuffle(mixed)
    one, other = (coverage([run()], stored(s), PRESENCE) for s in (said, mixed))
    assert outline(one) == outline(other)


@given(SAID)
def test_a_crash_of_ours_never_makes_an_address_assessed(said):
    broken = [a for a in said if a.outcome in {Outcome.CRASHED, Outcome.NOT_TRIED}]
    (subnet,) = coverage([run()], stored(broken), PRESENCE).subnets
    assert subnet.assessed == 0 and not subnet.complete


@given(SAID)
def test_an_older_visit_does_not_fill_the_gaps_of_a_newer_one(said):
    later = run(id="r2", started=NOON + timedelta(days=1))
    (subnet,) = coverage([run(), later], stored(said), PRESENCE).subnets
    assert (subnet.run, subnet.assessed) == ("r2", 0)


def test_sightings_and_lists_are_no_visit():
    heard = Attempt("arp", Endpoint("10.0.0.1"), Outcome.ANSWERED, (), NOON, origin=Origin.SIGHTING)
    listed = Attempt("csv", Endpoint("10.0.0.2"), Outcome.ANSWERED, (), NOON, origin=Origin.FILE)
    (subnet,) = coverage([run()], stored([heard, listed]), PRESENCE).subnets
    assert subnet.assessed == 0


def test_an_ipv6_network_is_as_wide_as_it_is_and_never_complete():
    scope = json.dumps({"networks": ["fd00::/64"], "excluded": []})
    made = Run(id="r1", site="OTT", kind="scan", started=NOON, scope=scope, status="complete")
    said = [Attempt("http", Endpoint("fd00::7"), Outcome.ANSWERED, (), NOON)]
    (subnet,) = coverage([made], stored(said), PRESENCE).subnets
    assert (subnet.addresses, subnet.assessed, subnet.complete) == (1 << 64, 1, False)
    assert "not swept" in subnet.gaps[0].detail


# ---------------------------------------------------------------- resuming


@given(SAID)
def test_what_was_not_done_is_never_taken_for_settled(said):
    done = settled(said)
    for attempt in said:
        end = attempt.endpoint
        others = [a for a in said if (a.endpoint, a.tool) == (end, attempt.tool) and a.endpoint.ip]
        if end.ip and all(a.outcome in {Outcome.CRASHED, Outcome.NOT_TRIED} for a in others):
            assert (end.ip, attempt.tool, end.port) not in done.asked


@given(SAID)
def test_silence_is_not_presence(said):
    quiet = [a for a in said if a.outcome is Outcome.SILENT]
    assert not settled(quiet).present


def test_what_a_sweep_left_undone_is_asked_again():
    whole, left = AddressSet.parse(["10.0.0.0/29"]), AddressSet.parse(["10.0.0.4/30"])
    note = Attempt("arp", Endpoint(), Outcome.SILENT, (), NOON, detail=str(Note(whole, left=left)))
    assert settled([note]).swept["arp"].texts() == ("10.0.0.0-10.0.0.3",)


def test_somebody_elses_list_settles_nothing():
    listed = Attempt("arp", Endpoint("10.0.0.1"), Outcome.ANSWERED, (), NOON, origin=Origin.FILE)
    assert settled([listed]) == settled([])


def test_a_port_is_shut_only_where_it_was_asked_and_did_not_open():
    doors = Doors()
    hosts = AddressSet.parse(["10.0.0.1", "10.0.0.2"])
    note = str(Note(hosts, told=(("scanned", "80,443"),)))
    doors.note([
        Attempt("syn", Endpoint(), Outcome.SILENT, (), NOON, detail=note),
        Attempt("syn", Endpoint("10.0.0.1", port=80), Outcome.ANSWERED, (), NOON),
    ])  # fmt: skip
    assert doors.shut("10.0.0.1") == {443}
    assert doors.shut("10.0.0.2") == {80, 443}
    assert doors.shut("10.0.0.3") == frozenset()


# ---------------------------------------------------------------- the books


def device(name, *seen, ip="10.0.0.1", kind=None, site="OTT", wire=True):
    sightings = tuple(
        Sighting(Observation(*pair), "tool", Endpoint(ip), NOON, Origin.WIRE) for pair in seen
    )
    shape = Trait(kind, Standing.CONFIRMED) if kind else Trait()
    return Assessed(
        Device(name, site, (ip,), (), (), sightings, (), NOON, NOON, (), (), wire),
        Identity(device_class=shape),
    )


@pytest.mark.parametrize(
    "count", ["²", "٤", "9" * 5_000, "-4", "4.0", "", " 4", "\x1b", "4\n", "0x10"]
)
def test_a_hostile_count_of_channels_costs_nobody_the_report(count):
    """A device says what it likes of itself; one of them must not end the audit of a town."""
    recorder = device("nvr", ("device.channels_digital", count), kind="recorder")
    for line in reconcile([recorder], Coverage()):
        assert line.count <= 4_096


def test_cameras_of_another_site_are_not_a_recorders():
    recorder = device("nvr", ("device.channels_digital", "1"), kind="recorder")
    elsewhere = device("cam", kind="camera", site="MTL")
    kinds = [line.kind for line in reconcile([recorder, elsewhere], Coverage())]
    assert "channels_unaccounted" in kinds


def test_a_recorder_of_both_worlds_has_the_channels_of_both():
    both = (("device.channels_digital", "4"), ("device.channels_analogue", "8"))
    (line,) = (
        found
        for found in reconcile([device("nvr", *both, kind="recorder")], Coverage())
        if found.kind == "channels_unaccounted"
    )
    assert line.count == 12


def test_neighbours_of_long_addresses_are_counted_by_their_network():
    recorder = device("nvr", ("device.channels_digital", "2"), kind="recorder", ip="fd00::1")
    near, far = (device(ip, kind="camera", ip=ip) for ip in ("fd00::2", "fd01::2"))
    (line,) = (
        found
        for found in reconcile([recorder, near, far], Coverage())
        if found.kind == "channels_unaccounted"
    )
    assert line.count == 1


@given(st.lists(st.tuples(HOSTS, st.booleans()), max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_the_devices_does_not_change_the_books(said, random):
    gap = Gap(("10.0.0.9-10.0.0.12",), Reach.PROXY, 4)
    seen = Coverage(
        (SubnetCoverage("OTT", "10.0.0.0/27", 32, NOON, NOON, "", 1, (), (gap,), complete=False),)
    )
    devices = [device(f"d{n}", ip=ip, wire=wire) for n, (ip, wire) in enumerate(said)]
    mixed = list(devices)
    random.shuffle(mixed)
    assert reconcile(devices, seen) == reconcile(mixed, seen)


# ---------------------------------------------------------------- two reports

NAMES = st.sampled_from(["d1", "d2", "d3"])
DEVICES = st.lists(
    st.fixed_dictionaries({
        "id": NAMES,
        "site": st.sampled_from(["OTT", "MTL"]),
        "maker": st.sampled_from([None, "Hikvision", "Axis"]),
        "standing": st.sampled_from(["confirmed", "unknown"]),
        "serial": st.sampled_from([None, "S1", "S2"]),
        "macs": st.lists(st.sampled_from(["44:19:b6:00:00:01"]), max_size=1),
        "verdicts": st.dictionaries(st.just("p"), st.sampled_from(["review", "conforming"])),
        "evidence": st.just([]),
    }),
    max_size=3,
    unique_by=lambda device: device["id"],
)  # fmt: skip
REPORTS = DEVICES.map(lambda devices: {"devices": devices, "packs": [], "data_versions": []})


@given(REPORTS)
def test_a_report_differs_in_nothing_from_itself(report):
    assert changes(report, report) == ()


@given(REPORTS)
def test_from_nothing_all_is_new_and_to_nothing_all_is_gone(report):
    count = len(report["devices"])
    assert [c.kind for c in changes({}, report)] == ["new"] * count
    assert [c.kind for c in changes(report, {})] == ["gone"] * count


@given(REPORTS, REPORTS)
def test_no_device_is_both_new_and_compared(before, after):
    found = changes(before, after)
    fresh = {c.device for c in found if c.kind == "new"}
    assert not fresh & {c.device for c in found if c.kind in {"identity", "verdict"}}


@pytest.mark.parametrize("damaged", [{}, {"devices": []}, {"devices": [1, "x", None]}])
def test_a_report_that_is_damaged_compares_as_empty(damaged):
    assert changes(damaged, damaged) == ()
