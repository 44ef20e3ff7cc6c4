"""What was received, told once, however many rules conclude something from it.

A reply can feed a dozen rules. A reader wants to hear of it once: what was seen, and
everything that it shows.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from auditor.model.identity import TRAITS, Evidence, Strength

EXCERPT = 90  # signs of a value that a sentence quotes
_REALM = re.compile(r'\brealm="?([^"]+)"?', re.IGNORECASE)
_NAMED = re.compile(r"(?:^|,)\s*(O|CN)=([^,]+)")  # of a distinguished name (RFC 4514)
_RANK = {strength: rank for rank, strength in enumerate(Strength)}


@dataclass(frozen=True, slots=True)
class Observed:
    """One thing received. quote: what a sentence quotes of it; empty where it quotes nothing."""

    field: str
    quote: str
    pieces: tuple[Evidence, ...]

    @property
    def strength(self) -> Strength:
        """Give the strongest rung that it reaches: for the maker, else for anything."""
        own = [e for e in self.pieces if e.trait == "maker"] or self.pieces
        return min((e.strength for e in own), key=_RANK.__getitem__)

    @property
    def claims(self) -> tuple[tuple[str, str], ...]:
        """Give what it shows, each trait and value once; a brand named as the maker is one."""
        found = dict.fromkeys((e.trait, e.claim) for e in self.pieces)
        makers = {claim for trait, claim in found if trait == "maker"}
        kept = [pair for pair in found if pair[0] != "brand" or pair[1] not in makers]
        return tuple(sorted(kept, key=lambda pair: TRAITS.index(pair[0])))

    @property
    def rules(self) -> tuple[str, ...]:
        """Name the rules, each once."""
        return tuple(dict.fromkeys(e.rule for e in self.pieces))


def observed(pieces: Iterable[Evidence], phrase: Callable[[str], str]) -> tuple[Observed, ...]:
    """Group evidence by what a sentence says of it. phrase: the sentence of a field."""
    grouped: dict[tuple[str, str], list[Evidence]] = {}
    for e in pieces:
        quote = excerpt(e.field, e.value) if "{value}" in phrase(e.field) else ""
        grouped.setdefault((e.field, quote), []).append(e)
    return tuple(Observed(name, quote, tuple(own)) for (name, quote), own in grouped.items())


def excerpt(name: str, value: str) -> str:
    """Give what people read of a value: on one line, the name in it, and not too long."""
    text = " ".join(_naming(name, value).split())
    return text if len(text) <= EXCERPT else text[: EXCERPT - 1] + "…"


def _naming(name: str, value: str) -> str:
    """Pick the name out of a challenge or a certificate; everything else stands as it is."""
    if name.endswith(".wwwauth") and (challenge := _REALM.search(value)):
        return challenge[1]
    named = dict(_NAMED.findall(value)) if name.startswith("tls.") else {}
    who, host = named.get("O"), named.get("CN")
    return f"{who} ({host})" if who and host else who or host or value
