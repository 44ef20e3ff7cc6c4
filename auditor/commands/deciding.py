"""Commands by which officers decide: exemptions, overrides, removals, merges, questions."""

import csv
import hashlib
import io
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from pathlib import Path

from auditor import wiring
from auditor.commands import judging, naming
from auditor.commands.setting import Setting
from auditor.commands.terminal import safe
from auditor.errors import DataError, UsageError
from auditor.identify.meant import meant, near
from auditor.model.address import Mac
from auditor.model.decision import Decision, DecisionKind
from auditor.model.device import Assessed
from auditor.model.identity import TRAITS
from auditor.model.policy import Verdict
from auditor.model.report import Report
from auditor.policy import clocks, decisions, exemptions, removals, worksheet
from auditor.store.ledger import Ledger

Subject = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Exemption:
    """The words of `except`."""

    device: str
    pack: str
    requested_by: str
    approved_by: str
    expires: str
    reason: str
    controls: tuple[str, ...]
    document: Path | None
    zone: str
    second: str = ""


def exempt(setting: Setting, asked: Exemption) -> int:
    """Record an exemption."""
    wiring.packs((asked.pack,))
    with wiring.open_ledger(setting.db) as ledger:
        subject, count = _subject(setting, ledger, asked.device)
        made = exemptions.exemption(
            by=asked.approved_by,
            requested_by=asked.requested_by,
            at=setting.now(),
            reason=asked.reason,
            subject=(*subject, ("pack", asked.pack)),
            expires=setting.day(asked.expires),
            zone=asked.zone,
            controls=asked.controls,
            document_sha256=_digest(asked.document),
            devices=count,
            second_approver=asked.second,
        )
        return _keep(ledger, made)


def decide(
    setting: Setting,
    device: str,
    settings: tuple[str, ...],
    by: str,
    reason: str,
    *,
    as_written: bool = False,
) -> int:
    """Record overrides of traits and verdicts, and officers' fields of a device or a site.

    as_written: take the name of a maker or brand that nobody knows.
    """
    now, makers = setting.now(), wiring.knowledge().makers
    said = [
        (name, naming.settled(name, value, makers, as_written=as_written))
        for name, value in naming.pairs(settings)
    ]
    with wiring.open_ledger(setting.db) as ledger:
        subject, _ = _subject(setting, ledger, device)
        made = [_decision(subject, name, value, by, reason, now) for name, value in said]
        for decision in made:
            _keep(ledger, decision)
    return 0


def _decision(
    subject: Subject, name: str, value: str, by: str, reason: str, now: datetime
) -> Decision:
    if name in TRAITS:
        return decisions.override_identity(
            by=by, at=now, reason=reason, subject=subject, trait=name, value=value
        )
    if name.startswith("verdict:"):
        if value not in set(map(str, Verdict)):
            raise UsageError(f"{value!r} is no verdict", hint=f"use {', '.join(Verdict)}")
        whole = (*subject, ("pack", name.removeprefix("verdict:")))
        wiring.packs((name.removeprefix("verdict:"),))
        return decisions.override_verdict(
            by=by, at=now, reason=reason, subject=whole, verdict=Verdict(value)
        )
    if name.startswith("reported:"):
        return _reported(subject, name.removeprefix("reported:"), value, by, reason, now)
    return decisions.record(by=by, at=now, subject=subject, field=name, value=value, reason=reason)


def _reported(
    subject: Subject, name: str, value: str, by: str, reason: str, now: datetime
) -> Decision:
    """Record that a duty was fulfilled: `reported:PACK/DUTY=DAY,REFERENCE`."""
    pack, sign, duty = name.partition("/")
    if not sign:
        raise UsageError(f"{name!r} names no duty", hint="write reported:PACK/DUTY=DAY,REFERENCE")
    day, _, reference = value.partition(",")
    return clocks.reported(
        by=by,
        at=now,
        subject=(*subject, ("pack", pack)),
        duty=duty,
        submitted=_day(day),
        reference=reference or reason,
    )


@dataclass(frozen=True, slots=True)
class Proof:
    """What is offered as proof of a removal."""

    document: Path | None = None
    scans: int = 0
    port_down: bool = False
    no_lease: bool = False


def remove(setting: Setting, device: str, step: str, by: str, reason: str, proof: Proof) -> int:
    """Record a step of a removal."""
    with wiring.open_ledger(setting.db) as ledger:
        subject, _ = _subject(setting, ledger, device)
        made = removals.removal(
            by=by,
            at=setting.now(),
            reason=reason or step,
            subject=subject,
            step=step,
            document_sha256=_digest(proof.document),
            scans=proof.scans,
            port_down=proof.port_down,
            no_lease=proof.no_lease,
        )
        code = _keep(ledger, made)
    if step == "disposed" and not removals.proof_of(made):
        setting.say("note: without a disposal record (--document) this proves nothing yet")
    return code


def withdraw(setting: Setting, name: str, by: str, reason: str) -> int:
    """Take a decision back."""
    with wiring.open_ledger(setting.db) as ledger:
        found = [d for d in ledger.decisions() if d.id == name or d.id.startswith(name)]
        if len(found) != 1:
            raise UsageError(
                f"{name!r} names {len(found)} decisions", hint="give the whole id from the report"
            )
        return _keep(ledger, decisions.withdraw(found[0], by=by, at=setting.now(), reason=reason))


def merge(setting: Setting, devices: tuple[str, ...], by: str, reason: str) -> int:
    """Record that several devices are one; undone by `withdraw`."""
    if len(devices) < 2:
        raise UsageError("one device cannot be merged with nothing", hint="name two or more")
    with wiring.open_ledger(setting.db) as ledger:
        known = judging.known_devices(setting, ledger)
        found = [judging.find(known, name) for name in devices]
        sites = {assessed.device.site for assessed in found}
        if len(sites) > 1:
            raise UsageError(
                f"these devices stand at {len(sites)} sites", hint="a device is at one site"
            )
        return _keep(ledger, _joining(DecisionKind.MERGE, found, by, reason, setting))


