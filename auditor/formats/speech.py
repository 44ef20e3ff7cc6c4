"""How a report speaks: facts, evidence and verdicts as sentences of one language."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from auditor.formats import lines as drawn
from auditor.formats.decided import motive, settings
from auditor.formats.pictures import Point, timeline
from auditor.formats.saying import known, mac_sources, trait_value
from auditor.formats.testimony import testimony
from auditor.formats.visible import visible
from auditor.formats.words import Phrases, typeset_french
from auditor.model.device import Assessed
from auditor.model.policy import Due, Text, Verdict
from auditor.model.report import Report


def speech(report: Report, phrases: Phrases) -> dict[str, Any]:
    """Give the functions by which a template says things in one language."""
    titles = {pack.id: pack.title for pack in report.packs}
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
        "mac_sources": partial(mac_sources, phrases),
        "label": partial(label, phrases),
        "due_state": partial(due_state, report),
        "caution": partial(caution, phrases),
        "verdict_word": partial(verdict_word, phrases),
        "timeline": partial(story, report, phrases),
        "settings": partial(settings, phrases),
        "motive": partial(motive, phrases),
        **testimony(report, phrases),
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
        parts.append(escape(phrases.word("common.dash")))
        parts.append(trait_value(phrases, "device_class", identity.device_class.value))
    return Markup(" ").join(parts)


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
