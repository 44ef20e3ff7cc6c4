"""A site's facts as one file that can be carried: written the same every time, checked whole.

A bundle is a ZIP archive of JSON Lines and `manifest.json`, which names every other member
with its SHA-256. What it says does not depend on the ledger that it came from: attempts are
named by their run and place in it, raw bytes by their hash.
"""

import hashlib
import json
import os
import zipfile
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from sqlalchemy import Connection, text

from auditor.errors import DataError, LedgerError
from auditor.model.decision import Decision
from auditor.model.observation import Attempt
from auditor.store import reader
from auditor.store.database import reading
from auditor.store.encoding import dumps, loads, moment_text, pack
from auditor.store.ledger import Ledger
from auditor.store.migrate import newest
from auditor.store.tables import decision_row, decision_value

FORMAT, VERSION = "auditor-bundle", 1
MEMBERS = ("runs", "attempts", "journal", "imports", "decisions", "raws")
LINE_LIMIT = 16 << 20  # bytes; no attempt of ours comes near
MANIFEST_LIMIT = 1 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that ZIP can say
Line = list[Any]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a bundle says of itself. rows: lines of each member; sha256: of the manifest."""

    site: str
    schema: str
    rows: dict[str, int]
    hashes: dict[str, str]
    sha256: str


# ---------------------------------------------------------------- writing


def export(ledger: Ledger, site: str, out: Path, after: int = 0) -> Manifest:
    """Write the facts of one site; the same facts give the same bytes.

    after: leave out attempts up to that number (they went with an earlier bundle).
    """
    if site not in ledger.sites():
        raise LedgerError(
            f"the ledger holds nothing of site {site!r}",
            hint=f"it knows: {', '.join(ledger.sites()) or 'no site yet'}",
        )
    part = out.with_name(f"{out.name}.part")
    try:
        with part.open("wb") as file, reading(ledger.engine) as connection:
            manifest = _write(connection, ledger.decisions(), site, file, after)
            file.flush()
            os.fsync(file.fileno())
        part.replace(out)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise LedgerError(
            f"cannot write {out}", why=str(error), hint="choose another place"
        ) from error
    return manifest


def _write(
    connection: Connection, said: Iterable[Decision], site: str, file: BinaryIO, after: int
) -> Manifest:
    raws: set[str] = set()
    lines: dict[str, Callable[[], Iterable[Line]]] = {
        "runs": lambda: _runs(connection, site),
        "attempts": lambda: _attempts(connection, site, after, raws),
        "journal": lambda: _journal(connection, site),
        "imports": lambda: _imports(connection, site),
        "decisions": lambda: _decisions(said, site),
        "raws": lambda: _raws(connection, raws),
    }
    rows, hashes = {}, {}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in MEMBERS:
            rows[name], hashes[name] = _member(archive, name, lines[name]())
        said_of_itself = {
            "format": FORMAT, "version": VERSION, "schema": newest(), "site": pack(site),
            "rows": rows, "hashes": hashes,
        }  # fmt: skip
        written = json.dumps(said_of_itself, indent=1).encode()
        archive.writestr(_info("manifest.json"), written)
    return Manifest(site, newest(), rows, hashes, hashlib.sha256(written).hexdigest())


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED
    info.create_system = 3
    return info


def _member(archive: zipfile.ZipFile, name: str, lines: Iterable[Line]) -> tuple[int, str]:
    count, digest = 0, hashlib.sha256()
    with archive.open(_info(f"{name}.jsonl"), "w", force_zip64=True) as member:
        for line in lines:
            written = dumps(line).encode() + b"\n"
            digest.update(written)
            member.write(written)
            count += 1
    return count, digest.hexdigest()


def _runs(connection: Connection, site: str) -> Iterator[Line]:
    """Give each run as its row began, and how it ended each time."""
    begun = connection.execute(
        text(
            "SELECT n, id, site, kind, started, doc FROM run WHERE site = :site"
            " ORDER BY started, id"
        ),
        {"site": pack(site)},
    ).all()
    for number, *columns in begun:
        ends = connection.execute(
            text("SELECT status, ended, doc FROM closing WHERE run = :run ORDER BY n"),
            {"run": number},
        )
        yield [columns, [list(end) for end in ends]]


def _attempts(
    connection: Connection, site: str, after: int, raws: set[str]
) -> Iterator[Line]:  # fmt: skip
    runs, spans = reader.spans(connection, site=site, run=None, after=after)
    for span in sorted(spans, key=lambda span: (runs[span.run][0], span.nth)):
        first = max(span.first, after + 1)
        for nth, stored in enumerate(
            reader.attempts(connection, runs, [span], after), span.nth + first - span.first
        ):
            raws |= {str(seen.raw_sha256) for seen in stored.attempt.observations if seen.raw}
            yield [stored.run, nth, *attempt_line(stored.attempt)]


def attempt_line(attempt: Attempt) -> Line:
    """Write an attempt so that it needs no other table."""
    end = attempt.endpoint
    return [
        attempt.tool, end.ip, end.mac, end.port, end.transport, end.vlan, attempt.outcome.value,
        [[o.field, o.value, o.raw_sha256] if o.raw else [o.field, o.value] for o in attempt.observations],
        moment_text(attempt.started), attempt.elapsed_s, attempt.detail, attempt.origin.value,
    ]  # fmt: skip


def _journal(connection: Connection, site: str) -> Iterator[Line]:
    query = text(
        "SELECT run.id, j.n, j.moment, j.doc FROM journal j JOIN run ON run.n = j.run"
        " WHERE run.site = :site AND (run.id > :run OR run.id = :run AND j.n > :after)"
        " ORDER BY run.id, j.n LIMIT 1000"
    )
    run, after = "", 0
    while rows := connection.execute(query, {"site": pack(site), "run": run, "after": after}).all():
        yield from ([name, moment, doc] for name, _, moment, doc in rows)
        run, after = rows[-1][0], rows[-1][1]


def _imports(connection: Connection, site: str) -> Iterator[Line]:
    rows = connection.execute(
        text(
            "SELECT i.sha256, run.id, i.doc FROM imported i JOIN run ON run.n = i.run"
            " WHERE i.site = :site ORDER BY i.sha256, run.id"
        ),
        {"site": pack(site)},
    )
    return ([*row] for row in rows)


def _decisions(said: Iterable[Decision], site: str) -> Iterator[Line]:
    """Give what officers said of this site, and what they said of no site in particular."""
    for decision in sorted(said, key=lambda one: (one.at, one.id)):
        if dict(decision.subject).get("site", site) == site:
            yield list(decision_row(decision))


def _raws(connection: Connection, names: set[str]) -> Iterator[Line]:
    wanted = sorted(names)
    for at in range(0, len(wanted), reader.CHUNK):
        kept = reader.raws_named(connection, wanted[at : at + reader.CHUNK])
        for name in sorted(kept):
            yield [name, b64encode(kept[name]).decode("ascii")]


# ---------------------------------------------------------------- reading


class Bundle:
    """A bundle whose every byte was checked against its manifest; a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._archive = zipfile.ZipFile(path)
        except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
            raise damaged(path, str(error)) from error

    def __enter__(self) -> "Bundle":
        return self

    def __exit__(self, *_: object) -> None:
        self._archive.close()

    def check(self) -> Manifest:
        """Read everything once; refuse what is damaged, incomplete, unknown or newer."""
        manifest = self._manifest()
        for name in MEMBERS:
            count, digest = 0, hashlib.sha256()
            for count, line in enumerate(self._raw_lines(name), 1):  # noqa: B007
                self._check_whole(name, line)
                digest.update(line)
            if digest.hexdigest() != manifest.hashes.get(name) or count != manifest.rows.get(name):
                raise damaged(self.path, f"{name}.jsonl is not what the manifest says")
        return manifest

    def lines(self, name: str) -> Iterator[tuple[int, Line]]:
        """Give the lines of a member with their numbers."""
        for number, raw in enumerate(self._raw_lines(name), 1):
            try:
                line = loads(raw.decode())
            except ValueError as error:
                raise self.wrong(name, number, str(error)) from error
            if not isinstance(line, list):
                raise self.wrong(name, number, "it is no list")
            yield number, line

    def decisions(self) -> Iterator[Decision]:
        """Give the officers' acts."""
        for number, line in self.lines("decisions"):
            try:
                yield decision_value(tuple(line))
            except (ValueError, TypeError, LookupError, AttributeError) as error:
                raise self.wrong("decisions", number, str(error)) from error

    def wrong(self, name: str, number: int, why: str) -> DataError:
        """Say that a line is not what it should be."""
        return damaged(self.path, f"line {number} of {name}.jsonl: {why}")

    def _manifest(self) -> Manifest:
        names = sorted(self._archive.namelist())
        if names != sorted([*(f"{name}.jsonl" for name in MEMBERS), "manifest.json"]):
            raise damaged(self.path, "it does not hold the files of a bundle")
        try:
            with self._archive.open("manifest.json") as member:
                written = member.read(MANIFEST_LIMIT)
            said = json.loads(written)
            made = (said["format"], int(said["version"]), str(said["schema"]))
            found = Manifest(
                loads(json.dumps(said["site"])), made[2], dict(said["rows"]), dict(said["hashes"]),
                hashlib.sha256(written).hexdigest(),
            )  # fmt: skip
        except (*_UNREADABLE, LookupError, TypeError) as error:
            raise damaged(self.path, f"its manifest cannot be read: {error}") from error
        if made[0] != FORMAT:
            raise damaged(self.path, f"it is a {made[0]}")
        if made[1] > VERSION or made[2] > newest():
            raise DataError(
                f"{self.path} was written by a newer version",
                why=f"its format is {made[1]}, its schema {made[2]}; known: {VERSION}, {newest()}",
                hint="install that version here first",
            )
        return found

    def _check_whole(self, name: str, line: bytes) -> None:
        if not line.endswith(b"\n"):
            raise damaged(self.path, f"a line of {name}.jsonl is cut off or too long")

    def _raw_lines(self, name: str) -> Iterator[bytes]:
        try:
            with self._archive.open(f"{name}.jsonl") as member:
                yield from iter(lambda: member.readline(LINE_LIMIT), b"")
        except _UNREADABLE as error:
            raise damaged(self.path, f"{name}.jsonl: {error}") from error


_UNREADABLE = (OSError, EOFError, ValueError, RuntimeError, zipfile.BadZipFile, zipfile.zlib.error)  # type: ignore[attr-defined]


def damaged(path: Path, why: str) -> DataError:
    """Say that a bundle cannot be taken, and that nothing of it was."""
    return DataError(
        f"{path} is no intact bundle; nothing of it was taken",
        why=why,
        hint="copy it again, or export it again at the site",
    )


def check(path: Path) -> Manifest:
    """Check a bundle without any ledger."""
    with Bundle(path) as bundle:
        return bundle.check()
