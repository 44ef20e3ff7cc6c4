"""What a machine saw and wrote down, line by line: the parts that all its readers share."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from auditor.importers import values
from auditor.importers.lines import lines
from auditor.importers.secrets import clean
from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome
from auditor.plugins import Options, Sample

MOST_LINE_CHARS = 2_000  # of a line of a table
SHOWN_CHARS = 200
MOST_SEEN = 500  # observations of one record
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LAST_SECOND = 4_102_444_800  # the year 2100


def device_ip(text: str) -> str | None:
    """Read one Internet address that can be a device's; None for anything else."""
    found = values.ip(text)
    return None if found.reason == "host" else found.text


def device_mac(text: str) -> str | None:
    """Read one hardware address that can be a device's; None for anything else."""
    return values.mac(text).text


def tidy(text: str) -> str:
    """Give a text that can be kept: bounded, without secrets and control characters."""
    bounded = _CONTROL.sub(" ", text[: values.CELL_CHARS])
    return clean(bounded).encode("utf-8", "backslashreplace").decode().strip()


def record(
    tool: str,
    options: Options,
    place: str | int,
    endpoint: Endpoint,
    seen: Iterable[tuple[str, str | None]] = (),
    moment: datetime | None = None,
) -> Attempt:
    """Make the attempt of one record. place: number of its line, or words."""
    pairs = dict.fromkeys((field, tidy(text)) for field, text in seen if text)
    if endpoint.mac:
        pairs = {("mac", endpoint.mac): None} | pairs
    found = [Observation(field, text) for field, text in pairs if text]
    return Attempt(
        tool,
        endpoint,
        Outcome.ANSWERED,
        tuple(found[:MOST_SEEN]),
        min(moment or options.moment, options.moment),
        detail=f"{options.name}:{place}",
        origin=Origin.SIGHTING,
    )


def at_second(said: object) -> datetime | None:
    """Read seconds since 1970, as number or text; finer units are cut. None where it is none."""
    digits = str(said).strip().split(".", 1)[0]
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        return None
    seconds = int(digits[:10] if len(digits) > 10 else digits)
    return datetime.fromtimestamp(seconds, UTC) if 0 < seconds < _LAST_SECOND else None


def numbered(file: BinaryIO) -> Iterator[tuple[int, str]]:
    """Give the lines with their numbers and without their ends; long ones are cut."""
    for chunk in lines(file):
        for number, text in enumerate(chunk.texts, chunk.first):
            yield number, text[:MOST_LINE_CHARS].rstrip()


def first_lines(sample: Sample, most: int = 200) -> list[str]:
    """Give the first whole lines of a sample that say something."""
    from io import BytesIO

    found = [text for _, text in numbered(BytesIO(sample.head)) if text.strip()]
    return found[:most] if len(sample.head) >= sample.size else found[:-1][:most]


def shown(text: str) -> str:
    """Repeat what may be repeated of a line that was refused."""
    return tidy(text[:SHOWN_CHARS])
