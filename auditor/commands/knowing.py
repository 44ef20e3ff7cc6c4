"""Commands over shipped knowledge: identify, oui, packs. No ledger, no network."""

import hashlib
import json
import sys
from codecs import BOM_UTF8
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from auditor import wiring
from auditor.commands.terminal import emit, safe, table
from auditor.errors import AuditorError, UsageError
from auditor.model.address import Mac


def identify(fingerprints: Path | None, *, as_json: bool) -> int:
    """Read JSON Lines of observations from stdin, write identities to stdout, same order."""
    from auditor.identify.stream import identify_lines

    if not as_json:
        raise UsageError("identities are written as JSON Lines only", hint="leave --no-json out")
    known = wiring.knowledge((fingerprints,) if fingerprints else ())
    lines = _lines(sys.stdin.buffer)
    write = sys.stdout.write
    for line in identify_lines(lines, known):
        write(line + "\n")
    return 0


def _lines(file: BinaryIO) -> Iterator[str]:
    """Give lines of UTF-8, with a byte order mark or without; refuse wide characters in words."""
    for number, line in enumerate(file):
        if not number and b"\0" in line[:4]:  # as in every JSON text of wide characters
            raise UsageError(
                "the input is UTF-16 or UTF-32",
                why="JSON Lines are UTF-8 (RFC 8259, 8.1)",
                hint="write it as UTF-8, e.g. with iconv -f UTF-16 -t UTF-8",
            )
        whole = line if number else line.removeprefix(BOM_UTF8)
        yield whole.decode("utf-8", "surrogateescape")


def oui(words: tuple[str, ...], *, as_json: bool) -> int:
    """Dispatch: `oui MAC…`, `oui status`, `oui update FILE`."""
    if words == ("status",):
        return _oui_status(as_json=as_json)
    if words[0] == "update":
        if len(words) != 2:
            raise UsageError("oui update takes one file", hint="auditor oui update oui.csv")
        return _oui_update(Path(words[1]))
    registry = wiring.registry()
    rows = [_registrant(registry, word) for word in words]
    if as_json:
        emit(rows)
    else:
        table(
            [[row["mac"], row["registrant"] or "–", row["block"] or row["note"]] for row in rows],
            ("mac", "registrant", "block"),
        )
    return 2 if any(row["note"] == "no hardware address" for row in rows) else 0


def _registrant(registry: Any, word: str) -> dict[str, Any]:
    said: dict[str, Any] = {"mac": word, "registrant": None, "block": None, "note": ""}
    try:
        mac = Mac.parse(word)
    except AuditorError:
        return said | {"note": "no hardware address"}
    said["mac"] = str(mac)
    if mac.is_group:
        return said | {"note": "a group address: no device"}
    if mac.is_local:
        return said | {"note": "a local (randomised or virtual) address: no registrant"}
    block = registry.block(mac.value)
    if block is None:
        return said | {"note": "not registered, or subdivided and not assigned"}
    return said | {"registrant": block.registrant, "block": str(block)}


def _oui_status(*, as_json: bool) -> int:
    status = wiring.registry().status
    today = datetime.now(UTC).date()
    said = {
        "source": status.source,
        "day": status.day.isoformat(),
        "age_days": status.age_days(today),
        "stale": status.stale(today),
        "rows": status.rows,
        "sha256": status.sha256,
    }
    if as_json:
        emit([said])
    else:
        table([[key, value] for key, value in said.items()], ())
    if said["stale"]:
        print(
            f"warning: the registry is {said['age_days']} days old\n"
            "  fix: run `auditor oui update FILE` with a fresh copy",
            file=sys.stderr,
        )
    return 0


