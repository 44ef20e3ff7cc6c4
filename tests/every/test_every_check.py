"""Questions asked of every check: made-up parameters, every kind of device, nothing else."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.model.device import Asked, Assessed, Coverage, Device, Sighting
from auditor.model.identity import Contradiction, Evidence, Identity, Standing, Strength, Trait
from auditor.model.observation import Endpoint, Observation, Origin, Outcome
from auditor.model.policy import RELATION_TYPES, Relation, Verdict
from auditor.plugins import Case, Check, load

CHECKS = load("auditor.policy.checks", "CHECK", Check)
EACH = pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
KINDS = {"listed": "nonconforming", "subsidiary": "nonconforming", "affiliate": "review"}
TEST = {"field": "asset.purpose", "covered": {"yes": ["oui"]}, "outside": {"no": ["non"]}}
MAKERS = {"entities": ["Acme"], "verdicts": KINDS, "equipment": ["camera"], "doubtful": ["server"]}
# one rule of each check that can give all that it is able to give; a new check adds a line here
PARAMS = {
    "listed_maker": MAKERS,
    "acquired_after": MAKERS | {"after": date(2024, 1, 1)},
    "recorded_fact": MAKERS | {"tests": [TEST], "outside": "conforming", "after": date(2024, 1, 1)},
    "maker_country": {
        "countries": ["AA"], "by_brand": True, "equipment": ["camera"], "field": "asset.purpose",
        "covered": TEST["covered"], "outside": TEST["outside"], "verdict_outside": "conforming",
    },
    "not_about_use": {"entities": ["Acme"], "barred_after": date(2024, 1, 1)},
    "certificate": {"equipment": ["camera"], "after": date(2024, 1, 1)},
    "record_complete": {"fields": ["maker", "asset.purpose"]},
}  # fmt: skip
LOOKED = st.booleans()
UNSEEN = st.sampled_from([False])
MOMENT = datetime(2026, 3, 1, tzinfo=UTC)
NAMES = st.sampled_from(["Acme", "Daughter", "Shop", "Innocent", "Nobody", None])
RELATIONS = {
    "Acme": (Relation("Acme", "AA", "country"),),
    "Innocent": (Relation("Innocent", "BB", "country"),),
    **{
        kind: (Relation(kind, "Acme", kind), Relation(kind, "AA", "country"))
        for kind in RELATION_TYPES
        if kind != "country"
    },
    "Daughter": (Relation("Daughter", "Acme", "subsidiary", valid_to=date(2022, 1, 1)),),
    "Shop": (Relation("Shop", "Acme", "oem_rebrand"),),
}
NAMED = st.one_of(NAMES, st.sampled_from(sorted(RELATIONS)))


def trait(draw, names):
    return Trait(draw(names), draw(st.sampled_from(Standing)))


@st.composite
def cases(draw, looked=LOOKED):
    """Any device that can be: known or not, looked at or not, with records or without."""
    seen = draw(looked)
    outcomes = (
        st.sampled_from(Outcome)
        if seen
        else st.sampled_from([outcome for outcome in Outcome if not outcome.is_knowledge])
    )
    asked = tuple(
        Asked("http", 80, outcome, MOMENT) for outcome in draw(st.lists(outcomes, max_size=2))
    )
    records = draw(
        st.dictionaries(
            st.sampled_from(["acquired", "purpose", "certificate", "installed", "maker_country"]),
            st.sampled_from(["2023-05-01", "2025-05-01", "yes", "no", "perhaps", "none", "AA", ""]),
        )
    )
    endpoint = Endpoint(ip="192.0.2.1")
    sightings = tuple(
        Sighting(Observation(f"asset.{k}", v), "t", endpoint, MOMENT, Origin.FILE)
        for k, v in records.items()
    )
    against = tuple(
        Evidence("maker", name, "r@1", "mac", "x", draw(st.sampled_from(Strength)), "http")
        for name in draw(st.lists(NAMED.filter(bool), max_size=1))
    )
    maker = trait(draw, NAMED)
    identity = Identity(
        maker=Trait(maker.value, maker.standing, (), against),
        brand=trait(draw, NAMED),
        device_class=trait(draw, st.sampled_from(["camera", "server", "other", None])),
        contradictions=tuple(
            Contradiction("two_makers", "maker", one, "Innocent")
            for one in draw(st.lists(NAMED.filter(bool), max_size=1))
        ),
    )
    device = Device(
        "d", "s", ("192.0.2.1",), (), (), sightings, asked, MOMENT, MOMENT, (), on_wire=seen
    )
    return Case(Assessed(device, identity), Coverage(), date(2026, 3, 2))


def answer(check, case):
    params = check.params(**PARAMS[check.name])
    return params, check.examine(case, params, RELATIONS)


@EACH
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_conforming_is_impossible_with_empty_coverage(check, data):
    _, given_answer = answer(check, data.draw(cases(looked=UNSEEN)))
    assert given_answer.verdict is not Verdict.CONFORMING


@EACH
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_it_answers_nothing_but_what_it_says_that_it_can_answer(check, data):
    params, given_answer = answer(check, data.draw(cases()))
    assert given_answer.verdict in params.outcomes()[given_answer.reason]


@EACH
@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_undetermined_names_the_missing_fact_and_whom_to_ask(check, data):
    _, given_answer = answer(check, data.draw(cases()))
    if given_answer.verdict is Verdict.UNDETERMINED:
        assert given_answer.ask
        for question in given_answer.ask:
            assert question.field and question.ask.en and question.ask.fr
            assert question.who.en and question.who.fr


@EACH
@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_nobody_is_nonconforming_whose_maker_is_less_than_confirmed(check, data):
    case = data.draw(cases())
    _, given_answer = answer(check, case)
    by_maker = check.name not in {"certificate", "record_complete"}
    identity = case.assessed.identity
    confirmed = Standing.CONFIRMED in {identity.maker.standing, identity.brand.standing}
    if given_answer.verdict is Verdict.NONCONFORMING and by_maker:
        assert confirmed


@EACH
def test_the_same_case_is_answered_the_same_way_twice(check):
    @settings(max_examples=50, deadline=None)
    @given(cases())
    def twice(case):
        assert answer(check, case)[1] == answer(check, case)[1]

    twice()


@EACH
def test_its_parameters_know_no_other_key(check):
    with pytest.raises(ValueError, match="nonsense"):
        check.params(**PARAMS[check.name], nonsense=1)


@EACH
def test_it_says_in_both_languages_what_it_asks(check):
    assert check.says.en
    assert check.says.fr
    assert check.says.en != check.says.fr
