"""Knowledge is data: what makes it whole, what is refused, and which version it is."""

from datetime import date

import pytest

from auditor.errors import DataError
from auditor.identify.grammar import build_day
from auditor.identify.knowledge import Knowledge
from auditor.identify.makers import Makers, covered_registrants
from auditor.identify.names import normalised
from auditor.identify.schema import read_entities
from auditor.identify.vocabulary import Vocabulary
from auditor.model.observation import Observation
from tests.identify.conftest import DATA
from tests.identify.made_up import ENTITIES


@pytest.fixture
def folder(tmp_path):
    for name, text in ENTITIES.items():
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


def mistakes(folder):
    with pytest.raises(DataError) as caught:
        read_entities(folder)
    return caught.value.why


def test_all_mistakes_are_said_at_once_with_file_and_line(folder):
    (folder / "bad.toml").write_text(
        'id = "bad"\nname = "Bad"\nkind = "factory"\ncolour = "red"\n\n[[relationship]]\nto = "Acme"\n'
        'type = "friend"\nsource = { url = "x", confidence = "MEM", read = 2026-01-01 }\n'
        "[[model]]\npattern = 'x'\nexamples = ['x']\n[[model]]\nexamples = []\npattern = 'y'\n"
    )
    (folder / "worse.toml").write_text("id = [")
    said = mistakes(folder)
    for place in ("bad.toml:3: kind", "bad.toml:4: colour", "bad.toml:8:", "bad.toml:9:",
                  "bad.toml:14: model.1.examples", "worse.toml"):  # fmt: skip
        assert place in said, said


