"""Officers' decisions to merge and to split, as sets of records.

A merge joins everything that its identifiers name. A split keeps what `subject` names apart
from what `values` names (without values: each identifier of the subject from the others).
A later decision about the same devices overrules an earlier one; a withdrawn one never was.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.errors import DataError
from auditor.identify.forest import Side
from auditor.identify.keys import hostname_key, plain_key, serial_key
from auditor.identify.records import Records
from auditor.model.address import Mac, canonical_ip
from auditor.model.policy import Decision, DecisionKind

_KINDS = {
    "mac": "mac",
    "serial": "serial",
    "id": "sadp_id",
    "sadp_id": "sadp_id",
    "tag": "asset_tag",
    "asset_tag": "asset_tag",
    "asset.tag": "asset_tag",
    "ip": "ip",
    "hostname": "hostname",
}
Names = tuple[tuple[str, str], ...]  # kind and normalised value


@dataclass(frozen=True, slots=True)
class Decided:
    """together: records of each merge. apart: a side of a split and its records."""

    together: tuple[tuple[int, ...], ...] = ()
    apart: tuple[tuple[Side, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class _Act:
    """One decision in force: the sides that it names."""

    kind: DecisionKind
    site: str
    sides: tuple[Names, ...]

    @property
    def merges(self) -> bool:
        return self.kind is DecisionKind.MERGE


def decided(decisions: Iterable[Decision], records: Records) -> Decided:
    """Find the records that decisions speak of."""
    acts = _in_force(tuple(decisions))
    if not acts:
        return Decided()
    wanted = {(act.site, *name) for act in acts for side in act.sides for name in side}
    found: dict[tuple[str, str, str], list[int]] = {}
    for site, kind, value in sorted(wanted):
        for place in [site] if site else sorted({s for s, _ in records.firsts}):
            first = records.firsts.get((place, kind), {}).get(value)
            if first is not None:
                more = records.more.get((place, kind), {}).get(value, [first])
                found.setdefault((site, kind, value), []).extend(more)
    together: list[tuple[int, ...]] = []
    apart: list[tuple[Side, tuple[int, ...]]] = []
    split = 0
    for act in acts:
        sides = [
            tuple(n for name in side for n in found.get((act.site, *name), ()))
            for side in act.sides
        ]
        if act.merges:
            together.append(tuple(dict.fromkeys(n for side in sides for n in side)))
            continue
        for at, one in enumerate(sides):
            for other in sides[at + 1 :]:
                apart += [((split, 0), one), ((split, 1), tuple(n for n in other if n not in one))]
                split += 1
    return Decided(tuple(t for t in together if len(t) > 1), tuple(apart))


def _in_force(decisions: Sequence[Decision]) -> tuple[_Act, ...]:
    withdrawn = {d.withdraws for d in decisions if d.kind is DecisionKind.WITHDRAWN}
    acts = [
        _act(d)
        for d in sorted(decisions, key=lambda d: (d.at, d.id))
        if d.kind in {DecisionKind.MERGE, DecisionKind.SPLIT} and d.id not in withdrawn
    ]
    return tuple(
        act
        for at, act in enumerate(acts)
        if not any(_overrules(later, act) for later in acts[at + 1 :])
    )


def _act(decision: Decision) -> _Act:
    subject, values = _names(decision.subject), _names(decision.values)
    site = dict(decision.subject).get("site", "")
    if decision.kind is DecisionKind.MERGE:
        return _Act(decision.kind, site, (subject + values,))
    sides = (subject, values) if values else tuple((name,) for name in subject)
    return _Act(decision.kind, site, sides)


def _overrules(later: _Act, earlier: _Act) -> bool:
    """Tell whether a later act says the opposite of the same devices."""
    if later.merges == earlier.merges or later.site != earlier.site:
        return False
    split, merge = (earlier, later) if later.merges else (later, earlier)
    named = {name for side in merge.sides for name in side}
    return sum(1 for side in split.sides if named & set(side)) > 1


def _names(pairs: Iterable[tuple[str, str]]) -> Names:
    found = []
    for key, value in pairs:
        kind = _KINDS.get(key)
        folded = _folded(kind, value) if kind else None
        if kind and folded:
            found.append((kind, folded))
    return tuple(found)


def _folded(kind: str, value: str) -> str | None:
    try:
        if kind == "mac":
            return str(Mac.parse(value))
        if kind == "ip":
            return canonical_ip(value)
    except DataError:
        return None
    if kind == "serial":
        return serial_key(value)
    return hostname_key(value) if kind == "hostname" else plain_key(value)
