"""Taking a bundle in: what the ledger lacks is appended, what it has must be the same.

Any number of bundles, in any order, overlapping or twice, end in the same facts. One bundle
is one transaction: it is in, or nothing of it is.
"""

import hashlib
import math
from base64 import b64decode
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, text

from auditor.errors import DataError
from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome
from auditor.store import reader
from auditor.store.archive import Bundle, Line, Manifest, attempt_line
from auditor.store.database import writing
from auditor.store.encoding import pack
from auditor.store.ledger import Ledger
from auditor.store.tables import decision_row
from auditor.store.writer import Appender

CHUNK = 500
_WRONG = (ValueError, TypeError, LookupError, DataError)


@dataclass(frozen=True, slots=True)
class Merged:
    """What a bundle brought that the ledger did not have."""

    manifest: Manifest
    runs: int
    attempts: int
    decisions: int


def merge(ledger: Ledger, path: Path) -> Merged:
    """Take a bundle in; refuse it whole when it is damaged or contradicts the ledger."""
    with Bundle(path) as bundle:
        manifest = bundle.check()
        with writing(ledger.engine) as connection:
            taking = _Taking(bundle, connection, Appender(connection), manifest.site)
            taking.raws()
            runs = taking.runs()
            attempts = taking.attempts()
            taking.journal()
            taking.imports()
            return Merged(manifest, runs, attempts, taking.decisions())


@dataclass(frozen=True, slots=True)
class _Taking:
    bundle: Bundle
    connection: Connection
    appender: Appender
    site: str

    def raws(self) -> None:
        lines = self.bundle.lines("raws")
        while some := list(islice(lines, CHUNK)):
            found: dict[str, bytes] = {}
            for number, line in some:
                name, data = self._checked("raws", number, line, (str, str))
                found[name] = b64decode(data)
                if hashlib.sha256(found[name]).hexdigest() != name:
                    raise self.bundle.wrong("raws", number, "the bytes are not those of the hash")
            self.appender.raws(found)

    def runs(self) -> int:
        count = 0
        for number, line in self.bundle.lines("runs"):
            begun, ends = self._checked("runs", number, line, (list, list))
            if len(begun) != 5 or not all(isinstance(one, str) for one in begun):
                raise self.bundle.wrong("runs", number, "it is no run")
            if begun[1] != pack(self.site):
                raise self.bundle.wrong("runs", number, "it is of another site")
            known = self._one(
                "SELECT n, id, site, kind, started, doc FROM run WHERE id = :v", begun[0]
            )
            if known is None:
                self.appender.add("run", [tuple(begun)])
                count += 1
            elif list(known[1:]) != begun:
                raise self._contradiction(f"run {begun[0]!r}")
            run = self.appender.run_number(begun[0])
            self._ends(run, number, ends)
        return count

    def _ends(self, run: int, number: int, ends: list[Any]) -> None:
        known = self.connection.execute(
            text("SELECT status, ended, doc FROM closing WHERE run = :run ORDER BY n"), {"run": run}
        )
        have = [list(end) for end in known]
        for end in ends:
            texts = isinstance(end, list) and [one for one in end if isinstance(one, str)]
            if not texts or len(end) != 3 or (len(texts) < 3 and end[1] is not None):
                raise self.bundle.wrong("runs", number, "it does not say how it ended")
            if end not in have:
                self.appender.add("closing", [(run, *end)])

    def attempts(self) -> int:
        count = 0
        lines = self.bundle.lines("attempts")
        for run_id, some in groupby(lines, key=_run_id):
            run = self._run("attempts", run_id)
            present = _Present(self.connection, str(run_id))
            while chunk := list(islice(some, CHUNK)):
                count += self._attempts(run, present, chunk)
        return count

    def _attempts(self, run: int, present: "_Present", chunk: list[tuple[int, Line]]) -> int:
        found = self._read(chunk)
        taken = present.between(found[0][0], found[-1][0])
        for nth, one in found:
            if nth in taken and attempt_line(taken[nth]) != attempt_line(one):
                raise self._contradiction(f"attempt {nth} of run {present.run!r}")
        new = [(nth, one) for nth, one in found if nth not in taken]
        # neighbours in the run go in together: their places minus their ranks are equal
        for _, piece in groupby(enumerate(new), key=lambda pair: pair[1][0] - pair[0]):
            some = [one for _, one in piece]
            self.appender.attempts(run, [one for _, one in some], some[0][0])
        return len(new)

    def _read(self, chunk: list[tuple[int, Line]]) -> list[tuple[int, Attempt]]:
        names = {
            seen[2] for _, line in chunk for seen in _list(line, 9) if isinstance(seen, list) and len(seen) == 3
        }  # fmt: skip
        raws = reader.raws_named(self.connection, [name for name in names if isinstance(name, str)])
        found: list[tuple[int, Attempt]] = []
        for number, line in chunk:
            try:
                found.append((_place(line[1], found), _attempt(line[2:], raws)))
            except _WRONG as error:
                raise self.bundle.wrong("attempts", number, f"it is no attempt: {error}") from error
        return found

    def journal(self) -> None:
        for run_id, some in groupby(self.bundle.lines("journal"), key=_run_id):
            run = self._run("journal", run_id)
            have = self._one("SELECT count(*) FROM journal WHERE run = :v", run)
            new = islice(some, int(have[0]) if have else 0, None)
            while rows := [
                (run, *self._checked("journal", number, line[1:], (str, str)))
                for number, line in islice(new, CHUNK)
            ]:
                self.appender.add("journal", rows)

    def imports(self) -> None:
        for number, line in self.bundle.lines("imports"):
            sha256, run_id, doc = self._checked("imports", number, line, (str, str, str))
            run = self._run("imports", run_id)
            known = self.connection.execute(
                text("SELECT n FROM imported WHERE sha256 = :sha256 AND run = :run"),
                {"sha256": sha256, "run": run},
            ).first()
            if known is None:
                self.appender.add("imported", [(pack(self.site), sha256, run, doc)])

    def decisions(self) -> int:
        count = 0
        for decision in self.bundle.decisions():
            row = decision_row(decision)
            known = self._one("SELECT id, kind, at, doc FROM decision WHERE id = :v", row[0])
            if known is None:
                self.appender.add("decision", [row])
                count += 1
            elif tuple(known) != row:
                raise self._contradiction(f"decision {decision.id!r}")
        return count

    def _one(self, query: str, value: object) -> Any:
        return self.connection.execute(text(query), {"v": value}).first()

    def _run(self, name: str, run_id: Any) -> int:
        known = (
            self._one("SELECT n FROM run WHERE id = :v", run_id)
            if isinstance(run_id, str)
            else None
        )
        if known is None:
            raise self.bundle.wrong(name, 0, f"run {run_id!r} is not among its runs")
        return int(known[0])

    def _checked(self, name: str, number: int, line: Line, kinds: tuple[type, ...]) -> Line:
        if len(line) != len(kinds) or not all(map(isinstance, line, kinds)):
            raise self.bundle.wrong(name, number, "it does not hold what it should")
        return line

    def _contradiction(self, what: str) -> DataError:
        return DataError(
            f"{self.bundle.path} contradicts the ledger; nothing of it was taken",
            why=f"{what} says something else there",
            hint="facts are never edited: find out which of the two was tampered with",
        )