@pytest.mark.parametrize("lack", ["url", "confidence", "read"])
def test_a_relationship_without_source_date_or_grade_is_refused(folder, lack):
    text = ENTITIES["acorn.toml"].replace(f"{lack} =", f"no_{lack} =")
    (folder / "acorn.toml").write_text(text)
    assert f"source.{lack}" in mistakes(folder)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('aliases = ["Acme"]', "belongs to Acme"),
        ('registrants = ["ACME CAMERAS LTD"]', "belongs to Acme"),
        ('[[relationship]]\nto = "Nobody"\ntype = "affiliate"\nsource = { url = "https://x", '
         'confidence = "L", read = 2026-01-01 }', "no entity"),
        ("[[model]]\npattern = '('\nexamples = ['(']", "pattern"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(folder, line, said):
    (folder / "new.toml").write_text(f'id = "new"\nname = "New"\nkind = "maker"\n{line}\n')
    assert said in mistakes(folder)


def test_names_are_compared_whole_and_without_their_dress():
    one = {"ZHEJIANG ACME TECHNOLOGYCO.,LTD", "Zhejiang Acme Technology Co., Ltd."}
    assert len({normalised(text) for text in one}) == 1
    assert normalised("Acme") != normalised("Acme Scale")
    assert normalised("ＡＣＭＥ") == normalised("acme")
    assert normalised("!?") == ""


@pytest.fixture
def makers(folder):
    return Makers.load(folder)


@pytest.mark.parametrize(
    ("text", "name"),
    [("acme", "Acme"), ("Acme Cameras Ltd.", "Acme"), ("Acme Scale Factory", None), ("", None),
     ("Acm", None), ("Acme Acme", None)],
)  # fmt: skip
def test_who_is_called_so(makers, text, name):
    assert makers.named(text) == name


@pytest.mark.parametrize(
    ("day", "kind"),
    [(date(2014, 1, 1), None), (date(2016, 1, 1), "oem_rebrand"), (date(2020, 12, 31), "oem_rebrand"),
     (date(2021, 1, 1), "divested"), (None, "divested")],
)  # fmt: skip
def test_a_relationship_holds_on_its_days(makers, day, kind):
    row = makers.relationship("Globex", "Acme", day)
    assert (row.type if row else None) == kind


def test_houses_and_resellers_are_told_apart(makers):
    assert makers.same_house("Acorn", "Acme")
    assert makers.same_house("Acorn", "Oakleaf")
    assert not makers.same_house("Globex", "Acme")
    assert makers.sold_as("Globex", "Acme")
    assert not makers.sold_as("Acme", "Globex")
    assert makers.kind("Nobody has heard of it") == "brand"


def test_what_has_been_sold_is_no_longer_of_the_house(folder):
    text = ENTITIES["acorn.toml"].replace(
        "[[relationship]]", "[[relationship]]\nvalid_to = 2022-01-01"
    )
    (folder / "acorn.toml").write_text(text)
    assert not Makers.load(folder).same_house("Acorn", "Acme")


def test_the_registrants_to_watch_are_those_of_all_entities(folder):
    assert normalised("Acme Cameras Ltd.") in covered_registrants(folder)


def test_a_folder_without_entities_knows_nobody(tmp_path):
    assert Makers.load(tmp_path).entities == {}


# ---------------------------------------------------------------- the vocabulary


VOCABULARY = Vocabulary.load(DATA / "fields.toml")


@pytest.mark.parametrize(
    ("field", "tool", "kind", "typed"),
    [
        ("mac", "", "registrant", False),
        ("http.server", "", "http", False),
        ("onvif.scopes", "", "onvif", True),
        ("asset.model", "asset_csv", "record", True),
        ("device.model", "sadp", "sadp", False),
        ("device.model", "asset_csv", "record", False),
        ("device.model", "onvif", "onvif", True),
        ("device.model", "", "record", False),
        ("new.field", "", "new", False),
    ],
)
def test_what_a_field_is_worth(field, tool, kind, typed):
    assert VOCABULARY.kind(field, tool) == kind
    assert VOCABULARY.is_typed(field, kind) is typed


@pytest.mark.parametrize("text", ["", "[mac]\nfields = 5\n", "nonsense ="])
def test_a_broken_vocabulary_is_said(tmp_path, text):
    path = tmp_path / "fields.toml"
    path.write_text(text)
    if text:
        with pytest.raises(DataError):
            Vocabulary.load(path)
    else:
        assert Vocabulary.load(path).kinds == {}


# ---------------------------------------------------------------- versions


def test_every_body_of_knowledge_says_which_version_it_is(lay):
    data, oui = lay()
    known = Knowledge.load(data, oui)
    versions = {v.name: v for v in known.versions(date(2026, 9, 1))}
    assert sorted(versions) == ["entities", "fields", "fingerprints", "oui"]
    assert (versions["oui"].age_days, versions["oui"].stale) == (242, True)
    assert versions["oui"].rows == 9
    assert all(len(v.sha256) == 64 for v in versions.values())
    assert known.versions()[0].age_days == 0


def test_a_changed_byte_changes_the_version(lay):
    data, oui = lay()
    before = Knowledge.load(data, oui).versions()
    path = data / "entities" / "acme.toml"
    path.write_text(path.read_text() + "\n# a remark\n")
    after = Knowledge.load(data, oui).versions()
    assert {v.name for v, w in zip(before, after, strict=True) if v != w} == {"entities"}


def test_knowledge_answers_for_one_observation(known):
    (evidence,) = known.match(Observation("http.server", "AcmeWeb/1"))
    assert (evidence.claim, evidence.kind) == ("Acme", "http")


@pytest.mark.parametrize("name", ["recog.toml", "fields.toml", "cells.toml"])
def test_a_missing_part_is_said(lay, name):
    data, oui = lay()
    (data / name).unlink()
    with pytest.raises(DataError, match=name):
        Knowledge.load(data, oui)


@pytest.mark.parametrize(
    ("groups", "written", "day"),
    [
        (("190910",), "%y%m%d", date(2019, 9, 10)),
        (("x", "2019-09-10"), "%Y-%m-%d", date(2019, 9, 10)),
        (("991399",), "%y%m%d", None),
        (("19800101",), "%Y%m%d", None),
        ((), "%Y", None),
    ],
)
def test_a_date_in_a_serial_is_read_only_where_it_is_one(groups, written, day):
    assert build_day(groups, written) == day


def test_a_model_grammar_is_asked_of_whole_short_texts(known):
    assert [n.entity for n in known.models.match("ac-1234")] == ["Acme"]
    assert known.models.match("AC-1234\nAC-1234") == ()
    assert known.models.match("AC-1234 and more") == ()
    assert known.models.match("AC-1234" * 100) == ()
