"""What follows from a grammar: build date, generation, lifecycle; always marked as inferred."""

from collections.abc import Iterator

from auditor.identify.grammar import Grammar, Named, build_day
from auditor.identify.knowledge import Knowledge
from auditor.identify.schema import FirmwareRow, LifecycleRow, SerialRow
from auditor.model.identity import Inference


def inferences(
    maker: str | None,
    model: str | None,
    serial: str | None,
    firmware: str | None,
    knowledge: Knowledge,
) -> tuple[Inference, ...]:
    """Infer from the traits of a device whose maker is named; from nobody's nothing."""
    if maker is None:
        return ()
    found = [
        *_built(maker, serial, knowledge.serials, "serial number"),
        *_built(maker, firmware, knowledge.firmwares, "firmware"),
        *_lifecycle(maker, model, knowledge),
    ]
    return tuple(found)


def _built(maker: str, text: str | None, grammar: Grammar, what: str) -> Iterator[Inference]:
    for named in _own(maker, text, grammar):
        row = named.row
        if not isinstance(row, SerialRow | FirmwareRow) or not row.build_format:
            continue
        day = build_day(named.groups, row.build_format)
        if day:
            source = f"{what} {text}"
            yield Inference("build_date", day.isoformat(), source, row.note or "its grammar")


def _lifecycle(maker: str, model: str | None, knowledge: Knowledge) -> Iterator[Inference]:
    for named in _own(maker, model, knowledge.lifecycles):
        row = named.row
        if not isinstance(row, LifecycleRow):
            continue
        since = f" since {row.since.isoformat()}" if row.since else ""
        yield Inference("lifecycle", f"{row.status}{since}", row.source.url, row.note)
        if row.generation:
            yield Inference("generation", row.generation, row.source.url, row.note)


def _own(maker: str, text: str | None, grammar: Grammar) -> Iterator[Named]:
    return (named for named in grammar.match(text or "") if named.entity == maker)
