"""Officers' decisions to merge and to split, as sets of records.

A merge joins everything that its identifiers name. A split keeps what `subject` names apart
from what `values` names; without values each identifier of the subject apart from the others,
and a single identifier apart from the device that it is now part of. A later decision about
the same devices overrules an earlier one; a withdrawn one never was.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from auditor.errors import DataError
from auditor.identify.forest import Side
from auditor.identify.keys import hostname_key, plain_key, serial_key
from auditor.identify.records import Records
from auditor.model.address import Mac, canonical_ip
from auditor.model.decision import Decision, DecisionKind

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
    "device": "device",
}
Names = tuple[tuple[str, str], ...]  # kind and normalised value


@dataclass(frozen=True, slots=True)
class Decided:
    """together: records of each merge. apart: a side of a split and its records."""

    together: tuple[tuple[int, ...], ...] = ()
    apart: tuple[tuple[Side, tuple[int, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Trees:
    """What the records came to without the decisions that need to know it.

    root: gives the tree of a record. devices: device id -> its records.
    """

    root: Callable[[int], int]
    devices: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Act:
    """One decision in force: the sides that it names."""

    kind: DecisionKind
    site: str
    sides: tuple[Names, ...]

    @property
    def merges(self) -> bool:
        """Tell whether this joins."""
        return self.kind is DecisionKind.MERGE

    @property
    def lone(self) -> bool:
        """Tell whether this splits one identifier from whatever it is part of."""
        return not self.merges and len(self.sides) == 1

    @property
    def late(self) -> bool:
        """Tell whether this can be read only when devices are known."""
        return self.lone or any(kind == "device" for side in self.sides for kind, _ in side)


def decided(acts: Iterable[Act], records: Records, trees: Trees | None = None) -> Decided:
    """Find the records that decisions speak of; without trees only those that need none."""
    together: list[tuple[int, ...]] = []
    apart: list[tuple[Side, tuple[int, ...]]] = []
    split = 0
    for act in acts:
        if act.late and trees is None:
            continue
        sides = [_named(act.site, side, records, trees) for side in act.sides]
        if act.merges:
            joined = tuple(dict.fromkeys(n for side in sides for n in side))
            together += [joined] if len(joined) > 1 else []
            continue
        if act.lone and trees:
            sides.append(_rest(sides[0], act.sides[0][0][0], records, trees))
        for at, one in enumerate(sides):
            for other in sides[at + 1 :]:
                apart += [((split, 0), one), ((split, 1), tuple(n for n in other if n not in one))]
                split += 1
    return Decided(tuple(together), tuple(apart))


def _named(site: str, side: Names, records: Records, trees: Trees | None) -> tuple[int, ...]:
    found: list[int] = []
    for kind, value in side:
        if kind == "device":
            found += trees.devices.get(value, ()) if trees else ()
            continue
        for place in [site] if site else sorted({s for s, _ in records.firsts}):
            first = records.firsts.get((place, kind), {}).get(value)
            if first is not None:
                found += records.more.get((place, kind), {}).get(value, [first])
    return tuple(found)


def _rest(carriers: tuple[int, ...], kind: str, records: Records, trees: Trees) -> tuple[int, ...]:
    """Give the other records of those trees; those without a name of their own may follow."""
    roots, own = {trees.root(n) for n in carriers}, frozenset(carriers)
    return tuple(
        n
        for n, keys in enumerate(records.keys)
        if n not in own
        and (kind == "ip" or keys.macs or keys.serials or keys.ids or keys.tags)
        and trees.root(n) in roots
    )


def in_force(decisions: Iterable[Decision]) -> tuple[Act, ...]:
    """Give the merges and splits that still hold, in the order of their making."""
    said = tuple(decisions)
    withdrawn = {d.withdraws for d in said if d.kind is DecisionKind.WITHDRAWN}
    acts = [
        _act(d)
        for d in sorted(said, key=lambda d: (d.at, d.id))
        if d.kind in {DecisionKind.MERGE, DecisionKind.SPLIT} and d.id not in withdrawn
    ]
    kept = (_overruled(act, acts[at + 1 :]) for at, act in enumerate(acts))
    return tuple(act for act in kept if act.sides)


def _act(decision: Decision) -> Act:
    subject, values = _names(decision.subject), _names(decision.values)
    site = dict(decision.subject).get("site", "")
    if decision.kind is DecisionKind.MERGE:
        return Act(decision.kind, site, (subject + values,))
    sides = (subject, values) if values else tuple((name,) for name in subject)
    return Act(decision.kind, site, sides)


def _overruled(act: Act, later: Sequence[Act]) -> Act:
    """Take back what later acts say the opposite of."""
    for other in later:
        if other.merges == act.merges or other.site != act.site:
            continue
        split, merge = (act, other) if other.merges else (other, act)
        named = {name for side in merge.sides for name in side}
        touched = [side for side in split.sides if named & set(side)]
        if split.lone and touched and act.merges:  # the others stay one
            left = tuple(tuple(n for n in side if n not in touched[0]) for side in act.sides)
            act = replace(act, sides=left)
        elif len(touched) > 1 or (split.lone and touched):
            return replace(act, sides=())
    return act


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
    if kind == "device":
        return value
    if kind == "serial":
        return serial_key(value)
    return hostname_key(value) if kind == "hostname" else plain_key(value)