class _Present:
    """Which places of a run the ledger already holds."""

    def __init__(self, connection: Connection, run: str) -> None:
        self.run = run
        self._connection = connection
        self._runs, self._spans = reader.spans(connection, site=None, run=run, after=0)

    def between(self, low: int, high: int) -> dict[int, Attempt]:
        """Give what stands at the places from `low` to `high` that are taken."""
        taken: dict[int, Attempt] = {}
        for span in self._spans:
            first = span.first + max(low - span.nth, 0)
            last = min(span.last, span.first + high - span.nth)
            if first > last:
                continue
            part = reader.Span(first, last, span.run, span.nth + first - span.first)
            for nth, stored in enumerate(
                reader.attempts(self._connection, self._runs, [part]), part.nth
            ):
                taken[nth] = stored.attempt
        return taken


def _run_id(pair: tuple[int, Line]) -> Any:
    return pair[1][0] if pair[1] else None


def _list(line: Line, at: int) -> list[Any]:
    return line[at] if len(line) > at and isinstance(line[at], list) else []


def _attempt(line: Line, raws: dict[str, bytes]) -> Attempt:
    tool, ip, mac, port, transport, vlan, outcome, seen, started, elapsed, detail, origin = line
    for value in (tool, transport, detail, ip or "", mac or ""):
        if not isinstance(value, str):
            raise TypeError(f"{value!r} is no text")
    for number in (port, vlan or 0):
        if type(number) is not int or not 0 <= number < 1 << 31:
            raise ValueError(f"{number!r} is no port or VLAN")
    if not math.isfinite(float(elapsed)):
        raise ValueError(f"{elapsed!r} is no time that passed")
    observations = tuple(
        Observation(_text(one[0]), _text(one[1]), raws[one[2]] if len(one) == 3 else b"")
        for one in seen
    )
    return Attempt(
        tool, Endpoint(ip, mac, port, transport, vlan), Outcome(outcome), observations,
        datetime.fromisoformat(started), float(elapsed), detail, Origin(origin),
    )  # fmt: skip


def _place(nth: Any, before: list[tuple[int, Attempt]]) -> int:
    if not isinstance(nth, int) or nth < 1 or (before and nth <= before[-1][0]):
        raise ValueError(f"{nth!r} is no place behind the last")
    return nth


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