def _oui_update(path: Path) -> int:
    from auditor.identify import oui_sources

    try:
        raw = path.read_bytes()
        day = datetime.fromtimestamp(path.stat().st_mtime, UTC).date()
    except OSError as error:
        raise UsageError(f"cannot read {path}", why=error.strerror or "") from error
    digest = hashlib.sha256(raw).hexdigest()
    made = oui_sources.Provenance(path.name, day, digest, "as its publisher says")
    covered = wiring.knowledge().makers.registrants
    into = wiring.user_data() / "oui_data"
    done = oui_sources.update(raw, made, wiring.oui_data(), into, covered)
    print(f"{done.rows} blocks ({done.kind}) written to {safe(done.folder)}")
    print("run `auditor assess` to judge the ledger anew; no scan is needed")
    return 0


def packs(words: tuple[str, ...], language: str, *, as_json: bool) -> int:
    """Dispatch: `packs`, `packs show ID`, `packs check FILE`."""
    today = datetime.now(UTC).date()
    if not words:
        return _list_packs(today, language, as_json=as_json)
    if len(words) == 2 and words[0] == "show":
        return _show_pack(words[1], today, language, as_json=as_json)
    if len(words) == 2 and words[0] == "check":
        return _check_pack(Path(words[1]), today)
    raise UsageError(
        f"packs cannot {' '.join(words)}", hint="auditor packs | packs show ID | packs check FILE"
    )


def _summaries(today: date, ids: tuple[str, ...] = ()) -> Iterator[Any]:
    from auditor.policy.packs import summary

    for pack in wiring.packs(ids):
        yield summary(pack, today)


def _list_packs(today: date, language: str, *, as_json: bool) -> int:
    found = list(_summaries(today))
    if as_json:
        emit(_pack_json(pack) for pack in found)
        return 0
    table(
        [
            [
                pack.id,
                pack.version,
                pack.jurisdiction,
                pack.status,
                pack.review_by.isoformat() + (" OVERDUE" if pack.overdue else ""),
                pack.title.in_language(language),
            ]
            for pack in found
        ],
        ("pack", "version", "where", "status", "review by", "title"),
    )
    return 0


def _pack_json(pack: Any) -> dict[str, Any]:
    return {
        "id": pack.id,
        "version": pack.version,
        "jurisdiction": pack.jurisdiction,
        "status": pack.status,
        "as_of": pack.as_of.isoformat(),
        "review_by": pack.review_by.isoformat(),
        "overdue": pack.overdue,
        "citation": pack.citation,
        "title": {"en": pack.title.en, "fr": pack.title.fr},
        "sha256": pack.sha256,
    }


def _show_pack(name: str, today: date, language: str, *, as_json: bool) -> int:
    pack = next(_summaries(today, (name,)))
    if as_json:
        emit([_pack_json(pack)])
        return 0
    said: Mapping[str, Iterable[str]] = {
        pack.title.in_language(language): (f"{pack.id} {pack.version}", f"status: {pack.status}"),
        "citation": (pack.citation or "none published",),
        "binds": (pack.binds.in_language(language),),
        "prohibits": (pack.prohibits.in_language(language),),
        "actions": (f"{action}: {state}" for action, state in pack.actions),
        "legacy": (pack.legacy.in_language(language),) if pack.legacy else (),
        "unconfirmed": (text.in_language(language) for text in pack.unconfirmed),
        "sources": (
            f"[{source.confidence}] {source.url} (read {source.read})" for source in pack.sources
        ),
        "review by": (pack.review_by.isoformat() + (" OVERDUE" if pack.overdue else ""),),
    }
    for head, lines in said.items():
        print(safe(head))
        for line in lines:
            print(f"  {safe(line, 2000)}")
    return 0


def _check_pack(path: Path, today: date) -> int:
    from auditor.identify.meant import meant, near
    from auditor.policy.lint import Names
    from auditor.policy.packs import check_pack

    makers = wiring.knowledge().makers
    names = Names(partial(meant, makers=makers), partial(near, makers=makers))
    mistakes = check_pack(path, today, names)
    for mistake in mistakes:
        kind = "error" if mistake.grave else "warning"
        print(safe(f"{kind}: {mistake}", 2000))
    grave = sum(mistake.grave for mistake in mistakes)
    print(json.dumps({"errors": grave, "warnings": len(mistakes) - grave}), file=sys.stderr)
    return 2 if grave else 0
