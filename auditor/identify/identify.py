"""Who made a device: from all that was seen of it, under one state of knowledge. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from auditor.identify.evidence import of_observation, of_sightings
from auditor.identify.knowledge import Knowledge
from auditor.identify.resolve import resolve
from auditor.model.device import Device
from auditor.model.identity import Contradiction, Evidence, Identity
from auditor.model.observation import Observation

LINE_CHARS = 8 << 20  # a longer line is no observation
OBSERVATIONS = 2_000  # in one line


def identify(device: Device, knowledge: Knowledge) -> Identity:
    """Give the identity of a device."""
    return resolve(of_sightings(device.sightings, knowledge), knowledge)


def of_observations(observations: Iterable[Observation], knowledge: Knowledge) -> Identity:
    """Give the identity that observations of one device add up to."""
    return resolve((e for o in observations for e in of_observation(o, knowledge)), knowledge)


def identify_lines(lines: Iterable[str], knowledge: Knowledge) -> Iterator[str]:
    """Answer JSON Lines of observations with JSON Lines of identities, in order.

    A line that cannot be read is answered with its id (where it has one) and the error.
    The answer to the same observations is worked out once.
    """
    known: dict[tuple[tuple[str, str], ...], str] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _answered(line, number, knowledge, known)


def _answered(
    line: str, number: int, knowledge: Knowledge, known: dict[tuple[tuple[str, str], ...], str]
) -> str:
    identifier: Any = None
    try:
        if len(line) > LINE_CHARS:
            raise ValueError(f"the line is longer than {LINE_CHARS} characters")
        asked = json.loads(line)
        if not isinstance(asked, dict):
            raise ValueError("not a JSON object")
        identifier = asked.get("id")
        pairs = _pairs(asked)
    except (ValueError, RecursionError) as error:
        said = f"line {number}: {error}"[:300]
        return json.dumps({"id": _plain(identifier), "error": said})
    body = known.get(pairs)
    if body is None:
        body = _written(pairs, knowledge)
        if len(known) >= 20_000:
            known.clear()
        if sum(len(value) for _, value in pairs) < 2_000:
            known[pairs] = body
    return f'{{"id": {json.dumps(_plain(identifier))}, {body}'


def _plain(identifier: Any) -> Any:
    return identifier if isinstance(identifier, str | int | float | bool) else None


def _pairs(asked: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    entries = asked.get("observations")
    if entries is None and "field" in asked:
        entries = [asked]
    if not isinstance(entries, list):
        raise ValueError("needs `observations`, or `field` and `value`")
    if len(entries) > OBSERVATIONS:
        raise ValueError(f"more than {OBSERVATIONS} observations")
    pairs = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise ValueError("an observation is an object with `field` and `value`")
        field, value = entry.get("field"), entry.get("value")
        if not isinstance(field, str) or not isinstance(value, str):
            raise ValueError("`field` and `value` are texts")
        pairs.append((field, value))
    return tuple(pairs)


def _written(pairs: tuple[tuple[str, str], ...], knowledge: Knowledge) -> str:
    identity = of_observations((Observation(*pair) for pair in pairs), knowledge)
    return json.dumps(as_json(identity))[1:]


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
    """Write one piece of evidence: `claim` is `trait=value`."""
    return {
        "claim": f"{evidence.trait}={evidence.claim}",
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
