"""What a device comes to under an instrument, and what may and may not change that."""

from datetime import UTC, date, datetime

import pytest

from auditor.model.identity import Contradiction, Evidence, Strength
from auditor.model.policy import SEVERITY, Verdict
from auditor.policy.judge import verdict_of, verdicts

GC, QC = "ca-gc-hikvision-2025", "ca-qc-mcn-2023"


def evidence(claim, strength=Strength.PLATFORM, kind="http"):
    return Evidence("maker", claim, "test@1", "http.server", "x", strength, kind)


@pytest.mark.parametrize(("maker", "expected"), [
    pytest.param("Hikvision", "nonconforming", id="the-named-maker"),
    pytest.param("Dahua", "conforming", id="dahua-is-not-named-federally"),
    pytest.param("EZVIZ", "review", id="a-subsidiary-is-not-addressed"),
    pytest.param("Axis", "conforming", id="an-innocent-maker"),
    pytest.param(None, "undetermined", id="nobody-knows-who-made-it"),
])  # fmt: skip
def test_the_federal_statement_names_one_company(world, maker, expected):
    assert world.verdict(world.device(maker), GC) == expected


@pytest.mark.parametrize(("day", "expected"), [
    ("2023-12-20", "review"), ("2023-12-21", "review"), ("2023-12-22", "nonconforming"),
])  # fmt: skip
def test_quebec_bans_what_was_acquired_after_the_twenty_first(world, day, expected):
    assert world.verdict(world.device("Hikvision", acquired=day), QC) == expected


@pytest.mark.parametrize(("as_of", "expected"), [
    pytest.param(date(2023, 12, 20), "not_applicable", id="the-order-did-not-exist"),
    pytest.param(date(2023, 12, 21), "review", id="nothing-can-have-been-acquired-after-today"),
    pytest.param(date(2023, 12, 22), "undetermined", id="now-the-date-decides"),
])  # fmt: skip
def test_the_day_of_the_assessment_matters_in_quebec(world, as_of, expected):
    seen = datetime(2023, 12, 22, 9, tzinfo=UTC)
    assert world.verdict(world.device("Dahua", first=seen), QC, today=as_of) == expected


def test_a_missing_date_is_asked_for_and_of_whom_is_said(world):
    (finding,) = world.ruled(world.device("Hikvision"), QC)
    assert finding.verdict is Verdict.UNDETERMINED
    (question,) = finding.ask
    assert question.field == "asset.acquired"
    assert question.who.en and question.who.fr


def test_a_relabel_is_for_a_person_and_never_prohibited_by_itself(world):
    for pack in (GC, QC):
        relabel = world.device("Hikvision", brand="Night Owl", acquired="2024-02-02")
        assert world.verdict(relabel, pack) == "review"


def test_a_list_that_calls_it_by_another_brand_does_not_weaken_what_the_device_says(world):
    from dataclasses import replace

    from auditor.model.identity import Standing, Trait

    one = world.device("Hikvision")
    heard = Evidence(
        "brand", "Honeywell", "asset@1", "asset.brand", "Honeywell", Strength.RECORD, "record"
    )
    brand = Trait("Honeywell", Standing.PROBABLE, (heard,))
    one = replace(one, identity=replace(one.identity, brand=brand))
    assert world.verdict(one, GC) == "nonconforming"


def test_a_silent_device_in_a_listed_makers_block_is_reviewed(world):
    silent = world.device("Hikvision", "probable", kind=None)
    assert world.verdict(silent, GC) == "review"
    assert world.verdict(silent, QC) == "review"


def test_a_hint_names_nobody(world):
    assert world.verdict(world.device("Hikvision", "hint"), GC) == "undetermined"


def test_what_contradicts_an_innocent_maker_is_looked_at(world):
    torn = world.device("Axis", "probable", against=[evidence("Hikvision")])
    assert world.verdict(torn, GC) == "review"
    two = Contradiction("two_makers", "maker", "Axis", "Hikvision")
    assert world.verdict(world.device(None, contradictions=[two]), GC) == "review"


def test_a_brand_alone_ties_a_device_at_most_probably(world):
    assert world.verdict(world.device(None, brand="Hikvision"), GC) == "review"
    assert world.verdict(world.device(None, brand="LTS"), GC) == "review"


def test_a_seller_of_some_relabels_who_made_this_one_is_innocent(world):
    assert world.verdict(world.device("Honeywell"), QC) == "conforming"


def test_nothing_seen_of_the_device_itself_is_never_conforming(world):
    assert world.verdict(world.device("Axis", looked=False), GC) == "undetermined"


def test_a_municipality_is_not_bound_in_quebec(world):
    bought = world.device("Hikvision", acquired="2024-02-02")
    assert world.verdict(bought, QC, organisation={"kind": "qc_municipality"}) == "not_applicable"
    assert world.verdict(bought, QC, organisation={"kind": "qc_public_body"}) == "nonconforming"


def test_a_landlords_camera_says_whom_to_speak_to_and_stays_what_it_is(world):
    (finding,) = world.ruled(world.device("Hikvision", owner_type="landlord"), GC)
    assert finding.verdict is Verdict.NONCONFORMING
    assert "the landlord" in finding.consequence.en
    assert "locateur" in finding.consequence.fr


def test_the_worst_finding_is_the_verdict_of_the_device(world):
    findings = world.ruled([world.device("Hikvision"), world.device("Axis", name="d2")], GC, QC)
    table = verdicts(findings)
    assert table["d1"] == {GC: Verdict.NONCONFORMING, QC: Verdict.UNDETERMINED}
    assert table["d2"] == {GC: Verdict.CONFORMING, QC: Verdict.CONFORMING}
    assert verdict_of(findings) is SEVERITY[0]
    assert verdict_of(()) is Verdict.NOT_APPLICABLE


def test_words_carry_the_facts_of_this_device_in_both_languages(world):
    (finding,) = world.ruled(world.device("Hikvision", acquired="2024-01-01"), QC)
    assert "1 January 2024" in finding.because.en
    assert "1er janvier 2024" in finding.because.fr


def test_what_a_device_says_is_put_into_a_sentence_and_never_read_as_one(world):
    (finding,) = world.ruled(world.device("{entity} {maker.__class__}"), GC)
    assert "{entity} {maker.__class__}" in finding.because.en


def test_a_rule_is_cited_in_both_languages(world):
    (finding,) = world.ruled(world.device("Hikvision"), QC)
    assert finding.cited.en.startswith("Ministerial order")
    assert finding.cited.fr.startswith("Arrêté ministériel")


def test_french_is_set_with_no_break_spaces(world):
    (finding,) = world.ruled(world.device("Hikvision"), QC, organisation={"kind": "x"})
    assert "«\u00a0x\u00a0»" in finding.because.fr


def test_devices_may_be_judged_one_by_one(world):
    from auditor.model.device import Coverage
    from auditor.policy.judge import findings_of, world_of

    crowd = [world.device("Hikvision", name=f"d{n}") for n in range(5)]
    packs = [world.packs[GC], world.packs[QC]]
    same = world_of(crowd, world.relations, (), Coverage(), world.today)
    streamed = findings_of(iter(crowd), packs, same)
    assert tuple(streamed) == world.ruled(crowd, GC, QC)


def test_every_finding_names_its_reason_and_its_rule(world):
    for finding in world.ruled(world.device("Hikvision")):
        pack = world.packs[finding.pack]
        rule = next(rule for rule in pack.rules if rule.id == finding.rule)
        assert finding.reason in {*rule.outcomes, "not_in_force", "not_bound"}
        assert finding.pack_version == pack.version
