"""The inventory database: facts that are appended and never changed.

One `Ledger` is one open database. Every call that writes is one durable transaction: when it
returns, what it wrote survives a crash of the program or the machine; if it raises, nothing
of it was written.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import Engine, text

from auditor.errors import DataError, LedgerError
from auditor.model.block import Block
from auditor.model.decision import Decision, DecisionKind
from auditor.model.journal import Sent
from auditor.model.observation import Attempt, Run, StoredAttempt
from auditor.store import opinions, reader
from auditor.store.batch import Batch
from auditor.store.database import open_engine, reading, writing
from auditor.store.encoding import GENESIS, dumps, moment_text, pack, unpack
from auditor.store.migrate import migrate
from auditor.store.reader import unreadable
from auditor.store.tables import (
    FACTS,
    Row,
    closing_row,
    decision_row,
    decision_value,
    imported_value,
    journal_row,
    journal_value,
    run_value,
    signature_row,
    signature_value,
    snapshot_value,
)
from auditor.store.values import Imported, Opinion, Signature, StoredSnapshot, Verification
from auditor.store.verify import verify
from auditor.store.writer import Appender, run_number

T = TypeVar("T")


class Ledger:
    """One open ledger; a context manager that closes it."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str = "sqlite:///auditor.db") -> Self:
        """Open a ledger, creating it or bringing its schema forward where needed."""
        engine = open_engine(url)
        try:
            migrate(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    def close(self) -> None:
        """Let go of all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    # ------------------------------------------------------------ runs and attempts

    def start(self, run: Run) -> None:
        """Record that a run began (and how it ended, if it already has)."""
        with writing(self.engine) as connection:
            if run_number(connection, run.id) is not None:
                raise LedgerError(f"run {run.id!r} was started before", hint="give it a new id")
            Batch(Appender(connection), run)

    def append(
        self, run_id: str, attempts: Iterable[Attempt | Block], sent: Iterable[Sent] = ()
    ) -> int:
        """Append attempts to a run, and what was sent for them, all or none; gives how many."""
        with writing(self.engine) as connection:
            appender = Appender(connection)
            number = appender.run_number(run_id)
            count = appender.attempts(number, attempts)
            appender.add("journal", [journal_row(number, one) for one in sent])
            return count

    def finish(
        self,
        run_id: str,
        status: str = "complete",
        notes: tuple[str, ...] = (),
        ended: datetime | None = None,
    ) -> None:
        """Record how a run ended. A resumed run ends again; the last word counts."""
        with writing(self.engine) as connection:
            appender = Appender(connection)
            number = appender.run_number(run_id)
            appender.add("closing", [closing_row(number, status, ended, notes)])

    @contextmanager
    def importing(self, run: Run, file_sha256: str, site: str, name: str = "") -> Iterator[Batch]:
        """Import one file into one run: when the block ends it is in, else nothing of it is.

        `batch.already` names the run in which the same content was imported for the site
        before; then nothing is written. Memory stays flat whatever the file's size.
        """
        with writing(self.engine) as connection:
            found = connection.execute(
                text(
                    "SELECT run.id FROM imported JOIN run ON run.n = imported.run"
                    " WHERE imported.site = :site AND imported.sha256 = :sha256 ORDER BY run.id"
                ),
                {"site": pack(site), "sha256": file_sha256},
            ).scalar()
            if found is not None:
                yield Batch(None, run, already=unpack(found))
                return
            if run_number(connection, run.id) is not None:
                raise LedgerError(f"run {run.id!r} was started before", hint="give it a new id")
            appender = Appender(connection)
            batch = Batch(appender, run)
            yield batch
            row = (pack(site), file_sha256, batch.number, dumps([name]))
            appender.add("imported", [row])

    def imports(self, site: str | None = None) -> tuple[Imported, ...]:
        """Give the files that were imported, oldest first."""
        rows = self._rows(
            "SELECT i.site, i.sha256, run.id, i.doc FROM imported i JOIN run ON run.n = i.run"
            " WHERE CAST(:site AS TEXT) IS NULL OR i.site = :site ORDER BY i.n",
            site=site and pack(site),
        )
        return self._read("imported", rows, imported_value)

    def runs(self, site: str | None = None) -> tuple[Run, ...]:
        """Give the runs, oldest first, with how each last ended."""
        rows = self._rows(
            "SELECT r.id, r.site, r.kind, r.started, r.doc, c.run, c.status, c.ended, c.doc"
            " FROM run r LEFT JOIN closing c"
            " ON c.n = (SELECT max(n) FROM closing WHERE closing.run = r.n)"
            " WHERE CAST(:site AS TEXT) IS NULL OR r.site = :site ORDER BY r.n",
            site=site and pack(site),
        )
        return self._read(
            "run", rows, lambda row: run_value(row[:5], row[5:] if row[5] is not None else None)
        )

    def attempts(
        self, *, site: str | None = None, after: int = 0, run: str | None = None
    ) -> Iterator[StoredAttempt]:
        """Stream attempts in the order of the chain; `after`: only those behind that number.

        What is written while the stream is read does not appear in it.
        """
        with reading(self.engine) as connection:
            runs, spans = reader.spans(connection, site=site, run=run, after=after)
            yield from reader.attempts(connection, runs, spans, after)

    def about(
        self, *, ip: str | None = None, mac: str | None = None, site: str | None = None
    ) -> Iterator[StoredAttempt]:
        """Stream what is known of one address, without reading the rest of the ledger."""
        with reading(self.engine) as connection:
            runs = reader.named_runs(connection, site)
            yield from reader.about(connection, runs, ip, mac)

    def answered(self, run_id: str) -> set[tuple[str, str, int]]:
        """Give (ip, tool, port) of what a run has already asked, for resuming it.

        What was planned and not done, or broke on our side, is asked again.
        """
        rows = self._rows(
            "SELECT DISTINCT a.ip, a.tool, a.port FROM run JOIN link ON link.run = run.n"
            " JOIN attempt a ON a.seq BETWEEN link.first AND link.last"
            " WHERE run.id = :run AND a.ip IS NOT NULL"
            " AND a.outcome NOT IN ('not_tried', 'crashed')",
            run=pack(run_id),
        )
        return {(unpack(ip), unpack(tool), port) for ip, tool, port in rows}

    def raw(self, sha256: str) -> bytes | None:
        """Give the bytes kept under that hash."""
        rows = self._rows("SELECT data FROM raw WHERE sha256 = :name", name=sha256)
        return bytes(rows[0][0]) if rows else None

    # ------------------------------------------------------------ what people said

    def decide(self, decision: Decision) -> None:
        """Record an officer's act; the same act twice is one, another under its id is refused."""
        with writing(self.engine) as connection:
            known = connection.execute(
                text("SELECT id, kind, at, doc FROM decision WHERE id = :id"),
                {"id": pack(decision.id)},
            ).first()
            row = decision_row(decision)
            if known is None:
                Appender(connection).add("decision", [row])
            elif tuple(known) != row:
                raise LedgerError(
                    f"decision {decision.id!r} is already in the ledger and says something else",
                    why="decisions are never edited",
                    hint="withdraw it and record a new one",
                )

    def decisions(self) -> tuple[Decision, ...]:
        """Give the officers' acts in the order in which they were recorded."""
        rows = self._rows("SELECT id, kind, at, doc FROM decision ORDER BY n")
        return self._read("decision", rows, decision_value)

    def site_facts(self, site: str) -> dict[str, str]:
        """Give what officers recorded of a whole site (RECORD about `site=…` and nothing else)."""
        return self._recorded((("site", site),))

    def organisation_facts(self) -> dict[str, str]:
        """Give what officers recorded of the organisation (RECORD about nothing in particular)."""
        return self._recorded(())

    def _recorded(self, subject: tuple[tuple[str, str], ...]) -> dict[str, str]:
        said = self.decisions()
        withdrawn = {d.withdraws for d in said if d.kind is DecisionKind.WITHDRAWN}
        facts: dict[str, str] = {}
        for decision in said:
            valid = decision.kind is DecisionKind.RECORD and decision.id not in withdrawn
            if valid and decision.subject == subject:
                facts |= dict(decision.values)
        return facts

    # ------------------------------------------------------------ what was sent

    def journal(self, run_id: str, entries: Iterable[Sent]) -> int:
        """Record what a run sent; gives how many entries."""
        with writing(self.engine) as connection:
            appender = Appender(connection)
            number = appender.run_number(run_id)
            rows = [journal_row(number, sent) for sent in entries]
            appender.add("journal", rows)
            return len(rows)

    def journaled(self, run_id: str | None = None) -> Iterator[Sent]:
        """Stream what was sent, by one run or by all, in order."""
        query = (
            "SELECT j.n, j.run, j.moment, j.doc FROM journal j JOIN run ON run.n = j.run"
            " WHERE (CAST(:run AS TEXT) IS NULL OR run.id = :run) AND j.n > :after"
            f" ORDER BY j.n LIMIT {reader.CHUNK}"
        )
        after = 0
        while rows := self._rows(query, run=run_id and pack(run_id), after=after):
            after = rows[-1][0]
            yield from self._read("journal", rows, lambda row: journal_value(row[1:]))

    # ------------------------------------------------------------ chain

    def head(self) -> tuple[int, str]:
        """Give how many facts the ledger holds and the hash of the last link (hexadecimal)."""
        rows = self._rows("SELECT rows, hash FROM link ORDER BY seq DESC LIMIT 1")
        count, last = rows[0] if rows else (0, GENESIS)
        return int(count), bytes(last).hex()

    def verify(self) -> Verification:
        """Recompute the whole chain and name the first row that does not fit."""
        with reading(self.engine) as connection:
            return verify(connection)

    def sites(self) -> tuple[str, ...]:
        """Name the sites that the ledger knows of."""
        return tuple(
            unpack(row[0]) for row in self._rows("SELECT DISTINCT site FROM run ORDER BY site")
        )

    def counts(self) -> dict[str, int]:
        """Count the rows of every fact table, the raw values and the opinions."""
        return {
            table: int(self._rows(f"SELECT count(*) FROM {table}")[0][0])
            for table in (*FACTS, "raw", "opinion")
        }

    # ------------------------------------------------------------ reports and opinions

    def save_snapshot(
        self, name: str, made: datetime, chain_head: str, rows: int, summary: Mapping[str, Any]
    ) -> None:
        """Keep what a report said. The same snapshot (by its id) is kept once."""
        with writing(self.engine) as connection:
            known = connection.execute(
                text("SELECT n FROM snapshot WHERE id = :id"), {"id": pack(name)}
            ).scalar()
            if known is None:
                doc = dumps([chain_head, rows, dict(summary)])
                Appender(connection).add("snapshot", [(pack(name), moment_text(made), doc)])

    def snapshots(self) -> tuple[StoredSnapshot, ...]:
        """Give the summaries of all reports, oldest first."""
        rows = self._rows("SELECT id, made, doc FROM snapshot ORDER BY n")
        return self._read("snapshot", rows, snapshot_value)

    def sign_snapshot(self, signature: Signature) -> None:
        """Record a person's signature under a snapshot that the ledger holds."""
        with writing(self.engine) as connection:
            name = pack(signature.snapshot)
            known = text("SELECT n FROM snapshot WHERE id = :id")
            if connection.execute(known, {"id": name}).scalar() is None:
                raise LedgerError(
                    f"snapshot {signature.snapshot!r} is not in the ledger",
                    hint="make the report with this ledger first",
                )
            Appender(connection).add("signature", [signature_row(signature)])

    def signatures(self, snapshot: str) -> tuple[Signature, ...]:
        """Give the signatures under a snapshot, in the order in which they were made."""
        rows = self._rows(
            "SELECT snapshot, at, doc FROM signature WHERE snapshot = :id ORDER BY n",
            id=pack(snapshot),
        )
        return self._read("signature", rows, signature_value)

    def save_opinions(self, version: str, found: Iterable[Opinion]) -> int:
        """Keep derived answers under one state of the knowledge, in place of earlier ones."""
        return opinions.save(self.engine, version, found)

    def opinions(self, version: str) -> Iterator[Opinion]:
        """Stream the answers derived under that state of the knowledge, by device."""
        return opinions.read(self.engine, version)

    def forget_opinions(self, version: str | None = None, devices: Iterable[str] = ()) -> None:
        """Delete derived answers: all, those of one version, or those on some devices of it."""
        opinions.forget(self.engine, version, devices)

    def _read(self, kind: str, rows: Iterable[Row], value: Callable[[Row], T]) -> tuple[T, ...]:
        try:
            return tuple(map(value, rows))
        except (ValueError, TypeError, LookupError, AttributeError, DataError) as error:
            raise unreadable(f"a row of {kind!r}", error) from error

    def _rows(self, query: str, **values: Any) -> list[Row]:
        with reading(self.engine) as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]
