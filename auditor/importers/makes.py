"""`Make / Model` in one cell, parted where it can be told, kept whole where it is a guess.

No maker is known by name here: the words are told by their shape. A designation has digits and
no small letters (`AC-2143`, `P3245-LVE`); a `/` within one is a part of it (`AC-76/16P`).
"""

import re
from typing import NamedTuple

from auditor.importers.values import name, plain_text

_SIGN = re.compile(r"\s+[/|\-–—]\s+|\s*[,;]\s+|\s*:\s+|\s*\|\s*")  # blanks about it, or behind
_DESIGNATION = re.compile(r"(?=.*\d)[^\sa-zà-ÿ]{4,}")
_DIGIT = re.compile(r"\d")


class Parted(NamedTuple):
    """The parts of a cell. whole: its text where the parts are a guess, else None."""

    make: str | None
    model: str | None
    whole: str | None = None


def parted(text: str) -> Parted:
    """Part `Make / Model` or `Make Model`: the first word is the make where no sign parts them."""
    said = plain_text(text).text
    if not said or name(said).text is None:
        return Parted(None, None)
    first, second = _at_sign(said)
    if second and not _has_designation(first):
        return Parted(_named(first), _named(second))
    if second and " " not in first and not _DIGIT.search(second):
        return Parted(_named(second), first)  # the model before its maker
    word, _, rest = said.partition(" ")
    if _DESIGNATION.fullmatch(word):
        return Parted(None, said if not second and not rest else word, said if rest else None)
    return Parted(_named(word), _named(rest), said if rest else None)


def _at_sign(said: str) -> tuple[str, str]:
    """Part a text at its first sign; a `/` without blanks parts only a word without digits."""
    if found := _SIGN.search(said):
        return said[: found.start()].strip(), said[found.end() :].strip()
    before, sign, behind = said.partition("/")
    if sign and before and not re.search(r"[\d\s]", before):
        return before, behind.strip()
    return said, ""


def _has_designation(text: str) -> bool:
    return any(_DESIGNATION.fullmatch(word) for word in text.split())


def _named(text: str) -> str | None:
    return name(text).text
