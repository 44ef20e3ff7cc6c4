"""Who made a device: from all that was seen of it, under one state of knowledge. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from auditor.identify.bridged import SHARED_MAC
from auditor.identify.current import superseded
from auditor.identify.evidence import of_observation, of_sightings
from auditor.identify.hearsay import EARLIER_HOLDER, VISIT
from auditor.identify.keys import SHARED_TAG
from auditor.identify.knowledge import Knowledge
from auditor.identify.resolve import resolve
from auditor.model.device import Device, Sighting
from auditor.model.identity import Contradiction, Evidence, Identity, Strength
from auditor.model.observation import Observation, Origin

_HEARD = (Origin.WIRE, Origin.SIGHTING)
_OF_OTHERS = (SHARED_MAC, EARLIER_HOLDER)  # doubts that what was heard is of this device


def identify(device: Device, knowledge: Knowledge) -> Identity:
    """Give the identity of a device.

    Where earlier and later visits name different makers, the last visit counts: the device
    behind the address was replaced. That is said as the contradiction `replaced`, or `gone`
    where what answers now names nobody. What was heard long before the hardware address was
    known may be of an earlier holder of the IP address, and a hardware address that several
    machines answer with may be of none of them: these name nobody by themselves.
    """
    ours = [s for s in device.sightings if s.doubt not in _OF_OTHERS]
    found = _with_past(_identified(ours, device, knowledge), ours, device, knowledge)
    if len(ours) < len(device.sightings):
        for code in _OF_OTHERS:
            found = _with_others(code, found, device, knowledge)
    found = _with_doubts(found, device)
    if not any(link.key == SHARED_TAG for link in device.links):
        return found
    # the tag itself is a place to find the device at, and stands where it may be shown
    clash = Contradiction("shared_tag", "tag", "", "")
    return replace(found, contradictions=(*found.contradictions, clash))


def _with_past(
    found: Identity, ours: list[Sighting], device: Device, knowledge: Knowledge
) -> Identity:
    """Say of a maker that only superseded answers name that it was seen here."""
    past = of_sightings(superseded(ours, device.asked), knowledge)
    named = _another(resolve(past, knowledge).maker.value, found, knowledge) if past else None
    if named is None:
        return found
    rules = tuple(sorted({e.rule for e in past if e.claim == named}))
    now = found.maker.value
    code, one = ("replaced", now) if now else ("gone", next(iter(device.ips), ""))
    clash = Contradiction(code, "maker", one, named, rules)
    return replace(found, contradictions=(*found.contradictions, clash))


def _with_others(code: str, found: Identity, device: Device, knowledge: Knowledge) -> Identity:
    """Add what may be of another device: a hint, and said, where it names another maker."""
    past = of_sightings([s for s in device.sightings if s.doubt == code], knowledge)
    if not past:
        return found
    named = _another(resolve(past, knowledge).maker.value, found, knowledge)
    if named is None:
        whole = resolve((*found.evidence, *past), knowledge)
        return replace(whole, contradictions=found.contradictions)
    hints = [replace(e, strength=Strength.HINT) for e in past if e.trait == "maker"]
    rules = tuple(sorted({e.rule for e in hints}))
    clash = Contradiction(code, "maker", next(iter(device.ips), ""), named, rules)
    evidence = (*found.evidence, *hints)
    return replace(found, evidence=evidence, contradictions=(*found.contradictions, clash))


def _another(name: str | None, found: Identity, knowledge: Knowledge) -> str | None:
    """Give a maker's name where what was found does not speak of it already."""
    now, makers = found.maker.value, knowledge.makers
    if name is None or any(name in {c.one, c.other} for c in found.contradictions):
        return None
    if now is None:
        return name
    alike = makers.same_house(name, now) or makers.sold_as(name, now) or makers.sold_as(now, name)
    return None if alike else name


def _with_doubts(found: Identity, device: Device) -> Identity:
    """Say of evidence that is in doubt what speaks against it, once for each reason."""
    doubted = [e for e in found.evidence if e.doubt and e.doubt not in _OF_OTHERS]
    clashes = []
    for code in dict.fromkeys(e.doubt for e in doubted):
        mine = [e for e in doubted if e.doubt == code]
        seqs = {e.attempt for e in mine}
        told = [s for s in device.sightings if s.doubt == code and s.seq in seqs]
        where = ", ".join(dict.fromkeys(s.endpoint.ip for s in told if s.endpoint.ip))
        tools = ", ".join(sorted({s.tool for s in told}))
        rules = tuple(sorted({e.rule for e in mine}))
        clashes.append(Contradiction(code, "address", where, tools, rules))
    return replace(found, contradictions=(*found.contradictions, *clashes)) if clashes else found


def _identified(ours: list[Sighting], device: Device, knowledge: Knowledge) -> Identity:
    whole = resolve(of_sightings(ours, knowledge, device.asked), knowledge)
    if not any(clash.code == "two_makers" for clash in whole.contradictions):
        return whole
    heard = [s.seen for s in ours if s.origin in _HEARD]
    if not heard or max(heard) - min(heard) <= VISIT:
        return whole
    since = max(heard) - VISIT
    last = [s for s in ours if s.origin not in _HEARD or s.seen >= since]
    found = resolve(of_sightings(last, knowledge, device.asked), knowledge)
    earlier = {e.claim for e in whole.evidence if e.trait == "maker"} - {found.maker.value}
    if found.maker.value is None or any(c.code == "two_makers" for c in found.contradictions):
        return whole
    rules = tuple(sorted({e.rule for e in whole.evidence if e.claim in earlier}))
    clash = Contradiction("replaced", "maker", found.maker.value, ", ".join(sorted(earlier)), rules)
    return replace(found, contradictions=(*found.contradictions, clash))


def of_observations(observations: Iterable[Observation], knowledge: Knowledge) -> Identity:
    """Give the identity that observations of one device add up to."""
    return resolve((e for o in observations for e in of_observation(o, knowledge)), knowledge)


def as_json(identity: Identity) -> dict[str, Any]:
    """Write an identity as `identify --json` and `devices --json` do."""
    return {
        "maker": identity.maker.value,
        "brand": identity.brand.value,
        "model": identity.model.value,
        "serial": identity.serial.value,
        "firmware": identity.firmware.value,
        "device_class": identity.device_class.value,
        "standing": identity.standing.value,
        "evidence": [evidence_json(e) for e in identity.evidence],
        "contradictions": [contradiction_json(c) for c in identity.contradictions],
    }


def evidence_json(evidence: Evidence) -> dict[str, str]:
    """Write one piece of evidence."""
    return {
        "trait": evidence.trait,
        "claim": evidence.claim,
        "rule": evidence.rule,
        "strength": evidence.strength.value,
        "field": evidence.field,
        "value": evidence.value,
    }


def contradiction_json(clash: Contradiction) -> dict[str, Any]:
    """Write one contradiction."""
    return {
        "code": clash.code,
        "trait": clash.trait,
        "one": clash.one,
        "other": clash.other,
        "rules": list(clash.rules),
    }
