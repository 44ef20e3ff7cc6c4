"""The same report for readers who may not see everything: Report -> Report.

Every format is then made of the redacted report, so nothing that was taken out can stand in
any of them. Addresses and names become stable stand-ins (`address-3`, `device-12`): the same
thing has the same stand-in everywhere, and the counts stay true.

public:      no addresses, names, places, serial or asset numbers, and no bytes of evidence.
contractor:  the same, but site, building, room and asset number stay, so that whoever takes
             a camera down can find it on the wall (not on the network).
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeVar, cast

from auditor.errors import UsageError
from auditor.model.device import Assessed, Device
from auditor.model.identity import Evidence
from auditor.model.report import Report

PROFILES = ("public", "contractor")
SHORT = 60  # signs of a value that is a name and no document
LONG = 8  # signs from which on a name is not part of another word by chance
WITHHELD = "[…]"
T = TypeVar("T")
# what a stranger's text may hold although nobody listed it: IPv4 (with prefix), MAC in its
# usual spellings, IPv6 with at least two groups
_IPV4 = r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2})?(?![\d.])"
_MAC = r"(?<![0-9A-Fa-f:])(?:[0-9A-Fa-f]{2}([:-]))(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![0-9A-Fa-f:])|(?<!\w)[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}(?!\w)"
_IPV6 = r"(?<![\w:])(?=[0-9A-Fa-f:]*::|(?:[0-9A-Fa-f]{1,4}:){7})(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?:%\w+)?(?:/\d{1,3})?(?![\w:])"
_ADDRESS = re.compile(f"{_MAC}|{_IPV4}|{_IPV6}")
# officers' facts that may stay; every other `asset.*` field goes
_PLAIN_RECORDS = frozenset(
    {"asset.owner_type", "asset.acquired", "asset.installed", "asset.removed", "asset.replacement",
     "asset.category", "asset.sensitivity", "asset.purpose", "asset.funding", "asset.network_exposure",
     "asset.privacy_assessment", "asset.risk_assessment", "asset.manufacturer", "asset.model",
     "asset.model_number", "asset.firmware", "asset.status"}
)  # fmt: skip
_PLACES = frozenset(
    {"asset.tag", "asset.site", "asset.building", "asset.floor", "asset.room", "asset.location"}
)


@dataclass(frozen=True, slots=True)
class _Names:
    """What stands in for what; `known` longest first, so that no name hides in a longer one."""

    known: dict[str, str]
    pattern: re.Pattern[str] | None

    def hide(self, text: str) -> str:
        """Replace every known name and whatever looks like an address."""
        if self.pattern:
            text = self.pattern.sub(lambda found: self.known[found[0].casefold()], text)
        return _ADDRESS.sub(lambda found: self.known.get(found[0].casefold(), "[address]"), text)


def redact(report: Report, profile: str) -> Report:
    """Give the report as `profile` may see it."""
    if profile not in PROFILES:
        raise UsageError(
            f"there is no redaction profile {profile!r}", hint=f"use {' or '.join(PROFILES)}"
        )
    names = _names(report, profile)
    places = profile == "contractor"
    slim = replace(
        report,
        devices=tuple(_slim(one, keep_places=places) for one in report.devices),
        runs=tuple(replace(run, scope="", vantage="", notes=()) for run in report.runs),
        raws=(),
    )
    return _walk(slim, names.hide)


def _names(report: Report, profile: str) -> _Names:
    known: dict[str, str] = {}
    for kind, values in _sources(report, profile):
        fresh = dict.fromkeys(value.strip().casefold() for value in values)
        number = 0
        for value in fresh:
            if len(value) > 1 and value not in known:
                number += 1
                known[value] = f"{kind}-{number}"
    longest = sorted(known, key=lambda name: (-len(name), name))
    # a long name is hidden wherever it stands (`AXIS_b8a44f…`), a short one only as a word
    told = (
        re.escape(n) if len(n) >= LONG else rf"(?<![^\W_]){re.escape(n)}(?![^\W_])" for n in longest
    )
    return _Names(known, re.compile("|".join(told), re.IGNORECASE) if longest else None)


def _sources(report: Report, profile: str) -> Iterator[tuple[str, list[str]]]:
    devices = [one.device for one in report.devices]
    yield "device", [device.id for device in devices]
    yield "address", [ip for device in devices for ip in device.ips]
    yield "network", [subnet.network for subnet in report.coverage.subnets]
    macs = [mac for device in devices for mac in device.macs]
    yield "hardware-address", [form for mac in macs for form in _spellings(mac)]
    yield "name", [name for device in devices for name in device.hostnames]
    serials = [one.identity.serial.value for one in report.devices if one.identity.serial.value]
    yield "serial", [*serials, *_recorded(report, frozenset({"asset.serial", "device.serial"}))]
    yield "person", list(_people(report))
    if profile == "public":
        yield "site", [*report.sites, *(device.site for device in devices)]
        yield "place", list(_recorded(report, _PLACES))


def _spellings(mac: str) -> tuple[str, ...]:
    bare = mac.replace(":", "")
    return mac, mac.replace(":", "-"), f"{bare[:4]}.{bare[4:8]}.{bare[8:]}", bare


def _people(report: Report) -> Iterator[str]:
    yield report.prepared_by
    for run in report.runs:
        yield run.operator
    for decision in report.decisions:
        yield from (decision.by, decision.requested_by)
    for row in report.annexes.removals:
        yield from (step.by for step in row.steps)
    yield from _recorded(report, frozenset({"asset.owner", "asset.custodian"}))


def _recorded(report: Report, wanted: frozenset[str]) -> Iterator[str]:
    for one in report.devices:
        for sighting in one.device.sightings:
            if sighting.observation.field in wanted:
                yield sighting.observation.value


def _slim(one: Assessed, *, keep_places: bool) -> Assessed:
    """Keep of a device what its cards need, without bytes, hosts and links."""
    device = one.device
    may_stay = _PLAIN_RECORDS | (_PLACES if keep_places else frozenset())
    kept = tuple(
        replace(s, observation=replace(s.observation, raw=b""))
        for s in device.sightings
        if s.observation.field in may_stay
    )
    slim: Device = replace(device, sightings=kept, links=(), hostnames=())
    return Assessed(slim, one.identity, one.notes)


def _without_bytes(piece: Evidence) -> Evidence:
    """Keep what was concluded; a whole reply may name its sender in ways nobody listed."""
    value = piece.value if len(piece.value) <= SHORT else WITHHELD
    return replace(piece, value=value, raw_sha256=None)


def _walk(value: T, hide: Callable[[str], str]) -> T:
    """Pass every text of a frozen value through `hide`; all else stays as it is."""
    changed: Any = value
    if isinstance(value, Enum):
        return value
    if isinstance(value, str):
        changed = hide(value)
    elif isinstance(value, tuple):
        changed = tuple(_walk(item, hide) for item in value)
    elif is_dataclass(value) and not isinstance(value, type):
        if isinstance(value, Evidence):
            changed = _without_bytes(value)
        new = {one.name: _walk(getattr(changed, one.name), hide) for one in fields(value)}
        changed = replace(value, **new)
    return cast("T", changed)
