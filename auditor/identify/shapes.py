"""Resolve once what many devices have in common.

Devices of one kind give the same claims by the same rules; only their serial numbers and the
texts behind the evidence differ. What such a shape of evidence comes to is kept as a template
in which evidence is named by its place, and filled in for each device.
"""

from dataclasses import dataclass
from typing import NamedTuple

from auditor.model.identity import Contradiction, Evidence, Identity, Standing, Strength, Trait

REMEMBERED = 20_000
CLAIMS_REMEMBERED = 16_384
Shape = tuple[tuple[str, ...], ...]
_SHARED = ("maker", "brand", "model", "firmware", "device_class")


class Claimed(NamedTuple):
    """One claim that a value of a field makes, wherever it is seen."""

    trait: str
    claim: str
    rule: str
    strength: Strength


@dataclass(frozen=True, slots=True)
class _Outline:
    """A trait whose evidence is named by its place among the claims."""

    value: str | None
    standing: Standing
    supporting: tuple[int, ...]
    against: tuple[int, ...]

    def filled(self, claims: tuple[Evidence, ...]) -> Trait:
        return Trait(
            self.value,
            self.standing,
            tuple([claims[at] for at in self.supporting]),
            tuple([claims[at] for at in self.against]),
        )


@dataclass(frozen=True, slots=True)
class Template:
    """What a shape comes to, the serial number apart."""

    outlines: tuple[_Outline, ...]  # in the order of _SHARED
    contradictions: tuple[Contradiction, ...]
    relationship: str | None

    def filled(self, others: tuple[Evidence, ...], claims: tuple[Evidence, ...]) -> Identity:
        """Give the identity without serial and inferences. others: claims of other traits."""
        maker, brand, model, firmware, device_class = [o.filled(others) for o in self.outlines]
        return Identity(
            maker=maker,
            brand=brand,
            model=model,
            firmware=firmware,
            device_class=device_class,
            evidence=claims,
            contradictions=self.contradictions,
            relationship=self.relationship,
        )


def shape_of(others: tuple[Evidence, ...]) -> Shape | None:
    """Give what the result depends on; None where it also depends on who came last."""
    if others[0].attempt != others[-1].attempt:
        said: dict[str, str] = {}
        for e in others:
            if e.trait != "maker" and said.setdefault(e.trait, e.claim) != e.claim:
                return None
    return tuple([(e.trait, e.claim, e.rule, e.field, e.kind, e.strength, e.doubt) for e in others])


def outline(identity: Identity, others: tuple[Evidence, ...]) -> Template | None:
    """Make a template of what `others` came to; None where evidence was made up on the way."""
    places = {id(e): at for at, e in enumerate(others)}
    try:
        outlines = tuple(_outlined(getattr(identity, name), places) for name in _SHARED)
    except KeyError:
        return None
    return Template(outlines, identity.contradictions, identity.relationship)


def _outlined(trait: Trait, places: dict[int, int]) -> _Outline:
    return _Outline(
        trait.value,
        trait.standing,
        tuple(places[id(e)] for e in trait.supporting),
        tuple(places[id(e)] for e in trait.against),
    )
