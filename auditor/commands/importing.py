"""The import command: recognise each file, take what it says, tell what was not taken and why.

One file is one run and one transaction: it is in the ledger, or nothing of it is.
"""

import getpass
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

from auditor import __version__, jail, wiring
from auditor.commands import mappings
from auditor.commands.ahead import ahead
from auditor.commands.columns_told import column_json, told_of_columns
from auditor.commands.doubts import person, settled
from auditor.commands.item_lines import decoded
from auditor.commands.refusals import Refusals
from auditor.commands.setting import Setting
from auditor.commands.source_file import Source, kind_of, opened
from auditor.commands.terminal import Progress, complain, emit, safe
from auditor.commands.versions import Versions
from auditor.errors import AuditorError, LedgerError, UsageError
from auditor.importers.dates import ORDERS
from auditor.importers.headings import shipped
from auditor.model.block import Block
from auditor.model.observation import Attempt, Run
from auditor.plugins import Importer, Item, Mapped, Noted, Options, Rejected
from auditor.store.batch import Batch
from auditor.store.ledger import Ledger

DEFAULT_SITE = "default"
BUNDLE = "bundle"


@dataclass(frozen=True, slots=True)
class Asked:
    """The words of `import`."""

    files: tuple[Path, ...]
    site: str = ""
    kind: str = ""
    mapping: tuple[str, ...] = ()
    dry_run: bool = False
    dates: str = ""
    save_map: str = ""
    use_map: str = ""
    sheet: str = ""
    json: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one file. already: the run that brought the same content before."""

    file: str
    kind: str
    site: str
    run: str
    taken: int
    refused: int
    noted: int
    columns: tuple[Mapped, ...]
    already: str = ""
    rejects: str = ""
    changes: Mapping[str, int] = field(default_factory=dict)
    first: tuple[Rejected | Noted, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Give the line of `--json`."""
        plain = ("file", "kind", "site", "run", "taken", "refused", "noted", "already", "rejects")
        return {name: getattr(self, name) for name in plain} | {
            "columns": [column_json(column) for column in self.columns],
            "dropped": [column.column for column in self.columns if column.dropped],
            "changes": dict(self.changes),
            "problems": [[item.line, item.reason] for item in self.first],
        }


def run(setting: Setting, asked: Asked) -> int:
    """Import every file; one that is refused costs the others nothing."""
    mapping = _mapping(asked)
    if asked.dates not in {"", *ORDERS}:
        raise UsageError(f"{asked.dates!r} is no order of dates", hint=f"write {', '.join(ORDERS)}")
    if asked.save_map:
        setting.say(f"mapping kept: {mappings.keep(asked.save_map, mapping)}")
    if asked.dry_run:
        from auditor.commands import previewing

        return previewing.run(setting, asked, mapping)
    failed = 0
    with wiring.open_ledger(setting.db) as ledger:
        for path in asked.files:
            try:
                taken = _one(setting, asked, mapping, path, ledger)
            except LedgerError:
                raise  # the next file would fare no better
            except AuditorError as error:
                failed += 1
                _refused(asked, path, error)
                continue
            _say(setting, asked, taken)
    return 2 if failed else 0


def _mapping(asked: Asked) -> dict[str, str]:
    """Give what the user says of columns, now or before."""
    kept = mappings.saved(asked.use_map) if asked.use_map else {}
    return kept | mappings.spoken(asked.mapping)


def _refused(asked: Asked, path: Path, error: AuditorError) -> None:
    complain(error)
    if asked.json:
        emit([{"file": str(path), "error": error.what, "why": error.why, "fix": error.hint}])


def options_for(
    setting: Setting, asked: Asked, mapping: Mapping[str, str], name: str, moment: datetime
) -> Options:
    """Gather what an importer is told of a file."""
    return Options(
        site=asked.site or setting.text("site") or DEFAULT_SITE,
        moment=moment,
        mapping=mapping,
        dates=asked.dates,
        zone=setting.zone,
        sheet=asked.sheet,
        name=name,
        kind=asked.kind,
    )


def recognised(source: Source, asked: Asked, mapping: Mapping[str, str]) -> Importer:
    """Give the importer for a file."""
    tools = sorted({dialect.tool for dialect in shipped().dialects})
    return kind_of(source, wiring.importers(), asked.kind, tools, mapped=bool(mapping))


def items_of(importer: Importer, source: Source, options: Options) -> Iterator[Item]:
    """Read a file with its importer: hostile formats in a child process with limits."""
    if not importer.isolated:
        return importer.read(source.file, options)
    words = json.dumps({
        "site": options.site, "moment": options.moment.isoformat(), "mapping": dict(options.mapping),
        "dates": options.dates, "zone": options.zone, "sheet": options.sheet,
        "name": options.name, "kind": options.kind,
    })  # fmt: skip
    found = jail.isolated("auditor.commands.child", [importer.name, words], source.path)
    return decoded(found)


def _one(
    setting: Setting, asked: Asked, mapping: Mapping[str, str], path: Path, ledger: Ledger
) -> Taken:
    with opened(path) as source:
        if source.is_bundle() and asked.kind in {"", BUNDLE}:
            return _merged(path, ledger)
        importer = recognised(source, asked, mapping)
        options = options_for(setting, asked, mapping, path.name, setting.now())
        if not asked.json:
            options = settled(importer, source, options, person())
        refusals = Refusals(_label(path, asked.files), Path.cwd(), write=True)
        wanted = tuple(mappings.spoken(asked.mapping))
        return _imported(setting, source, importer, options, ledger, refusals, wanted)


