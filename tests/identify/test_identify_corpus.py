"""Our corpus of banners: every device of a listed maker is named, and nobody else is accused."""

from collections import Counter
from pathlib import Path

import pytest

import bench.corpus_table as bench
from auditor.model.observation import Observation

DATA = Path(bench.HOME) / "auditor" / "data"


@pytest.fixture(scope="module")
def rows():
    return list(bench.corpus())


@pytest.fixture(scope="module")
def found(rows, shipped):
    return bench.judged(rows, shipped)


def said(found):
    return "\n".join(f"{one.row['id']}: {'; '.join(one.mistakes)}" for one in found)


def test_the_corpus_is_large_and_says_each_thing_once(rows):
    kinds = Counter(row["id"].split("-")[0] for row in rows)
    assert kinds["positive"] >= 400
    assert kinds["negative"] >= 3_000
    assert set(kinds) == {"positive", "negative"}
    assert len({row["id"] for row in rows}) == len(rows)
    assert len({str(row["observations"]) for row in rows}) == len(rows)


def test_every_line_speaks_the_vocabulary_and_expects_something(rows, shipped):
    for row in rows:
        assert set(row) == {"id", "vendor", "protocol", "observations", "expect"}, row["id"]
        assert set(row["expect"]) <= {"maker", "brand", "model", "device_class", "not"}, row["id"]
        assert row["expect"], row["id"]
        for seen in row["observations"]:
            assert seen["field"] in shipped.vocabulary.kinds, row["id"]


def test_no_innocent_is_accused(found):
    accused = [one for one in found if one.accused]
    assert not accused, said(accused)


def test_every_device_of_a_listed_maker_is_named_with_what_it_says_of_itself(found):
    wrong = [one for one in found if one.positive and one.mistakes]
    assert not wrong, said(wrong)


def test_those_who_can_be_cleared_are_named_and_the_rest_stay_nameless(found):
    wrong = [one for one in found if not one.positive and one.mistakes]
    assert not wrong, said(wrong)


def test_what_a_list_alone_says_is_never_confirmed(found):
    for one in found:
        if one.row["protocol"] == "record":
            assert one.answer["standing"] != "confirmed", one.row["id"]


def test_an_address_alone_is_never_confirmed(found):
    for one in found:
        if {seen["field"] for seen in one.row["observations"]} == {"mac"}:
            assert one.answer["standing"] in {"probable", "hint", "unknown"}, one.row["id"]


def test_a_relabel_shows_both_names_and_the_contradiction(found):
    relabels = [
        one
        for one in found
        if one.positive
        and one.row["protocol"] in {"sadp", "dhip"}
        and one.row["expect"].get("brand")
        in {"TruVision", "Intelbras", "CP Plus", "Amcrest", "LTS"}
    ]
    assert len(relabels) >= 10
    for one in relabels:
        assert one.answer["maker"] in {"Hikvision", "Dahua"}, one.row["id"]
        assert "relabel" in {clash["code"] for clash in one.answer["contradictions"]}, one.row["id"]


@pytest.mark.parametrize("protocol", ["http", "rtsp", "tls", "onvif", "snmp", "mac", "record"])
def test_every_protocol_is_tried_from_both_sides(rows, protocol):
    sides = {row["id"].split("-")[0] for row in rows if row["protocol"] == protocol}
    assert sides == {"positive", "negative"}


def test_every_example_of_another_maker_accuses_nobody(shipped):
    for print_ in shipped.library.fingerprints:
        claimed = {c.value for c in print_.claims if c.trait in {"maker", "brand"}}
        if not claimed or claimed & bench.LISTED or print_.field in {"sadp.reply", "dhip.reply"}:
            continue
        for example in print_.examples:
            line = [{"id": "negative-x", "expect": {"not": sorted(bench.LISTED)},
                     "observations": [{"field": print_.field, "value": example.text}]}]  # fmt: skip
            (one,) = bench.judged(line, shipped)
            house = {one.answer["maker"]} & bench.LISTED
            assert not house or _related(claimed, house, shipped), (print_.rule, example.text)


def _related(claimed, house, knowledge):
    """A brand's own page may stand on a listed maker's platform; nobody else's may."""
    return any(
        knowledge.makers.same_house(one, other) or knowledge.makers.sold_as(one, other)
        for one in claimed
        for other in house
    )


def test_no_fingerprint_of_a_listed_maker_reads_what_people_type(shipped):
    typed = ("dhcp.hostname", "mdns.hostname", "snmp.sysname", "asset.name", "asset.location")
    for field in typed:
        for name in ("hikvision", "DS-2CD2143G0-I", "Dahua", "huawei-lab", "ZTE", "Hytera"):
            assert not shipped.library.match(field, name), (field, name)


def test_every_row_of_a_traders_list_is_a_prompt_and_no_verdict(shipped):
    for entity in shipped.makers.entities.values():
        for row in entity.relationship:
            if row.source.confidence == "L" and row.type == "oem_rebrand":
                assert "never a verdict" in row.note, entity.name


def test_the_listed_five_are_listed_since_a_day(shipped):
    for name in bench.LISTED:
        (row,) = [r for r in shipped.makers.relations(name) if r.type == "listed"]
        assert row.to == name
        assert row.valid_from is not None
        assert row.source.confidence == "H"


def test_the_tables_in_the_documentation_are_those_of_today(found):
    text = bench.DOCUMENT.read_text("utf-8")
    assert bench.tables(found) in text, "run: python bench/corpus_table.py --write"


def test_a_wrong_answer_would_be_seen():
    row = {"id": "negative-1", "vendor": "-", "protocol": "http",
           "observations": [], "expect": {"maker": None, "not": ["Hikvision"]}}  # fmt: skip
    answer = dict.fromkeys(("brand", "model", "device_class")) | {"maker": "Hikvision"}
    one = bench.Judged(row, answer)
    assert one.accused
    assert one.mistakes == ["maker is 'Hikvision', not None", "accused"]
    assert ("Hikvision", "0", "0", "1", "0.0 %", "-") in bench.precision_and_recall([one], "vendor")


def test_the_same_observation_is_read_alike_alone_and_in_company(shipped):
    alone = Observation("http.server", "DNVRS-Webs")
    (hit, *_) = shipped.library.match(alone.field, alone.value)
    assert ("maker", "Hikvision") in hit.claims
