"""Days and moments as people and spreadsheets write them; an ambiguous one is not guessed.

`03/04/2023` is the third of April to one and the fourth of March to another: without an
order it is no day. `23/04/2023` is one day whoever reads it.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from auditor.importers.headings import words

ORDERS = ("dmy", "mdy", "ymd")
IN_DOUBT = "--dates says which"
_EPOCH = date(1899, 12, 30)  # day 0 of spreadsheets that keep their wrong leap day of 1900
_SERIAL_DAYS = (15_000, 75_000)  # 1941 to 2105
_PIVOT = 70  # of years written with two digits: 69 is 2069, 70 is 1970
_ISO = re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})(?:-(?P<d>\d{1,2}))?(?P<rest>[T ].*)?")
_PARTS = re.compile(r"(\d{1,4})([/.\- ])(\d{1,2})\2(\d{1,4})(?:[T ,]+(.*))?")
_COMPACT = re.compile(r"(?P<y>(?:19|20)\d\d)(?P<m>\d\d)(?P<d>\d\d)")
_MONTH_YEAR = re.compile(r"(?P<m>\d{1,2})[/.\-](?P<y>\d{4})|(?P<y2>\d{4})[/.](?P<m2>\d{1,2})")
_EPOCH_NUMBER = re.compile("[0-9]+")
_YEARS = (1950, 2100)
_NUMBER = re.compile(r"\d{5}(?:[.,]\d+)?")
_TIME = re.compile(
    r"(?P<h>\d{1,2})[:h](?P<m>\d\d)(?::(?P<s>\d\d)(?:[.,]\d+)?)?\s*(?P<half>[ap])?\.?\s*m?\.?"
    r"\s*(?P<zone>Z|UTC|[+-]\d\d:?\d\d)?",
    re.IGNORECASE,
)
_MONTHS: Mapping[str, int] = {
    name: number
    for number, names in enumerate(
        (
            "january jan janvier janv", "february feb fevrier fevr fev", "march mar mars",
            "april apr avril avr", "may mai", "june jun juin", "july jul juillet juil",
            "august aug aout", "september sep sept septembre", "october oct octobre",
            "november nov novembre", "december dec decembre",
        ),
        1,
    )
    for name in names.split()
}  # fmt: skip


class Read(NamedTuple):
    """What a text says. value: `2023-04-03`, `2023-04` or `2023`; empty with a reason."""

    value: str
    reason: str = ""
    time: str = ""


@lru_cache(maxsize=16_384)
def read_day(text: str, order: str = "") -> Read:
    """Read a day. order: of the ambiguous ones: dmy, mdy or ymd."""
    said = text.strip().strip("'\"")
    if found := _ISO.fullmatch(said):
        return _checked(found["y"], found["m"], found["d"], (found["rest"] or "").strip(" T"))
    if found := _PARTS.fullmatch(said):
        first, _, middle, last, time = found.groups()
        return _ordered(first, middle, last, order, time or "")
    if found := _COMPACT.fullmatch(said):
        return _checked(found["y"], found["m"], found["d"])
    if found := _MONTH_YEAR.fullmatch(said):
        return _checked(found["y"] or found["y2"], found["m"] or found["m2"], None)
    if re.fullmatch(r"(?:19|20)\d\d", said):
        return Read(said)
    if _NUMBER.fullmatch(said) and _SERIAL_DAYS[0] <= int(said[:5]) <= _SERIAL_DAYS[1]:
        return Read((_EPOCH + timedelta(int(said[:5]))).isoformat())
    return _named(said)


def _ordered(first: str, middle: str, last: str, order: str, time: str) -> Read:
    if len(first) == 4:
        return _checked(first, middle, last, time)
    if len(first) > 2 or len(last) not in {2, 4}:
        return Read("", "is no date")
    readings = {
        "dmy": (last, middle, first),
        "mdy": (last, first, middle),
        "ymd": (first, middle, last),
    }
    if len(last) == 4:
        readings.pop("ymd")
    if order in readings:
        return _checked(*readings[order], time)
    days = {_checked(*parts, time) for parts in readings.values()}
    real = {read for read in days if read.value}
    if len(real) == 1:
        return real.pop()
    if not real:
        return Read("", "is no date")
    said = " or ".join(sorted(read.value for read in real))
    return Read("", f"may be {said}: {IN_DOUBT}")


def _checked(year: str, month: str, day: str | None, time: str = "") -> Read:
    number = int(year)
    if len(year) < 4:
        number += 2000 if number < _PIVOT else 1900
    try:
        found = date(number, int(month), int(day or 1))
    except ValueError:
        return Read("", "is no date")
    if not _YEARS[0] <= number <= _YEARS[1]:
        return Read("", "is no date of any asset")
    return Read(found.isoformat() if day else found.isoformat()[:7], "", time)


def _named(said: str) -> Read:
    """Read a day with the name of its month, English or French."""
    parts = words(said).split()
    months = [_MONTHS[part] for part in parts if part in _MONTHS]
    numbers = [part.removesuffix("er").removesuffix("th") for part in parts if part[:1].isdigit()]
    years = [n for n in numbers if len(n) == 4 and n.isdigit()]
    if len(months) != 1 or not numbers or len(parts) > 8:
        return Read("", "is no date")
    if not years and len(numbers) == 2 and numbers[1].isdigit():
        years = [numbers[1]]
    days = [re.sub(r"\D", "", n) for n in numbers if n not in years][:1]
    if not years:
        return Read("", "is no date")
    if not days:
        return _checked(years[0], str(months[0]), None)
    return _checked(years[0], str(months[0]), days[0])


@lru_cache(maxsize=16_384)
def read_moment(text: str, order: str = "", zone: str = "UTC") -> tuple[datetime | None, str]:
    """Read a moment as UTC, or say why not. zone: where the text names none."""
    said = text.strip()
    if _EPOCH_NUMBER.fullmatch(said) and len(said) in {
        10,
        13,
        16,
        19,
    }:  # seconds since 1970, or finer
        return datetime.fromtimestamp(int(said[:10]), UTC), ""
    try:
        found = datetime.fromisoformat(said) if said[:4].isdigit() and len(said) >= 10 else None
    except ValueError:
        found = None
    if found is None:
        day = read_day(said, order)
        if len(day.value) != 10:
            return None, day.reason or "names no day"
        found = _at(datetime.fromisoformat(day.value), day.time)
    if found.tzinfo is None:
        found = found.replace(tzinfo=_zone(zone))
    if not _YEARS[0] <= found.year <= _YEARS[1]:  # programs write 0001 and 9999 for never
        return None, "is no date of any asset"
    return found.astimezone(UTC), ""


def _at(day: datetime, time: str) -> datetime:
    found = _TIME.fullmatch(time.strip())
    if not found:
        return day
    hour = int(found["h"])
    if found["half"]:
        hour = hour % 12 + 12 * (found["half"].lower() == "p")
    if hour > 23 or int(found["m"]) > 59:
        return day
    moment = day.replace(hour=hour, minute=int(found["m"]))
    zone = (found["zone"] or "").upper()
    if zone in {"Z", "UTC"}:
        return moment.replace(tzinfo=UTC)
    try:
        return datetime.fromisoformat(f"{moment.isoformat()}{zone}") if zone else moment
    except ValueError:  # an offset of a day and more
        return day


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")
