"""Officers' facts as checks need them: days with their uncertainty, codes with their aliases."""

import calendar
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum

from auditor.model.observation import Origin
from auditor.model.policy import Question, Text
from auditor.plugins import Case
from auditor.policy.ties import settled_by_person

# year first is the one order that is read in one way; ISO 8601, with the separators of spreadsheets
_DAY = re.compile(
    r"(?P<year>\d{4})(?:[-/.](?P<month>\d{1,2})(?:[-/.](?P<day>\d{1,2})(?:[T ].*)?)?)?"
)
# recorded fields that hold a day
DAYS = frozenset({"asset.acquired", "asset.installed", "asset.removed"})
UNKNOWN = "unknown"
_OWNERS = {
    "own": ("own", "owned", "self", "organisation", "propre", "propriétaire"),
    "landlord": ("landlord", "lessor", "building owner", "locateur", "bailleur"),
    "contractor": ("contractor", "vendor", "supplier", "outsourced", "entrepreneur", "fournisseur"),
    "third_party": ("third party", "third_party", "other body", "tiers"),
}
# what people type into lists; a table that a machine wrote says the same and is a sighting
_FROM_LISTS = ("asset.", "device.", "mac", "dhcp.", "link.")


@dataclass(frozen=True, slots=True)
class When:
    """A day, or all that is known of it: it lies between `first` and `last`."""

    first: date
    last: date

    @property
    def text(self) -> str:
        """Write what is known: a day, a month or a year."""
        whole = self.first.isoformat()
        if self.first == self.last:
            return whole
        return whole[:7] if self.first.month == self.last.month else whole[:4]


def read_day(value: str | None) -> When | None:
    """Read `2023-12-22`, `2023-12` or `2023`; None for anything else."""
    found = _DAY.fullmatch(value.strip()) if value else None
    if not found:
        return None
    year = int(found["year"])
    months = (int(found["month"]),) * 2 if found["month"] else (1, 12)
    try:
        last_day = calendar.monthrange(year, months[1])[1]
        days = (int(found["day"]),) * 2 if found["day"] else (1, last_day)
        return When(date(year, months[0], days[0]), date(year, months[1], days[1]))
    except ValueError:
        return None


def acquired(case: Case) -> When | None:
    """Give when a device was acquired, as recorded; a day that has not come yet is no record."""
    when = read_day(case.assessed.device.recorded("asset.acquired"))
    return when if when and when.first <= case.today else None


def acquired_no_later_than(case: Case) -> date:
    """Give the earliest day on which the device is known to have been there already."""
    device = case.assessed.device
    days = [case.today]
    if installed := read_day(device.recorded("asset.installed")):
        days.append(installed.last)
    if device.on_wire:
        days.append(device.first_seen.date())
    return min(days)


class Side(StrEnum):
    """On which side of a day a device was acquired."""

    BEFORE = "before"  # on the day or before it
    AFTER = "after"
    UNKNOWN = "unknown"


def side_of(case: Case, cutoff: date) -> tuple[Side, tuple[tuple[str, str], ...]]:
    """Tell the side, and the days that say so as facts for the words."""
    when, there = acquired(case), acquired_no_later_than(case)
    shown = (("cutoff", cutoff.isoformat()),)
    if when and when.first > cutoff:
        return Side.AFTER, (*shown, ("acquired", when.text))
    if (when and when.last <= cutoff) or there <= cutoff:
        day = min(when.last, there) if when else there
        return Side.BEFORE, (*shown, ("present", day.isoformat()))
    return Side.UNKNOWN, shown


def relation_day(case: Case) -> date | None:
    """Give the one day to read the relation table on; None where it is not known to the day."""
    when = acquired(case)
    return when.first if when and when.first == when.last else None


def looked_at(case: Case) -> bool:
    """Tell whether anything is known of the device itself, and not only of a list's line.

    A hardware address in somebody's list says what they wrote down. In a table of ARP, leases
    or switch ports (origin `sighting`) a machine saw it.
    """
    device = case.assessed.device
    if settled_by_person(case.assessed.identity.maker):
        return True
    return any(asked.outcome.is_knowledge for asked in device.asked) or any(
        seen.origin is not Origin.FILE or not seen.observation.field.startswith(_FROM_LISTS)
        for seen in device.sightings
    )


def fact(case: Case, name: str) -> str | None:
    """Give a recorded fact: `site.…` from the site, anything else from the device; None if blank."""
    if name.startswith("site."):
        value = case.site_facts.get(name.removeprefix("site."))
    elif name.startswith("organisation."):
        value = case.organisation.get(name.removeprefix("organisation."))
    else:
        value = case.assessed.device.recorded(name)
    return value.strip() if value and value.strip() else None


Codes = Mapping[str, tuple[str, ...]]


def is_one_of(value: str, codes: Codes) -> str | None:
    """Give the code whose name or alias this is, ignoring case; None for any other text."""
    said = value.casefold().replace("_", " ").strip()
    for code, aliases in codes.items():
        if said in {code.replace("_", " ").casefold(), *(alias.casefold() for alias in aliases)}:
            return code
    return None


def named(code: str, codes: Codes) -> tuple[str, str]:
    """Give a code's names for people: its first alias is English, its last one French."""
    aliases = codes[code] or (code.replace("_", " "),)
    return aliases[0], aliases[-1]


def choices(question: Question, *tables: Codes) -> Question:
    """Add to a question the answers that settle it."""
    names = [named(code, codes) for codes in tables for code in codes]
    english, french = ("; ".join(name[at] for name in names) for at in (0, 1))
    ask = question.ask
    return replace(question, ask=Text(f"{ask.en} [{english}]", f"{ask.fr} [{french}]"))


def owner_type(said: str | None) -> str:
    """Give the code of an owner type; other words stay as they are, nothing is `unknown`."""
    word = (said or "").casefold()
    found = next((code for code, words in _OWNERS.items() if word in words), None)
    return found or said or UNKNOWN
