"""How a report speaks: facts, evidence and verdicts as sentences of one language."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache, partial
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from auditor.formats import lines as drawn
from auditor.formats.pictures import Point, timeline
from auditor.formats.visible import dump, visible
from auditor.formats.words import Phrases, typeset_french
from auditor.model.device import Assessed, Device
from auditor.model.identity import Contradiction, Evidence, Identity
from auditor.model.observation import Outcome
from auditor.model.policy import Due, Text, Verdict
from auditor.model.report import Report

EXCERPT = 90  # signs of a value that a sentence quotes; the whole of it is one click away


def speech(report: Report, phrases: Phrases) -> dict[str, Any]:
    """Give the functions by which a template says things in one language."""
    titles = {pack.id: pack.title for pack in report.packs}
    raws = {raw.sha256: raw.data for raw in report.raws}
    says = partial(text_of, phrases.language)
    return {
        "t": phrases.say,
        "n": phrases.plural,
        "has": phrases.has,
        "number": phrases.number,
        "percent": phrases.percent,
        "day": phrases.day,
        "moment": phrases.moment,
        "listing": phrases.listing,
        "says": says,
        "pack_title": lambda pack: says(titles[pack]) if pack in titles else pack,
        "trait_value": partial(trait_value, phrases),
        "tool_name": partial(known, phrases, "tool"),
        "known": partial(known, phrases),
        "sentence": partial(sentence, phrases),
        "shown_evidence": shown_evidence,
        "seen": seen,
        "asked_of": partial(asked_of, phrases),
        "contradiction": partial(contradiction, phrases),
        "label": partial(label, phrases),
        "due_state": partial(due_state, report),
        "caution": partial(caution, phrases),
        "verdict_word": partial(verdict_word, phrases),
        "raw_text": _raw_text(raws),
        "timeline": partial(story, report, phrases),
    }


def answer(report: Report, found: Sequence[drawn.Line], phrases: Phrases) -> Markup:
    """Say in one plain sentence how things stand, and what is not known."""
    counted = drawn.tally(found, (gap for _, gap in drawn.gaps(report)))
    bad = counted.of(Verdict.NONCONFORMING)
    open_ = counted.of(Verdict.REVIEW) + counted.of(Verdict.UNDETERMINED)
    start = phrases.plural("answer.bad", bad) if bad else phrases.say("answer.no_bad")
    parts = [start, phrases.plural("answer.of", counted.devices)]
    if open_:
        parts.append(phrases.plural("answer.open", open_))
    missed = counted.not_assessed
    if missed or not report.coverage.complete:
        parts.append(
            phrases.plural("answer.missed", missed) if missed else phrases.say("answer.unlooked")
        )
    return Markup(" ").join(parts)


def text_of(language: str, text: Text) -> str:
    """Give a pack's or a finding's words, with French spacing where they are French."""
    words = text.in_language(language)
    return typeset_french(words) if language == "fr" else words


def trait_value(phrases: Phrases, name: str, value: str) -> Markup:
    """Name a trait's value: a class in the reader's words, everything else as it was found."""
    if name == "device_class":
        return escape(known(phrases, "class", value))
    return given(value)


@lru_cache(maxsize=4096)
def given(value: str) -> Markup:
    """Show text that a device, a file or a person gave: never a link, in its own direction."""
    return Markup('<bdi lang="" translate="no">{}</bdi>').format(visible(value))


def known(phrases: Phrases, table: str, value: str) -> str:
    """Translate `value` where the words know it; a stranger stands as it came."""
    key = f"{table}.{value}"
    return phrases.word(key) if phrases.has(key) else visible(value)


def verdict_word(phrases: Phrases, value: str) -> str:
    """Name a verdict or whatever else changed; a dash where there was nothing."""
    if not value:
        return phrases.word("common.dash")
    key = f"verdict.{value}.name"
    return phrases.word(key) if phrases.has(key) else visible(value)


def label(phrases: Phrases, assessed: Assessed) -> Markup:
    """Call a device what people would call it: brand or maker, model, class."""
    identity = assessed.identity
    who = identity.brand.value or identity.maker.value
    parts = [trait_value(phrases, "maker", part) for part in (who, identity.model.value) if part]
    if not parts:
        parts = [escape(phrases.word("device.unknown_maker"))]
    if identity.device_class.value:
        parts.append(escape(phrases.word("common.dash") + " "))
        parts.append(trait_value(phrases, "device_class", identity.device_class.value))
    return Markup(" ").join(parts)


def shown_evidence(identity: Identity) -> tuple[Evidence, ...]:
    """Give the evidence that carries the maker, one piece for each thing seen and said of it.

    Where nothing carries a maker, whatever there is.
    """
    carried = identity.maker.supporting or identity.evidence
    return tuple({(e.field, e.trait, e.claim): e for e in reversed(carried)}.values())[::-1][:8]


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing received, with everything that rules conclude from it.

    first: whether its bytes were not shown before in the same list.
    """

    field: str
    value: str
    attempt: int
    raw_sha256: str | None
    pieces: tuple[Evidence, ...]
    first: bool = True


