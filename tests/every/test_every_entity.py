"""Asked of every entity: its grammar holds, its registrants exist, its relations have a source."""

from datetime import date
from pathlib import Path

import pytest

import auditor
from auditor.identify.grammar import build_day
from auditor.identify.knowledge import Knowledge
from auditor.identify.names import normalised
from auditor.identify.schema import FirmwareRow, SerialRow

DATA = Path(auditor.__file__).parent / "data"
KNOWN = Knowledge.load(DATA, DATA.parent.parent / "oui_data")
ENTITIES = tuple(KNOWN.makers.entities.values())
REGISTRANTS = {normalised(block.registrant) for block in KNOWN.registry.blocks()}
GRAMMARS = (
    ("model", KNOWN.models),
    ("serial", KNOWN.serials),
    ("firmware", KNOWN.firmwares),
    ("lifecycle", KNOWN.lifecycles),
)
ROWS = [(what, grammar, *row) for what, grammar in GRAMMARS for row in grammar.rows]
every_entity = pytest.mark.parametrize("entity", ENTITIES, ids=lambda e: e.id)
every_row = pytest.mark.parametrize(
    ("grammar", "name", "number", "row"),
    [row[1:] for row in ROWS],
    ids=[f"{what}:{name}:{number}" for what, _, name, number, _ in ROWS],
)


def matched(grammar, text):
    return {(named.entity, named.number) for named in grammar.match(text)}


@every_row
def test_the_examples_of_a_row_match_it(grammar, name, number, row):
    for text in row.examples:
        assert (name, number) in matched(grammar, text), text


@every_row
def test_the_counterexamples_of_a_row_do_not_match_it(grammar, name, number, row):
    for text in getattr(row, "counterexamples", ()):
        assert (name, number) not in matched(grammar, text), text


@every_row
def test_an_example_of_one_maker_is_no_model_of_another(grammar, name, number, row):
    """Unless one sells the other's products, or both rows say that it proves nothing."""
    for text in row.examples:
        for other in grammar.match(text):
            if other.entity == name or getattr(other.row, "strength", None) in {None, "HINT"}:
                continue
            related = KNOWN.makers.same_house(name, other.entity) or KNOWN.makers.sold_as(
                name, other.entity
            )
            assert related or row.strength == "HINT", f"{text}: {other.entity}"


@every_row
def test_a_row_with_a_date_reads_it_from_its_examples(grammar, name, number, row):
    if not isinstance(row, SerialRow | FirmwareRow) or not row.build_format:
        return
    for text in row.examples:
        (named,) = [n for n in grammar.match(text) if (n.entity, n.number) == (name, number)]
        assert build_day(named.groups, row.build_format) < date(2030, 1, 1), text


@every_entity
def test_its_registrants_stand_in_the_registry(entity):
    for registrant in entity.registrants:
        assert normalised(registrant) in REGISTRANTS, registrant


@every_entity
def test_its_relationships_have_a_source_a_day_and_a_grade(entity):
    for row in entity.relationship:
        assert row.source.url.startswith(("https://", "http://")), row.to
        assert date(2020, 1, 1) <= row.source.read <= date(2030, 1, 1)
        assert row.source.confidence in {"H", "M", "L"}
        assert row.valid_to is None or (row.valid_from or date.min) <= row.valid_to


@every_entity
def test_its_lifecycle_has_a_source(entity):
    for row in entity.lifecycle:
        assert row.source.url.startswith(("https://", "http://"))


@every_entity
def test_its_file_is_named_after_it(entity):
    assert (DATA / "entities" / f"{entity.id}.toml").is_file()


@every_entity
def test_a_name_that_is_a_substring_of_another_registrant_does_not_take_it(entity):
    for registrant in entity.registrants:
        for wrong in (f"{registrant} Scale Factory", f"New {registrant}", registrant[:-3]):
            if normalised(wrong) not in KNOWN.makers.registrants:
                assert KNOWN.makers.of_registrant(wrong) is None


@every_entity
def test_only_its_own_names_call_it(entity):
    for text in (entity.name, *entity.aliases):
        assert KNOWN.makers.named(text) == entity.name
