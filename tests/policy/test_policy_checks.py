"""What each check makes of parameters that the shipped packs do not use, or use in passing."""

from datetime import date

import pytest
from pydantic import ValidationError

from auditor.model.device import Coverage
from auditor.model.identity import Evidence, Strength
from auditor.model.policy import Verdict
from auditor.plugins import Case, Check, load

CHECKS = {check.name: check for check in load("auditor.policy.checks", "CHECK", Check)}
ALL = {"listed": "nonconforming", "subsidiary": "nonconforming", "affiliate": "nonconforming"}
MAKERS = {"entities": ["Hikvision", "Dahua"], "verdicts": ALL}
PURPOSE = {"field": "asset.purpose", "covered": {"guard": ["garde"]}, "outside": {"art": ["œuvre"]}}
FUNDS = {"field": "asset.funding", "covered": {"grant": []}, "outside": {"own": []}}


def ask(world, check, params, assessed, today=date(2026, 11, 23), **situation):
    params = CHECKS[check].params(**params)
    case = Case(assessed, Coverage(), today, **situation)
    return CHECKS[check].examine(case, params, world.relations)


def test_equipment_of_a_kind_that_nobody_established_is_looked_at(world):
    params = MAKERS | {"equipment": ["camera"]}
    found = ask(world, "listed_maker", params, world.device("Hikvision", kind=None))
    assert (found.verdict, found.reason) == (Verdict.REVIEW, "class_unknown")
    assert found.ask[0].field == "device.class"


def test_a_device_of_another_kind_is_not_what_the_rule_is_about_whoever_made_it(world):
    params = MAKERS | {"equipment": ["camera"]}
    for maker in ("Hikvision", None):
        found = ask(world, "listed_maker", params, world.device(maker, kind="other"))
        assert (found.verdict, found.reason) == (Verdict.NOT_APPLICABLE, "other_equipment")


def test_companies_named_later_are_not_named_yet(world):
    params = MAKERS | {"since": date(2027, 1, 1)}
    found = ask(world, "listed_maker", params, world.device("Hikvision"))
    assert (found.verdict, found.reason) == (Verdict.NOT_APPLICABLE, "not_yet_named")
    later = ask(world, "listed_maker", params, world.device("Hikvision"), today=date(2027, 1, 1))
    assert later.verdict is Verdict.NONCONFORMING


def test_two_facts_must_both_be_covered(world):
    params = MAKERS | {"tests": [PURPOSE, FUNDS], "outside": "conforming"}
    both = world.device("Hikvision", purpose="garde", funding="grant")
    one = world.device("Hikvision", purpose="guard")
    none = world.device("Hikvision", purpose="guard", funding="own")
    assert ask(world, "recorded_fact", params, both).verdict is Verdict.NONCONFORMING
    assert [q.field for q in ask(world, "recorded_fact", params, one).ask] == ["asset.funding"]
    assert ask(world, "recorded_fact", params, none).verdict is Verdict.CONFORMING


def test_one_fact_outside_settles_it_though_another_is_missing(world):
    params = MAKERS | {"tests": [PURPOSE, FUNDS], "outside": "review"}
    found = ask(world, "recorded_fact", params, world.device("Hikvision", purpose="œuvre"))
    assert found.reason == "fact_outside"


def test_a_missing_date_is_asked_for_beside_missing_facts(world):
    params = MAKERS | {"tests": [PURPOSE], "outside": "review", "after": date(2020, 1, 1)}
    found = ask(world, "recorded_fact", params, world.device("Hikvision"))
    assert {q.field for q in found.ask} == {"asset.purpose", "asset.acquired"}


def test_a_value_cannot_be_covered_and_outside_at_once():
    both = PURPOSE | {"outside": {"guard": []}}
    with pytest.raises(ValidationError, match="both covered and outside: guard"):
        CHECKS["recorded_fact"].params(**MAKERS, tests=[both], outside="review")


@pytest.mark.parametrize("kind", ["oem_rebrand", "divested", "component_only"])
def test_no_pack_can_prohibit_by_a_weak_tie(kind):
    with pytest.raises(ValidationError, match=f"{kind} cannot be nonconforming"):
        CHECKS["listed_maker"].params(**(MAKERS | {"verdicts": ALL | {kind: "nonconforming"}}))