def seen(identity: Identity) -> tuple[Seen, ...]:
    """Group evidence by what was received, so that the same bytes are shown once."""
    grouped: dict[tuple[str, str, int, str | None], list[Evidence]] = defaultdict(list)
    for e in identity.evidence:
        grouped[(e.field, e.value, e.attempt, e.raw_sha256)].append(e)
    told, shown = [], set()
    for (name, value, attempt, sha256), pieces in grouped.items():
        told.append(Seen(name, value, attempt, sha256, tuple(pieces), sha256 not in shown))
        shown.add(sha256)
    return tuple(told)


def asked_of(phrases: Phrases, device: Device) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Group what a device was asked by how it ended, in the order of the outcomes."""
    grouped: dict[Outcome, list[str]] = {outcome: [] for outcome in Outcome}
    for one in device.asked:
        port = f" ({one.port})" if one.port else ""
        grouped[one.outcome].append(known(phrases, "tool", one.tool) + port)
    return tuple((outcome.value, tuple(told)) for outcome, told in grouped.items() if told)


def sentence(phrases: Phrases, piece: Evidence) -> Markup:
    """Say one piece of evidence so that a layman understands what was seen."""
    key = f"evidence.{piece.field}"
    value = " ".join(piece.value.split())
    value = value if len(value) <= EXCERPT else value[: EXCERPT - 1] + "…"
    said = phrases.say(
        key if phrases.has(key) else "evidence.other",
        value=given(value),
        field=Markup("<code>{}</code>").format(visible(piece.field)),
    )
    points = phrases.say(
        "evidence_word.points",
        trait=phrases.word(f"trait_to.{piece.trait}"),
        claim=trait_value(phrases, piece.trait, piece.claim),
    )
    return said + " " + points


def contradiction(phrases: Phrases, one: Contradiction) -> Markup:
    """Say what does not fit together, and what it may mean."""
    key = f"contradiction.{one.code}"
    return phrases.say(
        key if phrases.has(key) else "contradiction.other",
        one=trait_value(phrases, one.trait, one.one),
        other=trait_value(phrases, one.trait, one.other),
        trait=phrases.word(f"trait.{one.trait}"),
    )


def story(report: Report, phrases: Phrases, line: drawn.Line) -> tuple[Point, ...]:
    """Give what is known of a device's life: acquired, seen, due, exempt, removed."""
    device = line.assessed.device
    zone = ZoneInfo(report.snapshot.zone)
    events = {
        ("first_seen", device.first_seen.astimezone(zone).date()),
        ("last_seen", device.last_seen.astimezone(zone).date()),
        *(("due", due.due) for finding in line.findings for due in finding.due),
    }
    for name in ("acquired", "removed"):
        day = _day(device.recorded(f"asset.{name}"))
        if day:
            events.add((name, day))
    ends = {one.id: one.expires for one in report.decisions if one.expires}
    for finding in line.findings:
        if finding.exempted_by in ends:
            events.add(("exempt", ends[finding.exempted_by]))
    return timeline(
        [
            (float(day.toordinal()), f"{phrases.day(day)} – {phrases.word(f'timeline.{name}')}")
            for name, day in sorted(events)
        ]
    )


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def caution(phrases: Phrases, text: str) -> Markup:
    """Say a warning; it comes as `kind:subject:value`, or as plain text."""
    kind, _, rest = text.partition(":")
    subject, _, value = rest.rpartition(":")
    if not phrases.has(f"warning.{kind}"):
        return escape(visible(text))
    try:
        value = phrases.day(date.fromisoformat(value))
    except ValueError:
        value = visible(value)
    return phrases.say(f"warning.{kind}", subject=known(phrases, "dataset", subject), value=value)


def due_state(report: Report, due: Due) -> str:
    """Tell whether a duty is `done`, `overdue` on the day of the report, or `open`."""
    if due.done:
        return "done"
    return "overdue" if due.due < report.snapshot.as_of else "open"


def _raw_text(raws: Mapping[str, bytes]) -> Callable[[str | None], Markup | None]:
    def shown(sha256: str | None) -> Markup | None:
        raw = raws.get(sha256 or "")
        if not raw:
            return None
        rows = (f"{at}  {octets:<47}  {signs}" for at, octets, signs in dump(raw))
        return escape("\n".join(rows))

    return shown
