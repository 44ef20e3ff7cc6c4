"""What the templates may use: the report, its lines, and functions that say things.

One scene serves every page, so a new page is a new template and nothing else.
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial
from typing import Any

from markupsafe import Markup, escape

from auditor.formats import lines as drawn
from auditor.formats.pictures import Curve, curve, segments
from auditor.formats.shards import SHOWN, Shard
from auditor.formats.visible import dump, visible
from auditor.formats.words import Phrases, typeset_french
from auditor.model.device import Assessed, Reach, SubnetCoverage
from auditor.model.identity import TRAITS, Contradiction, Evidence, Identity
from auditor.model.observation import Run
from auditor.model.policy import SEVERITY, Due, Text, Verdict
from auditor.model.report import Report
from auditor.plugins import Words

# officers' facts that a card shows when they are known, in this order
RECORDED = (
    "asset.tag", "asset.owner", "asset.owner_type", "asset.custodian", "asset.location",
    "asset.building", "asset.room", "asset.acquired", "asset.supplier", "asset.contract",
    "asset.purpose", "asset.network_exposure", "asset.switch", "asset.switch_port",
)  # fmt: skip

# colours for engines that do not apply a page's style inside its pictures
INKS = {
    "nonconforming": "#9b1c1c", "review": "#834708", "undetermined": "#57388a", "conforming": "#17603a",
    "assessed": "#17603a", "not_applicable": "#9aa5b1", "not_assessed": "#33475b", "present_only": "#b98a4b",
    "silent": "#c3ccd6", "excluded": "#8a94a0", "refused_by_scope": "#8a94a0", "not_reached": "#b5605f",
    "proxy": "#b5605f",
}  # fmt: skip
SECTIONS = (
    "overview", "findings", "questions", "scope", "method", "coverage", "limits", "register",
    "progress", "exceptions", "rules", "data", "verify", "glossary", "sign",
)  # fmt: skip


def scene(
    report: Report,
    phrases: Phrases,
    words: Mapping[str, Words],
    found: Sequence[drawn.Line],
    parts: Sequence[Shard] = (),
) -> dict[str, Any]:
    """Gather everything that a page may say of `report` in one language."""
    return {
        "report": report,
        "language": phrases.language,
        "severity": tuple(verdict.value for verdict in SEVERITY),
        "traits": TRAITS,
        "recorded": RECORDED,
        "sections": SECTIONS,
        "attention_verdicts": drawn.ATTENTION,
        "segments": segments,
        "shards": parts,
        "paper": False,
        "inks": INKS,
        "limit": SHOWN if parts else len(found) + 1_000_000,
        "other_word": lambda language, key: words[language][key],
        **_counts(report, found),
        **_speech(report, phrases),
        **_places(phrases, found, parts),
        "burn": burn_down(report, phrases),
        "answer_sentence": answer(report, found, phrases),
    }


def _places(
    phrases: Phrases, found: Sequence[drawn.Line], parts: Sequence[Shard]
) -> dict[str, Any]:
    """Say where a device stands: on this page, or in which part."""
    by_id = {line.assessed.device.id: line for line in found}
    files = {
        line.anchor: f"{part.name}.{phrases.language}.html" for part in parts for line in part.lines
    }

    def href(line: drawn.Line) -> str:
        return f"{files.get(line.anchor, '')}#{line.anchor}"

    def name(device: str) -> Markup:
        line = by_id.get(device)
        if line is None:
            return Markup("<code>{}</code>").format(visible(device))
        address = Markup("<code>{}</code> ").format(visible(line.address))
        return address + label(phrases, line.assessed)

    def link(device: str) -> Markup:
        line = by_id.get(device)
        if line is None or not has_card(line):
            return name(device)
        return Markup('<a href="{}">{}</a>').format(href(line), name(device))

    def has_card(line: drawn.Line) -> bool:
        return not parts or line.verdict in drawn.ATTENTION

    return {"href": href, "device_link": link, "device_name": name, "has_card": has_card}


def burn_down(report: Report, phrases: Phrases) -> Curve | None:
    """Draw how many devices that had to go were still there, day by day."""
    points = [(point.day, point.open) for point in report.annexes.burn_down] or [
        (day, dict(counted).get(Verdict.NONCONFORMING, 0)) for day, counted in report.history
    ]
    return curve([(float(day.toordinal()), phrases.day(day), count) for day, count in points])


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


def _counts(report: Report, found: Sequence[drawn.Line]) -> dict[str, Any]:
    left = drawn.gaps(report)
    return {
        "lines": found,
        "attention": drawn.attention(found),
        "tally": drawn.tally(found, (gap for _, gap in left)),
        "by_site": drawn.by_site(report, found),
        "by_owner": drawn.by_owner(found),
        "by_pack": dict(drawn.by_pack(report, found)),
        "asked": drawn.asked(found),
        "exemptions": drawn.exemptions(report),
        "gaps": left,
        "unclassified": drawn.unclassified(found),
        "counts": {v.value: c for v, c in drawn.tally(found).verdicts},
        "verdict_pairs": lambda tally: [(v.value, c) for v, c in tally.verdicts],
        "coverage_pairs": coverage_pairs,
        "reaches": tuple(reach.value for reach in Reach),
        "authority": authority,
    }


def _speech(report: Report, phrases: Phrases) -> dict[str, Any]:
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
        "contradiction": partial(contradiction, phrases),
        "label": partial(label, phrases),
        "due_state": partial(due_state, report),
        "caution": partial(caution, phrases),
        "verdict_word": partial(_verdict_word, phrases),
        "raw_text": _raw_text(raws),
    }


def text_of(language: str, text: Text) -> str:
    """Give a pack's or a finding's words, with French spacing where they are French."""
    words = text.in_language(language)
    return typeset_french(words) if language == "fr" else words


def trait_value(phrases: Phrases, name: str, value: str) -> Markup:
    """Name a trait's value: a class in the reader's words, everything else as it was found."""
    if name == "device_class":
        return escape(known(phrases, "class", value))
    return Markup('<bdi translate="no">{}</bdi>').format(visible(value))


def known(phrases: Phrases, table: str, value: str) -> str:
    """Translate `value` where the words know it; a stranger stands as it came."""
    key = f"{table}.{value}"
    return phrases.word(key) if phrases.has(key) else value


def _verdict_word(phrases: Phrases, value: str) -> str:
    """Name a verdict or whatever else changed; a dash where there was nothing."""
    if not value:
        return phrases.word("common.dash")
    key = f"verdict.{value}.name"
    return phrases.word(key) if phrases.has(key) else value


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
    """Give the evidence that carries the maker; where there is none, whatever there is."""
    carried = identity.maker.supporting or identity.evidence
    return tuple(dict.fromkeys(carried))[:8]


def sentence(phrases: Phrases, piece: Evidence) -> Markup:
    """Say one piece of evidence so that a layman understands what was seen."""
    key = f"evidence.{piece.field}"
    value = piece.value if len(piece.value) <= 160 else piece.value[:157] + "…"
    said = phrases.say(
        key if phrases.has(key) else "evidence.other",
        value=Markup('<bdi translate="no">{}</bdi>').format(visible(value)),
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


def coverage_pairs(subnet: SubnetCoverage) -> list[tuple[str, int]]:
    """Give the parts of a network's bar: what was assessed, and every kind of gap."""
    counted = Counter({"assessed": subnet.assessed})
    for gap in subnet.gaps:
        counted[gap.reach.value] += gap.count
    return [(reach.value, counted[reach.value]) for reach in Reach]


def authority(run: Run) -> dict[str, Any]:
    """Read the authority that a run recorded; empty where it recorded none or damaged text."""
    try:
        said = json.loads(run.scope) if run.scope else {}
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