def test_a_relabel_is_looked_at_by_country_as_well_and_an_own_brand_is_not_one(world):
    relabel = world.device("Dahua", brand="Honeywell")
    own = world.device("Hikvision", brand="HiLook")
    for by_brand in (False, True):
        params = {"countries": ["CN"], "by_brand": by_brand}
        assert ask(world, "maker_country", params, relabel).reason == "relabel_country"
        assert ask(world, "maker_country", params, own).verdict is Verdict.NONCONFORMING


def test_a_camera_of_another_maker_is_no_matter_of_a_rule_about_routers(world):
    params = MAKERS | {"equipment": ["network"], "doubtful": ["camera"]}
    found = ask(world, "listed_maker", params, world.device("Axis"))
    assert found.verdict is Verdict.NOT_APPLICABLE
    tied = ask(world, "listed_maker", params, world.device("Dahua"))
    assert (tied.verdict, tied.reason) == (Verdict.REVIEW, "class_doubtful")


def test_a_brand_from_the_country_whose_maker_nobody_knows_is_looked_at(world):
    found = ask(world, "maker_country", {"countries": ["CN"]}, world.device(None, brand="Dahua"))
    assert (found.verdict, found.reason) == (Verdict.REVIEW, "probable_country")


def test_evidence_for_a_maker_of_the_country_is_looked_at(world):
    against = Evidence("maker", "Dahua", "oui@1", "mac", "x", Strength.REGISTRANT, "registrant")
    torn = world.device("Axis", "probable", against=[against])
    found = ask(world, "maker_country", {"countries": ["CN"]}, torn)
    assert (found.verdict, found.reason) == (Verdict.REVIEW, "probable_country")


def test_a_recorded_seat_stands_in_where_no_table_has_one(world):
    params = {"countries": ["CN"]}
    stranger = world.device("Stranger")
    assert ask(world, "maker_country", params, stranger).reason == "country_unknown"
    told = world.device("Stranger", maker_country="cn")
    assert ask(world, "maker_country", params, told).verdict is Verdict.NONCONFORMING
    other = world.device("Stranger", maker_country="SE")
    assert ask(world, "maker_country", params, other).verdict is Verdict.CONFORMING


def test_a_market_rule_looks_at_what_was_bought_after_the_bar_and_at_nothing_else(world):
    params = {"entities": ["Dahua"], "barred_after": date(2026, 7, 6)}
    new = ask(world, "not_about_use", params, world.device("Dahua", acquired="2026-07-07"))
    assert (new.verdict, new.ask[0].field) == (Verdict.REVIEW, "asset.supplier")
    for bought in ("2026-07-06", "2026-07", "2020"):
        old = ask(world, "not_about_use", params, world.device("Dahua", acquired=bought))
        assert old.verdict is Verdict.NOT_APPLICABLE


@pytest.mark.parametrize(("certificate", "verdict"), [
    ("STQC-1", "conforming"), ("none", "nonconforming"), ("Aucun", "nonconforming"), ("", "undetermined"),
])  # fmt: skip
def test_a_certificate_decides_and_the_maker_does_not(world, certificate, verdict):
    params = {"equipment": ["camera"], "after": date(2024, 6, 5)}
    one = world.device("Axis", acquired="2025-01-01", certificate=certificate)
    assert ask(world, "certificate", params, one).verdict == verdict


def test_an_incomplete_record_says_what_is_missing_in_both_languages(world):
    params = {"fields": ["maker", "serial", "asset.location"]}
    found = ask(world, "record_complete", params, world.device("Axis"))
    english, french = dict(found.facts)["missing"].split("\x1f")
    assert english == "serial number, location"
    assert french == "numéro de série, emplacement"
    assert [q.field for q in found.ask] == ["device.serial", "asset.location"]


def test_the_table_in_the_guide_names_every_check_and_no_other():
    import re
    from pathlib import Path

    guide = (Path(__file__).parents[2] / "docs" / "writing-a-pack.md").read_text("utf-8")
    table = guide.split("| check |", 1)[1].split("\n\n", 1)[0]
    assert set(re.findall(r"^\| `([a-z_]+)` \|", table, re.MULTILINE)) == set(CHECKS)
