"""Who the makers and brands are, what they are to each other, and what their models look like.

All of it is data (data/entities/*.toml). A registrant or an alias names an entity only as a
whole name: never a part of one (seventeen innocent registrants contain a listed maker's name).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from auditor.identify.names import normalised
from auditor.identify.schema import EntityFile, ModelRow, RelationshipRow, read_entities

# the same house, so evidence for one supports the other
SAME_HOUSE = frozenset({"listed", "subsidiary", "affiliate"})
# a name under which the other one's products are sold
SOLD_AS = frozenset({"oem_rebrand", "divested", *SAME_HOUSE})


@dataclass(frozen=True, slots=True)
class Makers:
    """Every entity, by canonical name, alias and registrant.

    aliases, registrants: normalised whole name -> canonical name.
    """

    entities: Mapping[str, EntityFile]
    aliases: Mapping[str, str] = field(repr=False)
    registrants: Mapping[str, str] = field(repr=False)

    @classmethod
    def load(cls, folder: Path) -> "Makers":
        """Read data/entities; DataError lists every mistake."""
        return cls.of(entity for _, entity in read_entities(folder))

    @classmethod
    def of(cls, files: Iterable[EntityFile]) -> "Makers":
        """Index entities that are already checked."""
        entities = {entity.name: entity for entity in files}
        aliases: dict[str, str] = {}
        registrants: dict[str, str] = {}
        for name, entity in entities.items():
            for text in (name, entity.legal_name, *entity.aliases, *entity.registrants):
                aliases.setdefault(normalised(text), name)
            for text in entity.registrants:
                registrants[normalised(text)] = name
        aliases.pop("", None)
        return cls(entities, aliases, registrants)

    def named(self, text: str) -> str | None:
        """Give the canonical name of a whole name or alias; None where nobody is called so."""
        return self.aliases.get(normalised(text))

    def of_registrant(self, registrant: str) -> str | None:
        """Give the entity that holds blocks under exactly this name."""
        return self.registrants.get(normalised(registrant))

    def kind(self, name: str) -> str:
        """Give maker, brand or group; an unknown name is a brand: somebody sold under it."""
        entity = self.entities.get(name)
        return entity.kind if entity else "brand"

    def relations(self, one: str, day: date | None = None) -> tuple[RelationshipRow, ...]:
        """Give what `one` is to others, on that day (None: ever)."""
        entity = self.entities.get(one)
        rows = entity.relationship if entity else ()
        return tuple(row for row in rows if day is None or _holds(row, day))

    def relationship(
        self, brand: str, maker: str, day: date | None = None
    ) -> RelationshipRow | None:
        """Give what `brand` is to `maker`; on no given day, the row that began last."""
        rows = [row for row in self.relations(brand, day) if row.to == maker]
        return max(rows, key=lambda row: row.valid_from or date.min, default=None)

    def same_house(self, one: str, other: str) -> bool:
        """Tell whether one belongs to the other, or both to a third, and has not been sold."""
        houses = []
        for name in (one, other):
            rows = self.relations(name)
            above = {row.to for row in rows if row.type in SAME_HOUSE and not row.valid_to}
            houses.append({name, *above})
        return bool(houses[0] & houses[1])

    def sold_as(self, brand: str, maker: str) -> bool:
        """Tell whether a table row says that `brand` has sold products of `maker`."""
        return any(row.to == maker and row.type in SOLD_AS for row in self.relations(brand))

    def grammar(self) -> tuple[tuple[str, ModelRow], ...]:
        """Give every line of every model grammar with the entity that it belongs to."""
        return tuple((name, row) for name, e in self.entities.items() for row in e.model)


def _holds(row: RelationshipRow, day: date) -> bool:
    return (row.valid_from or date.min) <= day <= (row.valid_to or date.max)


def covered_registrants(folder: Path) -> frozenset[str]:
    """Give the normalised registrants of all entities: a refresh must lose none of them."""
    return frozenset(Makers.load(folder).registrants)
