"""Which known maker or brand a person means by a name, and which are near one that nobody knows.

A register or a device writes a name in one way; a person leaves out the legal form, or puts
one behind a short name. Whole names are compared here as well: what is only similar is
offered to the person and never taken.
"""

import difflib
import re

from auditor.identify.makers import Makers
from auditor.identify.names import normalised

# legal forms of companies as they stand behind a name, joined: "B.V." is "bv"
_FORMS = frozenset({
    "inc", "incorporated", "corp", "corporation", "co", "company", "ltd", "ltda", "limited", "llc",
    "llp", "lp", "plc", "pty", "pte", "pvt", "gmbh", "ag", "kg", "ab", "as", "asa", "aps", "bv",
    "nv", "oy", "oyj", "sa", "sas", "sarl", "spa", "srl", "sro", "spzoo", "kk", "bhd", "sdn",
    "ltée", "ltee", "limitée", "limitee", "cie", "enr",
})  # fmt: skip
_LONGEST_FORM = 3  # words, as "S.p.A." is read
_WORD = re.compile(r"\w+")
_ALIKE = 0.72  # one letter in four may differ
_TELLING = 4  # letters: a shorter name stands in many words by chance


def meant(text: str, makers: Makers) -> str | None:
    """Give the canonical name that a person means by a whole name; None where nobody knows it."""
    found = makers.named(text)
    words = _WORD.findall(text)
    while found is None and (left := _without_form(words)):
        words = left
        found = makers.named(" ".join(words))
    return found


def _without_form(words: list[str]) -> list[str]:
    """Take the last legal form off a name; empty where there is none, or nothing else."""
    for count in range(_LONGEST_FORM, 0, -1):
        if len(words) > count and "".join(words[-count:]).casefold() in _FORMS:
            return words[:-count]
    return []


def near(text: str, makers: Makers, most: int = 3) -> tuple[str, ...]:
    """Give the known names that a person may have meant, the likeliest first."""
    said = normalised(text)
    inside = [
        alias
        for alias in makers.aliases
        if len(alias) >= _TELLING and (alias in said or (len(said) >= _TELLING and said in alias))
    ]
    inside.sort(key=lambda alias: (abs(len(alias) - len(said)), alias))
    alike = difflib.get_close_matches(said, list(makers.aliases), 2 * most, _ALIKE)
    return tuple(dict.fromkeys(makers.aliases[alias] for alias in (*alike, *inside)))[:most]
