"""The `detail` of attempts that speak of many addresses at once, as programs read it.

A sweep does not leave one attempt per silent address: it leaves one per stretch of addresses
that it asked, with an endpoint without `ip`, and a note of this form in `detail`:

    asked=10.1.0.0-10.1.0.255; silent=10.1.0.4-10.1.0.255; rounds=2; sent=508; by=eth0 10.1.0.5

`key=value` pairs are joined by "; "; sets of addresses are written `first-last,single,…`.
`asked` is always there. `silent` is what gave no answer in any round. `proxy` is what a router
(its hardware address in `router`) answers for: nothing is known of those addresses. `left` is
what was planned and not done, `barred` what a router says cannot be reached; `why` says the
reason. `self` is this machine's own address, which needs no question. In the note of a question
to a group, `dropped` counts replies that came and were not read, on `segment`: somebody may have
answered and is not known; `deaf` says why nobody of another network than that of the segment could
have been heard. In the note of a listening `dropped` counts what was heard and not kept since the
note before, and `off_link` names the addresses that lie on no link, so that nobody listened to
them. Other keys are for people.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from auditor.errors import DataError
from auditor.model.address import AddressSet
from auditor.model.observation import Attempt

# How the detail of an attempt begins when the peer broke the connection in mid-reply; the
# scheduler leaves a host alone that does it twice.
RESET = "reset in mid-reply"
# What the detail of an attempt says that was not made because the host had been asked enough.
SPENT = "the profile allows no more in one run"
# The tool under which it is recorded that a host stopped answering after we spoke to it.
INCIDENT = "incident"
# How its detail ends until the host has been looked at again, and how details of what was not
# asked of it begin.
NOT_YET = "; not yet looked at again"
LEFT_ALONE = "left alone"

DROPPED, SEGMENT = "dropped", "segment"
DEAF, OFF_LINK = "deaf", "off_link"

NOTHING = AddressSet()
_SETS = ("asked", "silent", "proxy", "left", "barred")


@dataclass(frozen=True, slots=True)
class Note:
    """What a sweep did to a stretch of addresses. told: further pairs, in order."""

    asked: AddressSet
    silent: AddressSet = NOTHING
    proxy: AddressSet = NOTHING
    left: AddressSet = NOTHING
    told: tuple[tuple[str, str], ...] = ()
    barred: AddressSet = NOTHING

    def __str__(self) -> str:
        sets = ((key, getattr(self, key)) for key in _SETS)
        pairs = [(key, ",".join(value.texts())) for key, value in sets if value or key == "asked"]
        return "; ".join(f"{key}={_plain(value)}" for key, value in (*pairs, *self.told))

    def value(self, key: str) -> str | None:
        """Give what is told under `key`; None where nothing is."""
        return next((value for name, value in self.told if name == key), None)


def read_note(detail: str) -> Note | None:
    """Read a detail back; None where it is not of this form (most details are prose)."""
    if not detail.startswith("asked="):
        return None
    pairs = [tuple(part.split("=", 1)) for part in detail.split("; ") if "=" in part]
    sets = {key: value for key, value in pairs if key in _SETS}
    try:
        found = {key: _read_set(value) for key, value in sets.items()}
    except DataError:
        return None
    told = tuple((key, value) for key, value in pairs if key not in _SETS)
    return Note(**found, told=told)


@lru_cache(maxsize=8)  # notes that follow each other often speak of the same addresses
def _read_set(value: str) -> AddressSet:
    return AddressSet.parse(part for part in value.split(",") if part)


def ranges(note: Note | None, key: str) -> AddressSet:
    """Give the addresses that are told under `key`; none where nothing is, or no addresses are."""
    said = note.value(key) or "" if note else ""
    try:
        return AddressSet.parse(filter(None, said.split(",")))
    except DataError:
        return NOTHING


def notes(attempts: Iterable[Attempt]) -> Iterable[tuple[Attempt, Note]]:
    """Pick the attempts that speak of many addresses, with what they say."""
    for attempt in attempts:
        if attempt.endpoint.ip is None and (note := read_note(attempt.detail)):
            yield attempt, note


def _plain(value: str) -> str:
    """Keep the separators of this form out of a value."""
    return value.replace("; ", ", ").replace("\n", " ")
