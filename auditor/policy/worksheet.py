"""What is missing, as rows for the persons who know; and their answers, as decisions.

A worksheet travels: it comes back incomplete, in another order, with rows that nobody asked
for. Each row is read by itself, and what is not taken is said with the reason.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime

from auditor.errors import DataError, UsageError
from auditor.model.annex import QuestionRow
from auditor.model.decision import Decision
from auditor.model.device import Assessed
from auditor.model.identity import TRAITS
from auditor.model.policy import Finding
from auditor.plugins import Rejected
from auditor.policy.decisions import CLASSES, Named, as_given, class_of, override_identity, record
from auditor.policy.ties import known

COLUMNS = ("site", "device", "label", "packs", "field", "question", "ask", "answer")
NO_ANSWER = frozenset({"", "?", "-", "unknown", "inconnu", "inconnue", "n/a", "s.o.", "s/o"})


def question_rows(
    findings: Iterable[Finding], assessed: Iterable[Assessed]
) -> tuple[QuestionRow, ...]:
    """Collect what findings ask: one row per device and field, sites once per field."""
    by_id = {one.device.id: one for one in assessed}
    rows: dict[tuple[str, str], QuestionRow] = {}
    packs: dict[tuple[str, str], list[str]] = {}
    for finding in findings:
        one = by_id.get(finding.device)
        if one is None:
            continue
        for question in finding.ask:
            of_site = question.field.startswith("site.")
            key = (f"site={one.device.site}" if of_site else one.device.id, question.field)
            packs.setdefault(key, []).append(finding.pack)
            label = one.device.site if of_site else label_of(one)
            device = "" if of_site else one.device.id
            rows[key] = QuestionRow(one.device.site, device, label, (), question)
    found = [
        QuestionRow(row.site, row.device, row.label, tuple(sorted(set(packs[key]))), row.question)
        for key, row in rows.items()
    ]
    return tuple(
        sorted(found, key=lambda r: (r.site, r.question.who.en, r.device, r.question.field))
    )


def label_of(assessed: Assessed) -> str:
    """Give what a person on site recognises a device by."""
    device, identity = assessed.device, assessed.identity
    traits = (known(identity.brand) or known(identity.maker), known(identity.model))
    recorded = (device.recorded(f"asset.{name}") for name in ("tag", "room", "location"))
    parts = (*traits, *recorded, *device.ips[:1], *device.macs[:1])
    return " · ".join(dict.fromkeys(part for part in parts if part))


def csv_rows(rows: Sequence[QuestionRow], language: str) -> Iterator[tuple[str, ...]]:
    """Give the worksheet as rows of text, headings (COLUMNS) not included."""
    for row in rows:
        ask, who = (text.in_language(language) for text in (row.question.ask, row.question.who))
        packs = " ".join(row.packs)
        yield (row.site, row.device, row.label, packs, row.question.field, ask, who, row.answer)


def read_answers(
    rows: Iterable[Mapping[str, str]],
    assessed: Iterable[Assessed],
    by: str,
    at: datetime,
    canonical: Named = as_given,
    near: Callable[[str], Sequence[str]] = lambda name: (),  # noqa: ARG005
) -> tuple[tuple[Decision, ...], tuple[Rejected, ...]]:
    """Turn a filled-in worksheet into decisions; rows without an answer are passed over.

    rows: by COLUMNS, the first being line 2 of the file. canonical: the canonical name of a
    maker, None for a name that nobody knows: its row is refused with the names that are `near`.
    """
    by_id = {one.device.id: one for one in assessed}
    decisions: list[Decision] = []
    rejected: list[Rejected] = []
    for line, row in enumerate(rows, 2):
        answer = (row.get("answer") or "").strip()
        if answer.casefold() in NO_ANSWER:
            continue
        try:
            decisions.append(_decision(row, answer, by_id, by, at, canonical, near))
        except (DataError, UsageError) as error:
            text = " | ".join(str(row.get(column) or "") for column in COLUMNS)
            rejected.append(Rejected(line, error.what, text[:500]))
    return tuple(decisions), tuple(rejected)


def _decision(
    row: Mapping[str, str],
    answer: str,
    by_id: Mapping[str, Assessed],
    by: str,
    at: datetime,
    canonical: Named,
    near: Callable[[str], Sequence[str]],
) -> Decision:
    field, site = (row.get("field") or "").strip(), (row.get("site") or "").strip()
    reason = "answered in a worksheet"
    if field.startswith("site."):
        subject: Sequence[tuple[str, str]] = (("site", site),)
        return record(by=by, at=at, subject=subject, field=field, value=answer, reason=reason)
    one = by_id.get((row.get("device") or "").strip())
    if one is None:
        raise DataError(f"no device {row.get('device')!r} in this inventory")
    subject = subject_of(one)
    trait = field.removeprefix("device.").replace("class", "device_class", 1)
    if field.startswith("device.") and trait in TRAITS:
        value = established(trait, answer, canonical, near)
        return override_identity(
            by=by, at=at, reason=reason, subject=subject, trait=trait, value=value
        )
    return record(by=by, at=at, subject=subject, field=field, value=answer, reason=reason)


def established(
    trait: str, answer: str, canonical: Named, near: Callable[[str], Sequence[str]]
) -> str:
    """Give a trait's value as rules know it; refuse a class or a company that nobody knows."""
    if trait == "device_class":
        code = class_of(answer)
        if code is None:
            raise DataError(f"{answer!r} is no class of device; write one of {', '.join(CLASSES)}")
        return code
    if trait not in {"maker", "brand"}:
        return answer
    name = canonical(answer)
    if name is None:
        alike = ", ".join(near(answer))
        guess = f"; did you mean {alike}?" if alike else ""
        raise DataError(
            f"nobody knows a {trait} {answer!r}{guess}",
            why="a name that is not known clears nothing",
            hint="write the known name, or record yours with `auditor decide … --as-written`",
        )
    return name


def subject_of(assessed: Assessed) -> tuple[tuple[str, str], ...]:
    """Name a device by what survives re-correlation: its site, addresses, serial and tag."""
    device = assessed.device
    pairs = [("site", device.site), ("device", device.id)]
    pairs += [("mac", mac) for mac in device.macs]
    if serial := known(assessed.identity.serial):
        pairs.append(("serial", serial))
    if tag := device.recorded("asset.tag"):
        pairs.append(("tag", tag))
    return tuple(pairs)
