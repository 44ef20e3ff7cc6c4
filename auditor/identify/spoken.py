"""What the words of a value claim: a name, a model or serial number, text around them."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from auditor.identify.cells import read_cell
from auditor.identify.grammar import Named
from auditor.identify.knowledge import Knowledge
from auditor.identify.schema import ModelRow, SerialRow
from auditor.identify.shapes import Claimed
from auditor.model.identity import Strength

_WORDS = re.compile(r"[^\s,;()\[\]|\"'<>]{4,64}")
_WORDS_MOST = 48


class Fact(NamedTuple):
    """An observation on its way to claims. listed: somebody's list or an officer says so."""

    field: str
    value: str
    listed: bool


def of_name(
    fact: Fact, trait: str, value: str, strength: Strength, knowledge: Knowledge
) -> Iterator[Claimed]:
    """Name the brand, and the maker where a list names one."""
    rule = f"field:{fact.field}@1"
    name = knowledge.makers.named(value)
    if name is None and strength is Strength.RECORD:
        said = of_cell(fact, value, knowledge)
        yield from said
        if any(c.trait == "brand" and c.strength is Strength.RECORD for c in said):
            return
    yield Claimed("brand", name or value, rule, strength)
    maker = name and knowledge.makers.kind(name) == "maker"
    if name and maker and (strength is Strength.RECORD or trait == "maker"):
        yield Claimed("maker", name, rule, strength)


def of_cell(fact: Fact, text: str, knowledge: Knowledge) -> tuple[Claimed, ...]:
    """Read names and models among other words in a list's cell for a maker or a model."""
    return tuple(dict.fromkeys(_of_cell(fact, text, knowledge)))


def _of_cell(fact: Fact, text: str, knowledge: Knowledge) -> Iterator[Claimed]:
    rule, makers = f"field:{fact.field}@1", knowledge.makers
    mention = f"word:{fact.field}@1"  # of another strength, so another rule
    cell = read_cell(text, makers, knowledge.models, knowledge.words)
    for name in cell.plain:
        yield Claimed("brand", name, rule, Strength.RECORD)
        if makers.kind(name) == "maker":
            yield Claimed("maker", name, rule, Strength.RECORD)
    for name in cell.leading:
        yield Claimed("brand", name, rule, Strength.RECORD)
    for name in cell.mentioned:
        yield Claimed("brand", name, mention, Strength.HINT)
    for word, turned in cell.models:
        if turned:
            yield Claimed("model", word, mention, Strength.HINT)
        else:
            yield from _of_model(fact, word, knowledge)


def _of_model(fact: Fact, word: str, knowledge: Knowledge) -> Iterator[Claimed]:
    """Take a word for the model where nobody else's models look so."""
    for named in knowledge.models.match(word):
        if named.row.__class__ is ModelRow and named.row.strength is not Strength.HINT:
            yield Claimed("model", word, f"field:{fact.field}@1", Strength.RECORD)
            yield from _of_row(fact, named, knowledge)


def of_grammar(fact: Fact, trait: str, text: str, knowledge: Knowledge) -> Iterator[Claimed]:
    """Name the maker whose models or serial numbers look so, and the class of device."""
    if trait == "model":
        for named in knowledge.models.match(text.strip()):
            yield from _of_row(fact, named, knowledge)
    elif trait == "serial":
        for named in knowledge.serials.match(text.strip()):
            row = named.row
            if isinstance(row, SerialRow):
                entity = knowledge.makers.entities[named.entity]
                strength = _graded(fact, row.strength)
                yield Claimed(
                    "maker", named.entity, f"serial:{entity.id}:{named.number}@1", strength
                )


def _graded(fact: Fact, strength: Strength) -> Strength:
    """Take a grammar for what its bearer is: in somebody's list it is a record."""
    listed = fact.field.startswith("asset.") or (fact.listed and fact.field.startswith("device."))
    return Strength.RECORD if listed and strength is not Strength.HINT else strength


def _of_row(fact: Fact, named: Named, knowledge: Knowledge) -> Iterator[Claimed]:
    row = named.row
    if not isinstance(row, ModelRow):
        return
    entity = knowledge.makers.entities[named.entity]
    rule = f"model:{entity.id}:{named.number}@1"
    strength = _graded(fact, row.strength)
    yield Claimed("brand" if entity.kind == "brand" else row.trait, named.entity, rule, strength)
    if row.brand:
        yield Claimed("brand", row.brand, rule, strength)
    if row.device_class:
        yield Claimed("device_class", row.device_class, rule, strength)


def of_free_text(fact: Fact, knowledge: Knowledge) -> Iterator[Claimed]:
    """Find models in what somebody wrote; a name there is a hint."""
    words = _WORDS.findall(fact.value[:4096])[:_WORDS_MOST]
    told = {name for word in words if (name := knowledge.makers.named(word))}
    for word in words:
        for named in knowledge.models.match(word.strip(".:")):
            if told and told != {named.entity}:  # "Axis camera, replaces DS-2CD2143G0-I"
                yield Claimed("model", word.strip(".:"), f"word:{fact.field}@1", Strength.HINT)
            elif named.row.__class__ is ModelRow and named.row.strength is not Strength.HINT:
                yield Claimed("model", word.strip(".:"), f"field:{fact.field}@1", Strength.RECORD)
                yield from _of_row(fact, named, knowledge)
        name = knowledge.makers.named(word)
        if name:
            yield Claimed("brand", name, f"field:{fact.field}@1", Strength.HINT)