def _label(path: Path, files: Iterable[Path]) -> str:
    """Name what is refused of a file; two files of one name are told apart by their folders."""
    alike = [other for other in files if other.name == path.name]
    return path.name if len(alike) < 2 else f"{path.resolve().parent.name}-{path.name}"


def _merged(path: Path, ledger: Ledger) -> Taken:
    """Take a bundle of another ledger in; it says itself whose site it is."""
    from auditor.store.archive import check
    from auditor.store.bundle import merge_bundle

    site = check(path).site
    return Taken(path.name, BUNDLE, site, "", merge_bundle(ledger, path), 0, 0, ())


def _imported(
    setting: Setting,
    source: Source,
    importer: Importer,
    options: Options,
    ledger: Ledger,
    refusals: Refusals,
    wanted: tuple[str, ...],
) -> Taken:
    name = source.path.name
    columns: list[Mapped] = []
    versions = Versions.of(ledger, options.site, name)
    began = Run(
        id=f"{options.moment:%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:8]}",
        site=options.site,
        kind="import",
        started=options.moment,
        operator=getpass.getuser(),
        tool_version=__version__,
    )
    progress = Progress(quiet=setting.quiet)
    said = _Said(refusals, columns, versions, progress, wanted)
    digest = content_key(source, options)
    changes: Mapping[str, int] = {}
    kept: Path | None = None
    try:
        with ledger.importing(began, digest, options.site, name) as batch:
            if batch.already is None:
                changes = _filled(batch, source, importer, options, said)
                batch.finish("complete", said.notes(source, importer, batch.rows), setting.now())
                kept = refusals.keep()
    finally:
        refusals.forget()
        progress.close()
    return Taken(
        name, importer.name, options.site, batch.already or began.id, batch.rows,
        refusals.refused, refusals.noted, tuple(columns), batch.already or "",
        str(kept or ""), changes, tuple(refusals.first),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Said:
    """Everything that is told of one file while it is imported. wanted: columns that the user named."""

    refusals: Refusals
    columns: list[Mapped]
    versions: Versions
    progress: Progress
    wanted: tuple[str, ...] = ()

    def notes(self, source: Source, importer: Importer, rows: int) -> tuple[str, ...]:
        """Give what the ledger keeps of the import itself."""
        refused, noted = self.refusals.refused, self.refusals.noted
        return (
            f"file {source.path.name}, sha256 {source.sha256}, read as {importer.name}",
            f"taken {rows}, refused {refused}, in part {noted}",
            *(f"{kind}: {count}" for kind, count in self.versions.changes().items()),
        )


def _filled(
    batch: Batch, source: Source, importer: Importer, options: Options, said: _Said
) -> Mapping[str, int]:
    """Read the file into its run; gives what it changed."""
    with _reading(importer, source, options) as found:
        watched = _watched(found, source, said.progress)
        batch.append(said.versions.counted(_facts(watched, said.columns, said.refusals)))
    source.check_unchanged()
    if importer.columns:
        mappings.check(said.wanted, said.columns, source.path.name)
    return said.versions.changes()


@contextmanager
def _reading(importer: Importer, source: Source, options: Options) -> Iterator[Iterator[Item]]:
    """Read a file ahead of what is written; a jailed child is ahead anyway."""
    found = items_of(importer, source, options)
    if importer.isolated:
        yield found
        return
    with ahead(found) as items:
        yield items


def content_key(source: Source, options: Options) -> str:
    """Give what makes an import the same: the content, and how it was asked to be read."""
    how = [sorted(options.mapping.items()), options.dates, options.sheet, options.kind]
    if not any(how):
        return source.sha256
    return sha256(f"{source.sha256}\n{json.dumps(how)}".encode()).hexdigest()


def _watched(items: Iterable[Item], source: Source, progress: Progress) -> Iterator[Item]:
    """Pass items on and show how far the file was read."""
    name = source.path.name
    for item in items:
        if not source.file.closed:
            progress(name, min(source.file.tell(), source.size), source.size)
        yield item


def _facts(
    items: Iterable[Item], columns: list[Mapped], refusals: Refusals
) -> Iterator[Attempt | Block]:
    """Pass on what goes into the ledger, and keep the rest for the person."""
    for item in items:
        if isinstance(item, Attempt | Block):
            yield item
        elif isinstance(item, Mapped):
            columns.append(item)
        else:
            refusals.add(item)


# ---------------------------------------------------------------- telling


def _say(setting: Setting, asked: Asked, taken: Taken) -> None:
    if asked.json:
        emit([taken.as_json()])
        return
    if taken.kind == BUNDLE:
        print(safe(f"{taken.file}: bundle of {taken.site}: {taken.taken} facts were new"))
        return
    if taken.already:
        print(safe(f"{taken.file}: already imported in run {taken.already}; nothing changed"))
        return
    rows = taken.taken + taken.refused
    print(
        safe(
            f"{taken.file}: {taken.kind}: {rows} rows: {taken.taken} taken"
            f" ({taken.noted} notes), {taken.refused} refused; site {taken.site}, run {taken.run}",
            1000,
        )
    )
    if taken.changes:
        print("  " + ", ".join(f"{kind} {count}" for kind, count in taken.changes.items()))
    for text in told_of_columns(taken.columns):
        print(f"  {safe(text, 1000)}")
    for item in taken.first[:5] if not setting.quiet else ():
        setting.say(f"  line {item.line}: {item.reason}")
    if taken.rejects:
        print(f"  {safe(f'what was not taken: {taken.rejects}', 1000)}")


def ledger_exists(url: str) -> bool:
    """Tell whether there is a ledger to compare with; a dry run makes none."""
    return not url.startswith("sqlite:///") or os.path.exists(url.removeprefix("sqlite:///"))  # noqa: PTH110
