"""A report.json of this program: what another audit recorded of each device, as its evidence says.

The verdicts in it are opinions and are not taken: they are drawn anew from the facts.
"""

from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, BinaryIO

from auditor.errors import DataError
from auditor.importers.cells import day
from auditor.importers.headings import PLACES, shipped
from auditor.importers.values import CELL_CHARS, ip, key, mac, plain_text
from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome
from auditor.plugins import Importer, Item, Options, Rejected, Sample

SCHEMA = "urn:legacy-equipment-auditor:report:"
MOST_SEEN = 500  # observations of one device
_TRAITS = {"brand": "device.brand", "model": "device.model", "serial": "device.serial",
           "firmware": "device.firmware"}  # fmt: skip
_DAYS = frozenset({"asset.acquired", "asset.installed", "asset.removed"})


def recognise(sample: Sample) -> int:
    """Tell by the schema that the report names first."""
    head = sample.head[:4_096].removeprefix(BOM_UTF8)
    return 100 if head.lstrip()[:1] == b"{" and SCHEMA.encode() in head else 0


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Give one record per device."""
    import ijson

    number = 0
    if file.read(len(BOM_UTF8)) != BOM_UTF8:
        file.seek(0)
    try:
        for number, device in enumerate(ijson.items(file, "devices.item"), 1):
            record = _record(device, number, options) if isinstance(device, dict) else None
            yield record or Rejected(number, "is no device: it has neither address nor name")
    except (ijson.JSONError, UnicodeDecodeError, RecursionError) as error:
        raise DataError(
            f"{options.name or 'the report'} is damaged behind device {number}",
            why=str(error)[:200],
            hint="check it with `auditor verify FOLDER` and copy it anew",
        ) from error


def _record(device: Mapping[str, Any], number: int, options: Options) -> Attempt | None:
    ips = [found for text in _texts(device, "ips") if (found := ip(text).text)]
    macs = [found for text in _texts(device, "macs") if (found := mac(text).text)]
    seen = dict.fromkeys(_observations(device, ips, macs))
    if not (ips or macs or seen):
        return None
    return Attempt(
        "report_json",
        Endpoint(ips[0] if ips else None, macs[0] if macs else None, 0, "file"),
        Outcome.ANSWERED,
        tuple(seen)[:MOST_SEEN],
        _moment(device.get("last_seen"), options.moment),
        detail=f"{options.name}:device {number}",
        origin=Origin.FILE,
    )


def _observations(
    device: Mapping[str, Any], ips: list[str], macs: list[str]
) -> Iterator[Observation]:
    fields = shipped().fields
    yield from (Observation("device.ip", text) for text in ips[1:])
    yield from (Observation("mac", text) for text in macs[1:])
    for name in _texts(device, "hostnames"):
        if text := key(name).text:
            yield Observation("device.hostname", text)
    for trait, field in _TRAITS.items():
        if isinstance(said := device.get(trait), str) and (text := plain_text(said).text):
            yield Observation(field, text)
    records = device.get("records")
    for field, said in records.items() if isinstance(records, dict) else ():
        text = _recorded(field, said) if isinstance(said, str) else None
        if field in fields and text:
            yield Observation(field, text)
    evidence = device.get("evidence")
    for piece in evidence if isinstance(evidence, list) else ():
        field, value = _pair(piece)
        if field in fields - PLACES - {"mac"} and value:
            yield Observation(field, value)


def _pair(piece: object) -> tuple[str, str]:
    """Give what a piece of evidence rests on."""
    if not isinstance(piece, dict):
        return "", ""
    field, value = piece.get("field"), piece.get("value")
    if not isinstance(field, str) or not isinstance(value, str):
        return "", ""
    return field, plain_text(value[:CELL_CHARS]).text or ""


def _recorded(field: str, said: str) -> str | None:
    return day(said, "ymd").text if field in _DAYS else plain_text(said).text


def _texts(device: Mapping[str, Any], name: str) -> list[str]:
    found = device.get(name)
    return [text for text in found if isinstance(text, str)][:64] if isinstance(found, list) else []


def _moment(said: object, otherwise: datetime) -> datetime:
    try:
        found = datetime.fromisoformat(said) if isinstance(said, str) else otherwise
    except ValueError:
        return otherwise
    return min(found, otherwise) if found.tzinfo else otherwise


IMPORTER = Importer(
    name="report_json",
    recognise=recognise,
    read=read,
    source="data/schemas of this program",
)
