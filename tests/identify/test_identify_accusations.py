"""With the shipped knowledge: nobody is accused by a mention, a lookalike, an order or a repetition."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor import wiring
from auditor.identify.identify import of_observations
from auditor.identify.stream import identify_lines
from auditor.model.identity import TRAITS, Standing
from auditor.model.observation import Observation

KNOWN = wiring.knowledge()
HIK = "44:19:b6:00:00:01"
SEEN = [
    Observation("mac", HIK),
    Observation("mac", "00:40:8c:12:34:56"),
    Observation("http.server", "App-webs/"),
    Observation("http.server", "nginx"),
    Observation("http.title", "index"),
    Observation("http.wwwauth", 'Digest realm="AXIS_ACCC8E000000"'),
    Observation("device.model", "DS-2CD2143G0-I"),
    Observation("device.manufacturer", "Hikvision"),
    Observation("asset.manufacturer", "Axis"),
    Observation("asset.serial", "SN-1"),
    Observation("tls.subject", "CN=localhost"),
]
FIELDS = st.sampled_from(sorted({o.field for o in SEEN} | {"no.such", "http.body", "rtsp.server"}))
ANY = st.one_of(
    st.sampled_from(SEEN), st.builds(Observation, FIELDS, st.text(st.characters(), max_size=60))
)
SETS = st.lists(ANY, max_size=6)


def identity(*seen):
    return of_observations(seen, KNOWN)


def said(found):
    return {name: (getattr(found, name).value, getattr(found, name).standing) for name in TRAITS}


@given(SETS, st.randoms(use_true_random=False))
@settings(max_examples=60)
def test_the_order_in_which_things_were_seen_accuses_nobody(seen, random):
    mixed = list(dict.fromkeys(seen))
    one = said(identity(*mixed))
    random.shuffle(mixed)
    assert said(identity(*mixed)) == one


@given(SETS)
@settings(max_examples=60)
def test_what_is_said_twice_is_no_surer(seen):
    assert said(identity(*seen)) == said(identity(*seen, *seen))


@given(SETS)
@settings(max_examples=60)
def test_below_probable_nobody_is_named(seen):
    maker = identity(*seen).maker
    assert (maker.value is None) == (maker.standing in {Standing.HINT, Standing.UNKNOWN})


@given(SETS)
@settings(max_examples=60)
def test_whoever_is_named_is_named_by_evidence_that_was_seen(seen):
    found = identity(*seen)
    values = {(o.field, o.value) for o in seen}
    assert all((e.field, e.value) in values or e.value for e in found.evidence)
    if found.maker.value:
        assert found.maker.supporting
        assert {e.claim for e in found.maker.supporting} == {found.maker.value}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("http.title", "This is not a Hikvision camera"),
        ("http.title", "Replacement plan for Dahua devices"),
        ("device.hostname", "hikvision-replaced-by-axis"),
        ("http.server", "nginx (formerly App-webs)"),
        ("asset.notes", "Hikvision removed 2024"),
        ("asset.location", "Dahua room"),
        ("http.title", "Н\u0456kv\u0456s\u0456on"),  # Cyrillic letters
        ("http.title", "noisivkiH"),
        ("mac", "46:19:b6:00:00:01"),  # made up locally
        ("mac", "45:19:b6:00:00:01"),  # a group
        ("mac", "not an address"),
        ("no.such.field", "Hikvision"),
    ],
)
def test_a_mention_is_no_maker(field, value):
    found = identity(Observation(field, value))
    assert found.maker.standing is not Standing.CONFIRMED
    assert found.maker.value is None


def test_the_holder_of_an_address_block_is_probable_and_not_more():
    assert identity(Observation("mac", HIK)).maker.standing is Standing.PROBABLE


def test_a_list_alone_does_not_confirm_a_maker():
    found = identity(Observation("asset.manufacturer", "Hikvision"))
    assert found.maker.standing is not Standing.CONFIRMED


def test_a_hundred_lists_are_one_kind_of_evidence():
    many = [Observation("asset.manufacturer", f"Hikvision{' ' * n}") for n in range(100)]
    assert identity(*many).maker.standing is not Standing.CONFIRMED


def test_two_makers_in_one_device_are_a_contradiction_and_not_a_choice_in_silence():
    found = identity(
        Observation("mac", HIK),
        Observation("mac", "00:40:8c:12:34:56"),
        Observation("device.manufacturer", "AXIS"),
    )
    assert found.contradictions or found.maker.against or found.maker.value is None


# ---------------------------------------------------------------- identify --json

VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=8,
)
ASKED = st.fixed_dictionaries(
    {}, optional={"id": VALUES, "field": VALUES, "value": VALUES, "observations": VALUES}
)


@given(st.lists(ASKED, min_size=1, max_size=4))
@settings(max_examples=60)
def test_every_question_gets_one_answer_of_plain_json(asked):
    answers = list(identify_lines((json.dumps(each) for each in asked), KNOWN))
    assert len(answers) == len(asked)
    for line in answers:
        found = json.loads(line)
        assert "id" in found and ("error" in found) != ("standing" in found)
        assert line.isascii() and "\n" not in line


@given(st.text(st.characters(), max_size=60))
@settings(max_examples=60)
def test_a_line_of_anything_is_answered(line):
    assert len(list(identify_lines([line], KNOWN))) == bool(line.strip())


@pytest.mark.parametrize(
    "line",
    [
        '{"id": NaN, "observations": []}',
        '{"id": 1e999, "observations": []}',
        '{"id": ' + "9" * 5_000 + ', "observations": []}',
        '{"observations": [' + '{"field": "mac", "value": "' + HIK + '"},' * 3 + "]}",
        '{"id": 1, "id": 2, "observations": []}',
        '{"id": "\\ud800", "observations": []}',
        '{"id": true, "field": "http.server", "value": "\\u0000\\ud800"}',
        '{"a":' * 5_000 + "1" + "}" * 5_000,
        '\ufeff{"observations": []}',
    ],
)
def test_json_at_its_edges_is_answered_with_json_that_others_can_read(line):
    (answer,) = identify_lines([line], KNOWN)

    def refuse(word):
        raise AssertionError(f"{word} is no JSON (RFC 8259)")

    assert isinstance(json.loads(answer, parse_constant=refuse), dict)
