"""JSON Lines of observations in, JSON Lines of identities out: `auditor identify --json`.

Lines are independent and the memory is bounded. Devices of one kind give the same claims by
the same rules whatever their nonces and serial numbers are, so what claims add up to is
worked out once for each combination of them.
"""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from json.encoder import encode_basestring_ascii as quoted
from typing import Any

from auditor.identify.evidence import of_observation
from auditor.identify.identify import as_json
from auditor.identify.knowledge import Knowledge
from auditor.identify.resolve import resolve
from auditor.identify.traits import settle
from auditor.model.identity import Evidence, Identity
from auditor.model.observation import Observation

LINE_CHARS = 8 << 20  # a longer line is no observation
OBSERVATIONS = 2_000  # in one line
REMEMBERED = 20_000
_Shape = tuple[tuple[str, str, str, str], ...]


def identify_lines(lines: Iterable[str], knowledge: Knowledge) -> Iterator[str]:
    """Answer each line, in order; a line that cannot be read with its id and the error."""
    writer = _Writer(knowledge)
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield writer.answer(line, number)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes answers; remembers what a shape of evidence came to."""

    knowledge: Knowledge
    shapes: dict[_Shape, tuple[str, str]] = field(default_factory=dict)
    heads: dict[tuple[str, str, str, str], str] = field(default_factory=dict)

    def answer(self, line: str, number: int) -> str:
        identifier: Any = None
        try:
            if len(line) > LINE_CHARS:
                raise ValueError(f"the line is longer than {LINE_CHARS} characters")
            asked = json.loads(line)
            if not isinstance(asked, dict):
                raise ValueError("not a JSON object")
            identifier = asked.get("id")
            seen = _observations(asked)
        except (ValueError, RecursionError) as error:
            said = f"line {number}: {error}"[:300]
            return json.dumps({"id": _plain(identifier), "error": said})
        name = quoted(identifier) if type(identifier) is str else json.dumps(_plain(identifier))
        return f'{{"id": {name}, {self.body(seen)}}}'

    def body(self, seen: Iterable[Observation]) -> str:
        """Write the identity that observations of one device add up to."""
        found: dict[tuple[str, str, str, str, str], Evidence] = {}
        for observation in seen:
            for e in of_observation(observation, self.knowledge):
                found.setdefault((e.trait, e.claim, e.rule, e.field, e.value), e)
        claims = tuple(found.values())
        shape = tuple((e.trait, e.claim, e.rule, e.field) for e in claims if e.trait != "serial")
        known = self.shapes.get(shape)
        if known is None:
            if len(self.shapes) >= REMEMBERED:
                self.shapes.clear()
            others = (e for e in claims if e.trait != "serial")
            known = self.shapes[shape] = _split(resolve(others, self.knowledge))
        serial = settle("serial", claims, self.knowledge)[0].value
        before, after = known
        evidence = ", ".join([self.evidence(e) for e in claims])
        said = "null" if serial is None else quoted(serial)
        return f'{before}"serial": {said}, {after}, "evidence": [{evidence}]'

    def evidence(self, evidence: Evidence) -> str:
        key = (evidence.trait, evidence.claim, evidence.rule, evidence.field)
        head = self.heads.get(key)
        if head is None:
            if len(self.heads) >= REMEMBERED:
                self.heads.clear()
            said = (evidence.trait, evidence.claim, evidence.rule)
            trait, claim, rule = map(quoted, said)
            head = self.heads[key] = (
                f'{{"trait": {trait}, "claim": {claim}, "rule": {rule}, '
                f'"strength": "{evidence.strength.value}", "field": {quoted(evidence.field)}, "value": '
            )
        return f"{head}{quoted(evidence.value)}}}"


def _split(identity: Identity) -> tuple[str, str]:
    """Write all but serial and evidence, in two parts: before the serial and after it."""
    said = as_json(identity)
    before = ("maker", "brand", "model")
    after = ("firmware", "device_class", "standing", "contradictions")
    one, other = (json.dumps({key: said[key] for key in keys})[1:-1] for keys in (before, after))
    return one + ", ", other


def _plain(identifier: Any) -> Any:
    if isinstance(identifier, float) and not math.isfinite(identifier):
        return None  # RFC 8259 knows no such number
    return identifier if isinstance(identifier, str | int | float | bool) else None


def _observations(asked: Mapping[str, Any]) -> list[Observation]:
    entries = asked.get("observations")
    if entries is None and "field" in asked:
        entries = [asked]
    if not isinstance(entries, list):
        raise ValueError("needs `observations`, or `field` and `value`")
    if len(entries) > OBSERVATIONS:
        raise ValueError(f"more than {OBSERVATIONS} observations")
    found = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise ValueError("an observation is an object with `field` and `value`")
        name, value = entry.get("field"), entry.get("value")
        if not isinstance(name, str) or not isinstance(value, str):
            raise ValueError("`field` and `value` are texts")
        found.append(Observation(name, value))
    return found
