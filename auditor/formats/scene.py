"""What the templates may use: the report, its lines, and functions that say things.

One scene serves every page, so a new page is a new template and nothing else.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from auditor.formats import lines as drawn
from auditor.formats.compared import compared, without_books
from auditor.formats.pictures import Curve, curve, segments
from auditor.formats.shards import SHOWN, Shard
from auditor.formats.speech import answer, label, speech
from auditor.formats.visible import visible
from auditor.formats.words import Phrases
from auditor.model.device import Reach, SubnetCoverage
from auditor.model.identity import TRAITS
from auditor.model.observation import Run
from auditor.model.policy import SEVERITY, Verdict
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
    "proxy": "#8a74ad",
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
        **speech(report, phrases),
        **_places(phrases, found, parts),
        "burn": burn_down(report, phrases),
        "compared": compared(report, {one.assessed.device.id: at for at, one in enumerate(found)}),
        "without_books": without_books(report),
        "answer_sentence": answer(report, found, phrases),
    }


def _places(
    phrases: Phrases, found: Sequence[drawn.Line], parts: Sequence[Shard]
) -> dict[str, Any]:
    """Say where a device stands: on this page, or in which part."""
    by_id = {line.assessed.device.id: line for line in found}
    files: dict[str, str] = {}
    for part in parts:
        files |= dict.fromkeys(
            (line.anchor for line in part.lines), f"{part.name}.{phrases.language}.html"
        )

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

    def short(device: str) -> Markup:
        line = by_id.get(device)
        address = Markup("<code>{}</code>").format(visible(line.address if line else device))
        if line is None or not has_card(line):
            return address
        return Markup('<a href="{}">{}</a>').format(href(line), address)

    def has_card(line: drawn.Line) -> bool:
        return not parts or line.verdict in drawn.ATTENTION

    said = {"device_link": link, "device_name": name, "device_short": short}
    return {"href": href, "has_card": has_card, **said}


def burn_down(report: Report, phrases: Phrases) -> Curve | None:
    """Draw how many devices that had to go were still there, day by day."""
    points = [(point.day, point.open) for point in report.annexes.burn_down] or [
        (day, dict(counted).get(Verdict.NONCONFORMING, 0)) for day, counted in report.history
    ]
    return curve([(float(day.toordinal()), phrases.day(day), count) for day, count in points])


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


def coverage_pairs(subnet: SubnetCoverage) -> list[tuple[str, int]]:
    """Give the parts of a network's bar: what was assessed, and every kind of gap."""
    counted = Counter({"assessed": subnet.assessed})
    for gap in subnet.gaps:
        counted[gap.reach.value] += gap.count
    return [(reach.value, counted[reach.value]) for reach in Reach]


def authority(run: Run) -> dict[str, Any]:
    """Read the authority that a run recorded; empty where it recorded none or damaged text.

    packets, arp: the greatest pace a second, as text; a dash where it is not stated.
    """
    try:
        said = json.loads(run.scope) if run.scope else {}
    except ValueError:
        return {}
    if not isinstance(said, dict):
        return {}
    pace = said.get("pace")
    rates = pace if isinstance(pace, dict) else {"packets_per_s": pace, **said}
    return said | {
        "packets": _rate(rates.get("packets_per_s")),
        "arp": _rate(rates.get("arp_per_s")),
    }


def _rate(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else "–"
