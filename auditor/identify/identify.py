"""Who made a device: from all that was seen of it, under one state of knowledge. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from auditor.identify.evidence import of_observation, of_sightings
from auditor.identify.keys import SHARED_TAG
from auditor.identify.knowledge import Knowledge
from auditor.identify.resolve import resolve
from auditor.model.device import Device
from auditor.model.identity import Contradiction, Evidence, Identity
from auditor.model.observation import Observation, Origin

VISIT = timedelta(days=1)  # what was heard within a day of the last word is one visit
_HEARD = (Origin.WIRE, Origin.SIGHTING)


def identify(device: Device, knowledge: Knowledge) -> Identity:
    """Give the identity of a device.

    Where earlier and later visits name different makers, the last visit counts: the device
    behind the address was replaced. That is said as the contradiction `replaced`.
    """
    found = _with_doubts(_identified(device, knowledge), device)
    if not any(link.key == SHARED_TAG for link in device.links):
        return found
    # the tag itself is a place to find the device at, and stands where it may be shown
    clash = Contradiction("shared_tag", "tag", "", "")
    return replace(found, contradictions=(*found.contradictions, clash))


def _with_doubts(found: Identity, device: Device) -> Identity:
    """Say of evidence that is in doubt what speaks against it, once for each reason."""
    doubted = [e for e in found.evidence if e.doubt]
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


def _identified(device: Device, knowledge: Knowledge) -> Identity:
    whole = resolve(of_sightings(device.sightings, knowledge), knowledge)
    if not any(clash.code == "two_makers" for clash in whole.contradictions):
        return whole
    heard = [s.seen for s in device.sightings if s.origin in _HEARD]
    if not heard or max(heard) - min(heard) <= VISIT:
        return whole
    since = max(heard) - VISIT
    last = [s for s in device.sightings if s.origin not in _HEARD or s.seen >= since]
    found = resolve(of_sightings(last, knowledge), knowledge)
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
