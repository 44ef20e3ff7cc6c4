"""What the row of a list says its device is: by this two rows of one list are told apart."""

from typing import NamedTuple

from auditor.identify.keys import plain_key
from auditor.identify.names import normalised
from auditor.model.observation import Attempt, Origin

_PLACE, _NAME, _MODEL, _MAKER = range(4)
_PARTS = {
    "asset.site": _PLACE,
    "asset.name": _NAME,
    "asset.model": _MODEL,
    "device.model": _MODEL,
    "asset.model_number": _MODEL,
    "asset.manufacturer": _MAKER,
    "device.maker": _MAKER,
    "asset.brand": _MAKER,
    "device.brand": _MAKER,
}
_SHORTEST = 3  # letters of a name that another name may begin with or hold


class Told(NamedTuple):
    """Folded texts of a row, empty where it says nothing. place: its own column of sites."""

    place: str
    name: str
    model: str
    maker: str


def told_of(attempt: Attempt) -> Told | None:
    """Read a row; None for what was asked or said by a person, and for rows that tell nothing.

    What machines saw and wrote down has a place at most: it names several models for one device.
    """
    if attempt.origin is Origin.WIRE or attempt.origin is Origin.OFFICER:
        return None
    listed = attempt.origin is Origin.FILE
    parts = ["", "", "", ""]
    for observation in attempt.observations:
        at = _PARTS.get(observation.field)
        if at is None or parts[at] or not (listed or at == _PLACE):
            continue
        folded = plain_key(observation.value) or _numbered(observation.value)
        # few sites and makers are written in many ways; names and models are many
        common = at in {_PLACE, _MAKER} and folded
        parts[at] = normalised(observation.value) if common else folded
    return Told(*parts) if any(parts) else None


def _numbered(text: str) -> str:
    """Give a name that is a number or letter, which would be no identifier: camera 1, gate B."""
    short = "".join(text.split()).upper()
    return short if short.isalnum() and len(short) < _SHORTEST else ""


def rows_differ(one: Told, other: Told) -> bool:
    """Tell whether two rows say that they are of two devices."""
    return (
        _unlike(one.place, other.place)
        or _unlike(one.name, other.name)
        or _unlike(one.model, other.model)
        or makers_differ(one, other)
    )


def places_differ(one: Told, other: Told) -> bool:
    """Tell whether two rows name two sites."""
    return _unlike(one.place, other.place)


def makers_differ(one: Told, other: Told) -> bool:
    """Tell whether two rows name two makers; a longer form of a name is the same one.

    A name in letters of another script cannot be compared without knowing makers.
    """
    a, b = sorted((one.maker, other.maker), key=len)
    if len(a) < _SHORTEST or a.isascii() != b.isascii():
        return False
    return a not in b


def _unlike(one: str, other: str) -> bool:
    return bool(one and other and one != other)
