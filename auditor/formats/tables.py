"""A report as plain tables of text: what CSV and workbooks have in common."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from auditor.formats import lines as drawn
from auditor.formats.saying import known, mac_sources
from auditor.formats.scene import RECORDED
from auditor.formats.speech import text_of
from auditor.formats.words import Phrases
from auditor.model.identity import TRAITS
from auditor.model.report import Report


@dataclass(frozen=True, slots=True)
class Table:
    """One table: a name for the file, a title for people, headings, rows of text."""

    name: str
    title: str
    headings: tuple[str, ...]
    rows: Iterable[Sequence[str]]


def device_table(report: Report, phrases: Phrases) -> Table:
    """Give one row per device: the verdict, who made it, where it is, why, what is missing."""
    packs = [pack.id for pack in report.packs]
    titles = [text_of(phrases.language, pack.title) for pack in report.packs]
    plain = ("verdict", "site", "address", "mac", "names")
    headings = (
        *(phrases.word(f"column.{key}") for key in plain),
        *(phrases.word(f"trait.{name}") for name in TRAITS),
        phrases.word("table.standing"),
        *titles,
        *(phrases.word(f"column.{key}") for key in ("because", "ask", "first_seen", "last_seen")),
        *(phrases.word(f"record.{name}") for name in RECORDED),
        phrases.word("device.sources"),
        phrases.word("device.id"),
        phrases.word("column.mac_source"),
    )
    rows = (_device_row(line, packs, phrases) for line in drawn.lines(report))
    return Table("devices", phrases.word("register.all"), headings, rows)


def _device_row(line: drawn.Line, packs: Sequence[str], phrases: Phrases) -> tuple[str, ...]:
    device, identity = line.assessed.device, line.assessed.identity
    by_pack = dict(line.by_pack)
    kind = identity.device_class.value
    named = {name: getattr(identity, name).value or "" for name in TRAITS}
    if kind and phrases.has(f"class.{kind}"):
        named["device_class"] = phrases.word(f"class.{kind}")
    because = [text_of(phrases.language, one.because) for one in line.telling]
    ask = dict.fromkeys(text_of(phrases.language, q.ask) for f in line.findings for q in f.ask)
    return (
        phrases.word(f"verdict.{line.verdict.value}.name"),
        device.site,
        " ".join(device.ips),
        " ".join(device.macs),
        " ".join(device.hostnames),
        *named.values(),
        phrases.word(f"standing.{identity.standing.value}.name"),
        *(phrases.word(f"verdict.{by_pack[p].value}.name") if p in by_pack else "" for p in packs),
        " | ".join(dict.fromkeys(because)),
        " | ".join(ask),
        device.first_seen.isoformat(),
        device.last_seen.isoformat(),
        *(device.recorded(name) or "" for name in RECORDED),
        ", ".join(known(phrases, "tool", source) for source in device.sources),
        device.id,
        " | ".join(f"{mac}: {source}" for mac, source in mac_sources(phrases, device) if source),
    )


def gap_table(report: Report, phrases: Phrases) -> Table:
    """Give one row per range of addresses that was not assessed."""
    headings = tuple(
        phrases.word(f"column.{key}") for key in ("site", "network", "range", "reason", "detail")
    )
    rows = (
        (
            subnet.site,
            subnet.network,
            stretch,
            phrases.word(f"reach.{gap.reach.value}.name"),
            known(phrases, "gap_detail", gap.detail) if gap.detail else "",
        )
        for subnet, gap in drawn.gaps(report)
        for stretch in gap.ranges
    )
    return Table("not-assessed", phrases.word("coverage.everything"), headings, rows)


def answer_table(report: Report, phrases: Phrases) -> Table:
    """Give the table that parliaments and access requests ask for."""
    keys = (
        "organisation", "site", "class", "owner", "connected", "maker", "device", "bought",
        "removed", "replacement", "privacy",
    )  # fmt: skip
    headings = tuple(phrases.word(f"answers.{key}") for key in keys)
    rows = (
        (
            row.organisation or report.organisation,
            row.site,
            known(phrases, "class", row.device_class),
            known(phrases, "owner_type", row.owner_type),
            known(phrases, "connected", row.connected),
            row.maker or "",
            " ".join(part for part in (row.brand, row.model) if part),
            row.bought or "",
            row.removed or "",
            row.replacement or "",
            row.privacy_assessment or "",
        )
        for row in report.annexes.answers
    )
    return Table("answers", phrases.word("answers.title"), headings, rows)
