"""The books against the wire."""

from datetime import UTC, datetime

import pytest

from auditor.inventory.reconcile import reconcile
from auditor.model.device import Assessed, Coverage, Device, Gap, Reach, Sighting, SubnetCoverage
from auditor.model.identity import Contradiction, Identity, Standing, Trait
from auditor.model.observation import Endpoint, Observation, Origin

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def seen(field, value, origin=Origin.WIRE):
    return Sighting(Observation(field, value), "tool", Endpoint(ip="10.0.0.1"), NOON, origin)


def device(name, *sightings, ip="10.0.0.1", kind=None, contradictions=(), heard=None):
    wire = any(s.origin is Origin.WIRE for s in sightings) if heard is None else heard
    shape = Trait(kind, Standing.CONFIRMED) if kind else Trait()
    return Assessed(
        Device(name, "OTT", (ip,) if ip else (), (), (), sightings, (), NOON, NOON, (), (), wire),
        Identity(device_class=shape, contradictions=contradictions),
    )


def looked(*gaps):
    return Coverage(
        (SubnetCoverage("OTT", "10.0.0.0/24", 256, NOON, NOON, "", 1, (), gaps, complete=True),)
    )


LISTED = seen("asset.tag", "A-1", Origin.FILE)
HEARD = seen("http.server", "x")


@pytest.mark.parametrize(
    ("sightings", "gaps", "ip", "kind"),
    [
        pytest.param([LISTED, HEARD], [], "10.0.0.1", "matched", id="in-both"),
        pytest.param([HEARD], [], "10.0.0.1", "not_in_books", id="only-heard"),
        pytest.param(
            [LISTED], [Gap(("10.0.0.1",), Reach.SILENT, 1)], "10.0.0.1", "not_on_wire", id="silent"
        ),
        pytest.param(
            [LISTED],
            [Gap(("10.0.0.1",), Reach.EXCLUDED, 1)],
            "10.0.0.1",
            "never_looked",
            id="excluded",
        ),
        pytest.param([LISTED], [], "10.9.9.9", "never_looked", id="outside-every-scan"),
        pytest.param([LISTED], [], "", "never_looked", id="no-address-known"),
    ],
)
def test_each_device_stands_in_one_column(sightings, gaps, ip, kind):
    found = reconcile([device("d1", *sightings, ip=ip)], looked(*gaps))
    assert [line.kind for line in found] == [kind]


def test_a_brand_that_differs_is_said_beside():
    told = (Contradiction("brand_differs", "maker", "Honeywell", "Hikvision"),)
    found = reconcile([device("d1", LISTED, HEARD, contradictions=told)], looked())
    assert {line.kind for line in found} == {"matched", "brand_differs"}


def test_channels_without_a_camera_are_tasks():
    recorder = device("nvr", HEARD, seen("device.channels_digital", "16"), kind="recorder")
    cameras = [device(f"c{n}", HEARD, ip=f"10.0.0.{n}", kind="camera") for n in range(2, 6)]
    far = device("far", HEARD, ip="10.0.9.9", kind="camera")
    lines = {line.kind: line for line in reconcile([recorder, far, *cameras], looked())}
    assert lines["channels_unaccounted"].count == 12
    assert dict(lines["channels_unaccounted"].detail) == {"channels": "16", "cameras_seen": "4"}


def test_two_recorders_do_not_count_the_same_camera():
    pair = [
        device(
            name, HEARD, seen("device.channels_digital", "4"), kind="recorder", ip=f"10.0.0.{at}"
        )
        for at, name in enumerate(("nvr1", "nvr2"), 10)
    ]
    cameras = [device(f"c{n}", HEARD, ip=f"10.0.0.{n}", kind="camera") for n in range(2, 7)]
    lines = [r for r in reconcile([*pair, *cameras], looked()) if r.kind == "channels_unaccounted"]
    assert sum(line.count for line in lines) == 3


def test_addresses_that_a_router_answers_for_are_ghosts():
    found = reconcile([], looked(Gap(("10.0.0.9-10.0.0.20",), Reach.PROXY, 12)))
    assert [(line.kind, line.count) for line in found] == [("ghost", 12)]


def test_nonsense_in_a_channel_count_is_passed_over():
    recorder = device("nvr", HEARD, seen("device.channels_digital", "many"), kind="recorder")
    assert {line.kind for line in reconcile([recorder], looked())} == {"not_in_books"}
