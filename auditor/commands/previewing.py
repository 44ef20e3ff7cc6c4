"""`import --dry-run`: what an import would do, row by row; nothing is written anywhere."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor import wiring
from auditor.commands import mappings
from auditor.commands.columns_told import column_json, show_mapping, told_of_columns
from auditor.commands.importing import (
    Asked,
    content_key,
    items_of,
    ledger_exists,
    options_for,
    recognised,
)
from auditor.commands.setting import Setting
from auditor.commands.source_file import opened
from auditor.commands.terminal import complain, emit, safe, table
from auditor.errors import AuditorError
from auditor.identify.keys import keys_of
from auditor.identify.records import named_keys
from auditor.model.block import Block
from auditor.model.observation import Attempt
from auditor.plugins import Mapped, Noted, Rejected
from auditor.store.ledger import Ledger

SAMPLE_ROWS = 10
_KEY_ORDER = ("mac", "serial", "sadp_id", "asset_tag", "local_mac", "ip", "hostname")


@dataclass(frozen=True, slots=True)
class Row:
    """One record of the file and what it is known by. keys: (kind, value), strong ones first."""

    line: str
    keys: tuple[tuple[str, str], ...]
    said: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Preview:
    """All that a dry run found in one file."""

    kind: str
    rows: list[Row] = field(default_factory=list)
    columns: list[Mapped] = field(default_factory=list)
    refused: list[Rejected] = field(default_factory=list)
    noted: list[Noted] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger says of the rows. matched: row -> kinds of keys; said: row -> fields."""

    matched: Mapping[int, Mapping[str, str]]
    said: Mapping[int, Mapping[str, str]]


def run(setting: Setting, asked: Asked, mapping: Mapping[str, str]) -> int:
    """Show every file; a file that would be refused costs the others nothing."""
    failed = 0
    exists = ledger_exists(setting.db)
    with wiring.open_ledger(setting.db) if exists else nullcontext() as ledger:
        for path in asked.files:
            try:
                _one(setting, asked, mapping, path, ledger)
            except AuditorError as error:
                failed += 1
                complain(error)
    return 2 if failed else 0


def _one(
    setting: Setting, asked: Asked, mapping: Mapping[str, str], path: Path, ledger: Ledger | None
) -> None:
    with opened(path) as source:
        if source.is_bundle():
            _show_bundle(path, as_json=asked.json)
            return
        importer = recognised(source, asked, mapping)
        options = options_for(setting, asked, mapping, path.name, setting.now())
        found = Preview(importer.name)
        for item in items_of(importer, source, options):
            if isinstance(item, Mapped):
                found.columns.append(item)
            elif isinstance(item, Rejected):
                found.refused.append(item)
            elif isinstance(item, Noted):
                found.noted.append(item)
            else:
                found.rows.extend(_rows(item))
        if importer.columns:
            mappings.check(mappings.spoken(asked.mapping), found.columns, path.name)
        digest = content_key(source, options)
    known = _known(found.rows, ledger, options.site) if ledger else Known({}, {})
    imports = ledger.imports(options.site) if ledger else ()
    already = next((i.run for i in imports if i.sha256 == digest), "")
    if asked.json:
        emit(_lines(path, found, known, already))
    else:
        _show(path, found, known, already)


def _show_bundle(path: Path, *, as_json: bool) -> None:
    """Check a bundle and say what it holds; what of it is new only a merge can tell."""
    from auditor.store.archive import check

    manifest = check(path)
    if as_json:
        emit([{"file": path.name, "kind": "bundle", "dry_run": True, "site": manifest.site, "rows": manifest.rows}])  # fmt: skip
        return
    held = ", ".join(f"{count} {name}" for name, count in manifest.rows.items())
    print(
        safe(f"{path.name}: bundle of {manifest.site}: {held}; dry run, nothing is written", 1000)
    )


