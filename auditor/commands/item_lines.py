"""What an importer says as lines of JSON and back: between a jailed child and its parent."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from auditor.errors import DataError
from auditor.model.block import Block
from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome
from auditor.plugins import Item, Mapped, Noted, Rejected

RAW_CODEC = "latin-1"  # every byte is one character


def encoded(item: Item) -> str:
    """Write one item as one line."""
    return json.dumps(_plain(item), separators=(",", ":"), ensure_ascii=True)


def _plain(item: Item) -> list[Any]:
    match item:
        case Mapped(column, field, score, dropped, reason):
            return ["mapped", column, field, score, dropped, reason]
        case Rejected(line, reason, text):
            return ["rejected", line, reason, text]
        case Noted(line, reason):
            return ["noted", line, reason]
        case Block():
            return [
                "block", item.tool, item.fields, list(item.records), item.started.isoformat(),
                item.outcome.value, item.origin.value, item.transport, item.port,
            ]  # fmt: skip
        case Attempt():
            end = item.endpoint
            seen = [[o.field, o.value, o.raw.decode(RAW_CODEC)] for o in item.observations]
            return [
                "attempt", item.tool, [end.ip, end.mac, end.port, end.transport, end.vlan],
                item.outcome.value, seen, item.started.isoformat(), item.detail, item.origin.value,
            ]  # fmt: skip


def decoded(lines: Iterable[bytes]) -> Iterator[Item]:
    """Read the items that a child wrote."""
    for line in lines:
        try:
            kind, *said = json.loads(line)
            yield _item(kind, said)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise DataError("the reader of the file was cut short", why=str(error)[:200]) from error


def _item(kind: str, said: list[Any]) -> Item:
    match kind:
        case "mapped":
            return Mapped(*said)
        case "rejected":
            return Rejected(*said)
        case "noted":
            return Noted(*said)
        case "block":
            tool, fields, records, started, outcome, origin, transport, port = said
            return Block(
                tool, tuple(fields), [tuple(record) for record in records],
                datetime.fromisoformat(started), Outcome(outcome), Origin(origin), transport, port,
            )  # fmt: skip
        case "attempt":
            tool, end, outcome, seen, started, detail, origin = said
            observations = tuple(Observation(f, v, r.encode(RAW_CODEC)) for f, v, r in seen)
            return Attempt(
                tool, Endpoint(*end), Outcome(outcome), observations,
                datetime.fromisoformat(started), 0.0, detail, Origin(origin),
            )  # fmt: skip
        case _:
            raise ValueError(kind)
