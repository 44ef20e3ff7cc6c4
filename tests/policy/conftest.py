"""A made-up world to judge: devices in one line each, the shipped packs, a few relations."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from auditor.model.device import Asked, Assessed, Coverage, Device, Sighting
from auditor.model.identity import Identity, Standing, Trait
from auditor.model.observation import Endpoint, Observation, Origin, Outcome
from auditor.model.policy import Relation
from auditor.policy.judge import judge, verdicts
from auditor.policy.packs import load_packs

PACKS = {
    pack.id: pack for pack in load_packs([Path(__file__).parents[2] / "auditor" / "data" / "packs"])
}
TODAY = date(2026, 11, 23)
SEEN = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
RELATIONS = {
    "EZVIZ": (Relation("EZVIZ", "Hikvision", "subsidiary"), Relation("EZVIZ", "CN", "country")),
    "Huawei": (Relation("Huawei", "CN", "country"),),
    "HiLook": (Relation("HiLook", "Hikvision", "own_brand"),),
    "LTS": (Relation("LTS", "Hikvision", "oem_rebrand"),),
    "Honeywell": (
        Relation("Honeywell", "Dahua", "oem_rebrand", valid_to=date(2022, 4, 30)),
        Relation("Honeywell", "US", "country"),
    ),
    "Lorex": (
        Relation("Lorex", "Dahua", "subsidiary", date(2018, 1, 1), date(2022, 11, 30)),
        Relation("Lorex", "Dahua", "divested", date(2022, 12, 1)),
    ),
    "HiSilicon": (Relation("HiSilicon", "Huawei", "component_only"),),
    "Hikvision": (Relation("Hikvision", "CN", "country"),),
    "Dahua": (Relation("Dahua", "CN", "country"),),
    "Axis": (Relation("Axis", "SE", "country"),),
}


def device(
    maker=None, standing="confirmed", *, name="d1", site="HQ", brand=None, kind="camera",
    mac="44:19:b6:00:00:01", serial=None, first=SEEN, last=None, looked=True, evidence=(),
    against=(), contradictions=(), **records,
):  # fmt: skip
    """One device; keywords that nothing else takes are officers' records (`asset.…`)."""
    last = last or first
    endpoint = Endpoint(ip="192.0.2.9", port=80)
    sightings = [
        Sighting(Observation(f"asset.{key}", value), "asset_csv", endpoint, first, Origin.FILE)
        for key, value in records.items()
    ]
    if looked:
        sightings.append(
            Sighting(Observation("http.server", "App-webs/"), "http", endpoint, last, Origin.WIRE)
        )
    asked = (Asked("http", 80, Outcome.ANSWERED, last),) if looked else ()
    maker_trait = Trait(maker, Standing(standing), tuple(evidence), tuple(against))
    known = lambda value: Trait(value, Standing.CONFIRMED) if value else Trait()
    identity = Identity(
        maker=maker_trait if maker else Trait(None, Standing.UNKNOWN, (), tuple(against)),
        brand=known(brand),
        serial=known(serial),
        device_class=known(kind),
        evidence=tuple(evidence),
        contradictions=tuple(contradictions),
    )
    return Assessed(
        Device(
            name, site, ("192.0.2.9",), (mac,), (), tuple(sightings), asked, first, last,
            ("scan",), on_wire=looked,
        ),
        identity,
    )  # fmt: skip


def ruled(assessed, *packs, today=TODAY, decisions=(), relations=RELATIONS, zone="UTC", **more):
    """Judge devices under shipped packs, all of them unless some are named."""
    many = list(assessed) if isinstance(assessed, (list, tuple)) else [assessed]
    chosen = [PACKS[name] for name in packs] or list(PACKS.values())
    return judge(many, chosen, relations, decisions, Coverage(), today, zone, **more)


def verdict(assessed, pack, **more):
    """The verdict of one device under one pack, as a word."""
    findings = ruled(assessed, pack, **more)
    return str(verdicts(findings)[assessed.device.id][pack])


@pytest.fixture
def world():
    return SimpleNamespace(
        device=device, ruled=ruled, verdict=verdict, packs=PACKS, today=TODAY, seen=SEEN,
        day=timedelta(days=1), relations=RELATIONS,
    )  # fmt: skip
