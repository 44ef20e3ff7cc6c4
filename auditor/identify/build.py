"""One device out of its ledger rows."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv6Address

from auditor.errors import DataError
from auditor.identify.keys import WEIGHTS, keys_of
from auditor.model.address import AddressSet, Mac
from auditor.model.device import Asked, Device, Link, Sighting
from auditor.model.hardware import MacSource, known_mac, source_of
from auditor.model.observation import Attempt, Observation, Origin, StoredAttempt

_ARP = frozenset({"arp", "link"})
_SCANNED = "scan"


def device_id(name: str) -> str:
    """Name a device after its first record, so that later ones do not rename it."""
    return "d-" + hashlib.sha256(name.encode("utf-8", "replace")).hexdigest()[:16]


def link(key: str, value: str) -> Link:
    """Say why records belong together."""
    weight, because = WEIGHTS[key]
    return Link(key, value, weight, because)


def build(
    identifier: str,
    links: tuple[Link, ...],
    proxies: frozenset[str],
    rows: Iterable[StoredAttempt],
    silent: Iterable[StoredAttempt] = (),
    astray: Iterable[tuple[int, str]] = (),
    doubts: Iterable[tuple[int, str]] = (),
) -> Device:
    """Add rows up to a device.

    proxies: MACs of routers that answer for others at its site. astray: rows that claim
    another's address or MAC, with the address that they came from. doubts: what speaks against rows.
    """
    senders, doubted = dict(astray), dict(doubts)
    found = (_sent_from(senders[row.seq], row) if row.seq in senders else row for row in rows)
    ordered = sorted(found, key=lambda s: (s.attempt.started, s.seq))
    unanswered = sorted(silent, key=lambda s: (s.attempt.started, s.seq))
    ips: dict[str, float] = {}
    macs: dict[str, float] = {}
    told: dict[str, set[tuple[MacSource, str]]] = {}
    hosts: dict[str, float] = {}
    sightings: dict[tuple[str, str, str], list[Sighting]] = {}
    answered_for: set[str] = set()
    for row in ordered:
        attempt, keys = row.attempt, keys_of(row.attempt)
        when = attempt.started.timestamp()
        behind = bool(keys.hardware) and keys.hardware[0] in proxies
        router = behind and attempt.endpoint.transport in _ARP
        if keys.ip and router:
            answered_for.add(keys.ip)
        elif keys.ip:
            ips[keys.ip] = when
        if not behind or router:
            macs.update(dict.fromkeys(keys.hardware, when))
            for mac in keys.hardware:
                told.setdefault(mac, set()).add((source_of(attempt), attempt.tool))
        hosts.update(dict.fromkeys(keys.hostnames, when))
        doubt = doubted.get(row.seq, "")
        for sighting in _sightings(row, doubt, hide_mac=behind and not router):
            _keep(sighting, sightings)
    if answered_for:
        ips, links = _router(ips, answered_for, macs, links)
    present = [row.attempt for row in ordered]
    known = sorted(macs, key=lambda mac: (Mac.parse(mac).is_local, -macs[mac], mac))
    return Device(
        id=identifier,
        site=ordered[0].site,
        ips=tuple(sorted(ips, key=lambda ip: (-ips[ip], ip_number(ip)))),
        macs=tuple(known),
        hostnames=tuple(sorted(hosts, key=lambda name: (-hosts[name], name))),
        sightings=tuple(s for kept in sightings.values() for s in kept),
        asked=_asked([*present, *(row.attempt for row in unanswered)]),
        first_seen=present[0].started,
        last_seen=present[-1].started,
        sources=tuple(sorted({_source(attempt) for attempt in present})),
        links=links,
        on_wire=any(a.origin in {Origin.WIRE, Origin.SIGHTING} for a in present),
        mac_sources=tuple(known_mac(mac, told[mac]) for mac in known),
    )


def _sent_from(ip: str, row: StoredAttempt) -> StoredAttempt:
    """Take the address and the MAC out of a reply that are not its sender's."""
    attempt = row.attempt
    own = replace(attempt.endpoint, ip=ip, mac=None)
    said = tuple(o for o in attempt.observations if o.field != "mac")
    return replace(row, attempt=replace(attempt, endpoint=own, observations=said))


def _router(
    ips: dict[str, float],
    answered_for: set[str],
    macs: dict[str, float],
    links: tuple[Link, ...],
) -> tuple[dict[str, float], tuple[Link, ...]]:
    """Say what a router answers for; its own address is not known: show the lowest one."""
    ranges = ", ".join(AddressSet.parse(sorted(answered_for)).texts())
    if not ips:
        ips = {min(answered_for, key=ip_number): 0.0}
    mac = next(iter(macs), "")
    because = f"{mac} answers ARP for {len(answered_for)} addresses: a router, not so many devices"
    return ips, (*links, Link("proxy_arp", ranges[:2000], 0, because))


def ip_number(ip: str) -> tuple[int, int]:
    """Give what addresses are sorted by: version and number; what is none comes last."""
    octets = ip.split(".")
    if len(octets) == 4 and ip.isascii() and all(map(str.isdigit, octets)):
        one, two, three, four = map(int, octets)
        return 4, one << 24 | two << 16 | three << 8 | four
    try:
        return 6, int(IPv6Address(ip.split("%", 1)[0]))
    except ValueError:
        return 9, 0


def _source(attempt: Attempt) -> str:
    if attempt.origin is Origin.WIRE:
        return _SCANNED
    return "officer" if attempt.origin is Origin.OFFICER else attempt.tool


def _sightings(row: StoredAttempt, doubt: str, *, hide_mac: bool) -> Iterable[Sighting]:
    attempt = row.attempt
    observations = attempt.observations
    if hide_mac:
        observations = tuple(o for o in observations if o.field != "mac")
    elif attempt.endpoint.mac and not any(o.field == "mac" for o in observations):
        try:
            mac = str(Mac.parse(attempt.endpoint.mac))
            observations = (Observation("mac", mac), *observations)
        except DataError:
            pass
    endpoint = attempt.endpoint
    for observation in observations:
        yield Sighting(
            observation, attempt.tool, endpoint, attempt.started, attempt.origin, row.seq, doubt
        )


def _keep(sighting: Sighting, kept: dict[tuple[str, str, str], list[Sighting]]) -> None:
    """Keep the first and the last sighting of the same thing: its history without its bulk."""
    key = (sighting.observation.field, sighting.observation.value, sighting.tool)
    seen = kept.setdefault(key, [])
    if seen:
        sighting = replace(sighting, observation=seen[0].observation)
    seen[1:] = [sighting] if seen else []
    if not seen:
        seen.append(sighting)


def _asked(attempts: Iterable[Attempt]) -> tuple[Asked, ...]:
    """Give the last outcome of each question; a later silence does not undo an answer."""
    last: dict[tuple[str, int], Asked] = {}
    for attempt in attempts:
        if attempt.origin is not Origin.WIRE:
            continue
        key = (attempt.tool, attempt.endpoint.port)
        detail, ip = attempt.detail[:200], attempt.endpoint.ip
        asked = Asked(*key, attempt.outcome, attempt.started, detail, ip)
        before = last.get(key)
        if before is None or asked.outcome.is_knowledge or not before.outcome.is_knowledge:
            last[key] = asked
    return tuple(last[key] for key in sorted(last))