def _rows(item: Attempt | Block) -> Iterator[Row]:
    for attempt in item.attempts() if isinstance(item, Block) else (item,):
        keys = tuple(
            (kind, value) for kind, values in named_keys(keys_of(attempt)) for value in values
        )
        end = attempt.endpoint
        ends = {"ip": end.ip, "mac": end.mac}
        said = {name: text for name, text in ends.items() if text}
        yield Row(attempt.detail, keys, said | {o.field: o.value for o in attempt.observations})


def _known(rows: Iterable[Row], ledger: Ledger, site: str) -> Known:
    """Look the rows' keys up in the ledger, reading it once."""
    wanted: dict[tuple[str, str], list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        for key in row.keys:
            wanted[key].append(number)
    matched: dict[int, dict[str, str]] = defaultdict(dict)
    said: dict[int, dict[str, str]] = defaultdict(dict)
    for stored in ledger.attempts(site=site):
        attempt = stored.attempt
        pairs = named_keys(keys_of(attempt))
        for kind, value in ((kind, value) for kind, values in pairs for value in values):
            for number in wanted.get((kind, value), ()):
                matched[number].setdefault(kind, value)
                said[number] |= {o.field: o.value for o in attempt.observations}
    return Known(matched, said)


def judged(number: int, row: Row, known: Known) -> tuple[str, str, dict[str, tuple[str, str]]]:
    """Tell whether a row is new, as known or changed; by which key; and what changed."""
    matched = known.matched.get(number)
    if not matched:
        return "new", "", {}
    kind = next(k for k in _KEY_ORDER if k in matched)
    before = known.said.get(number, {})
    changes = {
        name: (before[name], text)
        for name, text in row.said.items()
        if name in before and before[name] != text
    }
    more = [name for name in row.said if name not in before and name not in {"ip", "mac"}]
    changes |= {name: ("", row.said[name]) for name in more}
    return ("changed" if changes else "matched"), f"{kind}={matched[kind]}", changes


def _lines(path: Path, found: Preview, known: Known, already: str) -> Iterator[dict[str, Any]]:
    yield {
        "file": path.name, "kind": found.kind, "dry_run": True, "already": already,
        "taken": len(found.rows), "refused": len(found.refused), "noted": len(found.noted),
        "columns": [column_json(column) for column in found.columns],
    }  # fmt: skip
    for number, row in enumerate(found.rows):
        what, by, changes = judged(number, row, known)
        yield {"row": row.line, "is": what, "by": by, "changes": changes, "values": dict(row.said)}
    for item in found.refused:
        yield {"row": item.line, "is": "refused", "reason": item.reason}
    for note in found.noted:
        yield {"row": note.line, "is": "noted", "reason": note.reason}


def _show(path: Path, found: Preview, known: Known, already: str) -> None:
    count = len(found.rows) + len(found.refused)
    print(safe(f"{path.name}: {found.kind}: {count} rows; dry run, nothing is written", 1000))
    if already:
        print(safe(f"  the same content was imported in run {already}: nothing would change"))
    print()
    show_mapping(found.columns)
    for text in told_of_columns(found.columns):
        print(safe(text, 1000))
    print("\nfirst rows:")
    for row in found.rows[:SAMPLE_ROWS]:
        said = ", ".join(f"{name}={text}" for name, text in row.said.items())
        print(safe(f"  {row.line}: {said}", 1000))
    print("\nrow by row:")
    _show_rows(found, known)


def _show_rows(found: Preview, known: Known) -> None:
    rows = []
    for number, row in enumerate(found.rows):
        what, by, changes = judged(number, row, known)
        shown = "; ".join(f"{name}: {old} -> {new}" for name, (old, new) in changes.items())
        rows.append([row.line, what, by, shown])
    rows += [[str(item.line), "refused", "", item.reason] for item in found.refused]
    rows += [[str(item.line), "noted", "", item.reason] for item in found.noted]
    if rows:
        table(rows, ("row", "is", "by", "what"))