def split(setting: Setting, device: str, key: str, by: str, reason: str) -> int:
    """Record that what carries `key` is another device; undone by `withdraw`."""
    name, sign, value = key.partition("=")
    if not sign or name not in {"mac", "serial", "ip"}:
        raise UsageError(f"{key!r} parts nothing", hint="write mac=…, serial=… or ip=…")
    with wiring.open_ledger(setting.db) as ledger:
        assessed = judging.find(judging.known_devices(setting, ledger), device)
        subject = (("site", assessed.device.site), (name, value))
        made = Decision("", DecisionKind.SPLIT, by, setting.now(), reason, subject)
        return _keep(ledger, decisions.sealed(made))


def questions(
    setting: Setting,
    out: Path,
    packs: tuple[str, ...],
    lang: str,
    read: Path | None,
    by: str,
) -> int:
    """Write the missing facts as worksheets, or take the answers of one in."""
    with wiring.open_ledger(setting.db) as ledger:
        if read:
            return _answers(setting, ledger, read, by)
        frozen = judging.frozen(setting, ledger, judging.Wanted(packs=packs))
    return _worksheets(frozen, out, lang)


def _worksheets(report: Report, out: Path, lang: str) -> int:
    from auditor.formats.csv import rows as written
    from auditor.formats.tables import Table
    from auditor.formats.template import asked_for

    languages = asked_for(lang)
    asked = worksheet.question_rows(report.findings, report.devices)
    out.mkdir(parents=True, exist_ok=True)
    for language in languages:
        table = Table("questions", "", worksheet.COLUMNS, worksheet.csv_rows(asked, language))
        path = out / f"questions.{language}.csv"
        path.write_bytes(b"".join(written(table, language)))
        print(safe(path.resolve()))
    (pages,) = wiring.formats_named("questions")
    words = wiring.words(("en", "fr"))
    for page in pages.render(report, words, languages, wiring.resources()):
        (out / page.name).write_bytes(b"".join(page.pieces))
        print(safe((out / page.name).resolve()))
    print(f"{len(asked)} questions")
    return 0


def _answers(setting: Setting, ledger: Ledger, path: Path, by: str) -> int:
    if not by:
        raise UsageError("nobody is named as answering", hint="say who with --by")
    known = judging.known_devices(setting, ledger)
    makers = wiring.knowledge().makers
    made, rejected = worksheet.read_answers(
        _rows(path),
        known,
        by,
        setting.now(),
        partial(meant, makers=makers),
        partial(near, makers=makers),
    )
    for decision in made:
        ledger.decide(decision)
    for row in rejected:
        print(safe(f"{path.name}:{row.line}: {row.reason}"), file=sys.stderr)
    print(f"{len(made)} answers recorded, {len(rejected)} rows not taken")
    return 2 if rejected and not made else 0


def _rows(path: Path) -> list[dict[str, str]]:
    """Read a worksheet as a spreadsheet saved it: comma or semicolon, with or without a mark."""
    try:
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except OSError as error:
        raise UsageError(f"cannot read {path}", why=error.strerror or "") from error
    head = text.split("\n", 1)[0]
    reader = csv.DictReader(
        io.StringIO(text, newline=""), delimiter=";" if head.count(";") > head.count(",") else ","
    )
    missing = {"device", "field", "answer"} - set(reader.fieldnames or ())
    if missing:
        raise DataError(
            f"{path} is no worksheet",
            why=f"it lacks {', '.join(sorted(missing))}",
            hint="fill in the file that `auditor questions` wrote",
        )
    return [{key: value or "" for key, value in row.items() if key} for row in reader]


def _joining(
    kind: DecisionKind, found: Sequence[Assessed], by: str, reason: str, setting: Setting
) -> Decision:
    keys = [key for assessed in found for key in identifiers(assessed) if key[0] != "site"]
    subject = (("site", found[0].device.site), *dict.fromkeys(keys))
    return decisions.sealed(Decision("", kind, by, setting.now(), reason, subject))


def identifiers(assessed: Assessed) -> Subject:
    """Give what a device will be known by after it was correlated anew."""
    device, identity = assessed.device, assessed.identity
    found: list[tuple[str, str]] = [("site", device.site)]
    own = [mac for mac in device.macs if not Mac.parse(mac).is_local]  # others change by the day
    if own:
        found.append(("mac", own[0]))
    elif identity.serial.value:
        found.append(("serial", identity.serial.value))
    elif device.ips:
        found.append(("ip", device.ips[0]))
    else:
        found.append(("device", device.id))
    return tuple(found)


def _subject(setting: Setting, ledger: Ledger, name: str) -> tuple[Subject, int]:
    """Give the subject that a name on the command line means, and how many devices it covers."""
    known = judging.known_devices(setting, ledger)
    if name.startswith("site="):
        site = name.removeprefix("site=")
        count = sum(assessed.device.site == site for assessed in known)
        return (("site", site),), max(count, 1)
    return identifiers(judging.find(known, name)), 1


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"{text!r} is no day", hint="write it as 2026-11-23,REFERENCE") from error


def _digest(document: Path | None) -> str:
    if document is None:
        return ""
    try:
        return hashlib.sha256(document.read_bytes()).hexdigest()
    except OSError as error:
        raise UsageError(f"cannot read {document}", why=error.strerror or "") from error


def _keep(ledger: Ledger, decision: Decision) -> int:
    ledger.decide(decision)
    print(safe(f"{decision.id} recorded"))
    return 0
