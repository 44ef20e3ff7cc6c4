"""What changed between two reports, and whether by evidence, data, rules or a decision; pure.

Works on the objects of report.json, so that a report of last year can be compared without
its ledger.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from auditor.model.report import Change

Reported = Mapping[str, Any]
# what is compared of a report, and of a device in it
_ROWS = ("devices", "findings", "packs", "decisions", "changes")
_SHAPES = (("id", str), ("macs", list), ("evidence", list), ("verdicts", Mapping))


def changes(before: Reported, after: Reported) -> tuple[Change, ...]:
    """Compare two reports; in order of kind and device.

    Kinds: `new`, `gone`, `reappeared`, `identity`, `verdict`. because: `evidence`, `data`
    (another registry or fingerprints), `rules` (another pack or version), `decision`, `proof`,
    `date` (nothing but the day that was judged by).
    """
    old, new = _devices(before), _devices(after)
    pairs = _paired(old, new)
    matched = {id(mine) for mine, _ in pairs}
    found = [change for mine, theirs in pairs for change in _one(mine, theirs, before, after)]
    taken = {str(theirs["id"]) for _, theirs in pairs}
    found += [_new(device, before) for device in new if str(device["id"]) not in taken]
    found += [_gone(device, after) for device in old if id(device) not in matched]
    return tuple(sorted(found, key=lambda change: (change.kind, change.device, change.detail)))


def misshapen(report: Reported) -> str:
    """Say what keeps an object from being compared as a report; empty where nothing does."""
    for name in _ROWS:
        if not _objects(report.get(name, [])):
            return f"{name} is no list of objects"
    for device in report.get("devices", []):
        wrong = [key for key, kind in _SHAPES if not isinstance(device.get(key), kind)]
        if wrong or not _objects(device["evidence"]):
            return f"a device without its {', '.join(wrong) or 'evidence'}"
    for decision in report.get("decisions", []):
        if not _pairs(decision.get("subject", [])):
            return "a decision without its subject"
    if not isinstance(report.get("data_versions", []), list):
        return "data_versions is no list"
    return "" if isinstance(report.get("snapshot", {}), Mapping) else "snapshot is no object"


def _objects(rows: object) -> bool:
    return isinstance(rows, list) and all(isinstance(row, Mapping) for row in rows)


def _pairs(rows: object) -> bool:
    return isinstance(rows, list) and all(
        isinstance(row, list) and len(row) == 2 and isinstance(row[0], str) for row in rows
    )


def _devices(report: Reported) -> list[Reported]:
    return [device for device in report.get("devices", []) if isinstance(device, Mapping)]


def _keys(device: Reported) -> Iterable[tuple[str, str, str]]:
    """Give what a device may be known again by, surest first."""
    site = str(device.get("site", ""))
    yield (site, "id", str(device.get("id")))
    if device.get("serial"):
        yield ("", "serial", str(device["serial"]))
    for mac in device.get("macs", []):
        yield ("", "mac", str(mac))


def _paired(old: Sequence[Reported], new: Sequence[Reported]) -> list[tuple[Reported, Reported]]:
    known: dict[tuple[str, str, str], Reported] = {}
    for device in new:
        for key in _keys(device):
            known.setdefault(key, device)
    pairs: list[tuple[Reported, Reported]] = []
    taken: set[str] = set()
    for device in old:
        match = next((known[key] for key in _keys(device) if key in known), None)
        if match is not None and str(match["id"]) not in taken:
            taken.add(str(match["id"]))
            pairs.append((device, match))
    return pairs


def _one(mine: Reported, theirs: Reported, before: Reported, after: Reported) -> Iterable[Change]:
    name = str(theirs["id"])
    moved = _rules(mine) != _rules(theirs)
    cause = "evidence" if moved or not _data_moved(before, after) else "data"
    for trait in ("maker", "brand", "standing", "model", "firmware"):
        was, now = mine.get(trait), theirs.get(trait)
        if was != now:
            yield Change("identity", name, _text(was), _text(now), cause, trait)
    was_at, now_at = mine.get("site"), theirs.get("site")
    if was_at != now_at:
        yield Change("reappeared", name, _text(was_at), _text(now_at), "evidence", "site")
    verdicts: Mapping[str, str] = mine.get("verdicts", {})
    for pack, verdict in theirs.get("verdicts", {}).items():
        if pack in verdicts and verdicts[pack] != verdict:
            why = _verdict_cause(pack, mine, theirs, before, after)
            yield Change("verdict", name, verdicts[pack], verdict, why, pack)


def _verdict_cause(
    pack: str, mine: Reported, theirs: Reported, before: Reported, after: Reported
) -> str:
    if _decided(pack, theirs, after) != _decided(pack, mine, before):
        return "decision"
    if _pack_version(pack, before) != _pack_version(pack, after):
        return "rules"
    same = _rules(mine) == _rules(theirs) and mine.get("records") == theirs.get("records")
    if same and _data_moved(before, after):
        return "data"
    return "date" if same and _day(before) != _day(after) else "evidence"


def _rules(device: Reported) -> set[tuple[str, str, str]]:
    """Give what was observed, without what was made of it."""
    return {
        (str(item.get("field")), str(item.get("value")), str(item.get("kind", "")))
        for item in device.get("evidence", [])
    }


def _data_moved(before: Reported, after: Reported) -> bool:
    return _data(before) != _data(after)


def _data(report: Reported) -> list[object]:
    """Give which data a report rests on; how old they were on its day changes by itself."""
    return [
        [row.get(key) for key in ("name", "version", "sha256")] if isinstance(row, Mapping) else row
        for row in report.get("data_versions", [])
    ]


def _day(report: Reported) -> object:
    return dict(report.get("snapshot") or {}).get("as_of")


def _pack_version(pack: str, report: Reported) -> str | None:
    return next(
        (str(said.get("version")) for said in report.get("packs", []) if said.get("id") == pack),
        None,
    )


def _decided(pack: str, device: Reported, report: Reported) -> set[str]:
    return {
        str(said)
        for finding in report.get("findings", [])
        if finding.get("device") == device.get("id") and finding.get("pack") == pack
        for said in (finding.get("exempted_by"), finding.get("overridden_by"))
        if said
    }


def _new(device: Reported, before: Reported) -> Change:
    known = {str(line.get("device")) for line in before.get("changes", [])}
    kind = "reappeared" if str(device["id"]) in known else "new"
    return Change(kind, str(device["id"]), "", _text(device.get("maker")), "evidence")


def _gone(device: Reported, after: Reported) -> Change:
    removed = {
        value
        for decision in after.get("decisions", [])
        if decision.get("kind") == "removal"
        for _, value in decision.get("subject", [])
        if isinstance(value, str)
    }
    names = {str(device.get("id")), str(device.get("serial")), *map(str, device.get("macs", []))}
    proof = "proof" if removed & names else "evidence"
    return Change("gone", str(device["id"]), _text(device.get("maker")), "", proof)


def _text(value: object) -> str:
    return "" if value is None else str(value)
