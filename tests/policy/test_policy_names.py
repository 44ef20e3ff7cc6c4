"""Names that persons write: another spelling accuses as the name does, an unknown one clears nothing."""

from datetime import UTC, datetime, timedelta

import pytest

from auditor.errors import DataError
from auditor.model.identity import Evidence, Standing, Strength
from auditor.policy.checks.maker_country import CHECK as COUNTRY
from auditor.policy.decisions import class_of, decided_by_persons, override_identity, record
from auditor.policy.worksheet import established, read_answers

GC, QC = "ca-gc-hikvision-2025", "ca-qc-mcn-2023"
AT = datetime(2026, 11, 10, 14, tzinfo=UTC)
MAC = ("mac", "44:19:b6:00:00:01")
BLOCK = Evidence("maker", "Hikvision", "oui@1", "mac", MAC[1], Strength.REGISTRANT, "registrant")
INNOCENT = Evidence("maker", "Axis", "oui@1", "mac", MAC[1], Strength.REGISTRANT, "registrant")
KNOWN = {"hikvision": "Hikvision", "hik vision": "Hikvision", "axis": "Axis", "lts": "LTS"}


def named(text):
    return KNOWN.get(text.casefold())


def says(value, trait="maker", days=0):
    return override_identity(
        by="E. Gagnon", at=AT + timedelta(days), reason="read the label", subject=[MAC],
        trait=trait, value=value,
    )  # fmt: skip


def judged(world, one, *decisions, pack=GC):
    """The verdict and its reason, of a device with decisions as the ledger holds them."""
    (told,) = decided_by_persons([one], decisions, named)
    (finding,) = world.ruled(told, pack, decisions=decisions)
    return str(finding.verdict), finding.reason


@pytest.mark.parametrize("spelling", ["HIKVISION", "hikvision", "Hik Vision", "Hikvision"])
@pytest.mark.parametrize("evidence", [(), (BLOCK,), (INNOCENT,)])
def test_a_listed_maker_in_any_spelling_is_that_maker(world, spelling, evidence):
    one = world.device("Axis", "probable", evidence=evidence)
    assert judged(world, one, says(spelling)) == ("nonconforming", "listed")
    (told,) = decided_by_persons([one], [says(spelling)], named)
    assert told.identity.maker.value == "Hikvision"


def test_evidence_of_the_same_name_supports_what_a_person_says(world):
    one = world.device("Hikvision", "probable", evidence=[BLOCK])
    (told,) = decided_by_persons([one], [says("HIKVISION")], named)
    assert BLOCK in told.identity.maker.supporting
    assert told.identity.maker.against == ()


@pytest.mark.parametrize("evidence", [
    pytest.param({"evidence": [BLOCK]}, id="the-holder-of-the-block"),
    pytest.param({"against": [BLOCK]}, id="a-sign-against-the-maker-before"),
])  # fmt: skip
def test_a_name_that_nobody_knows_does_not_outweigh_what_points_to_a_listed_maker(world, evidence):
    one = world.device("Hikvision", "probable", **evidence)
    assert judged(world, one, says("Hikvison")) == ("review", "contradiction")
    assert judged(world, one, says("Hikvison"), pack=QC)[0] == "review"


@pytest.mark.parametrize("maker", [None, "Axis"])
@pytest.mark.parametrize("trait", ["maker", "brand"])
def test_a_name_that_nobody_knows_clears_nothing(world, maker, trait):
    one = world.device(maker, "probable", evidence=[INNOCENT] if maker else ())
    assert judged(world, one, says("Hikvison", trait)) == ("undetermined", "maker_unknown")


def test_an_unknown_brand_on_a_device_that_says_itself_who_made_it_does_no_harm(world):
    assert judged(world, world.device("Axis"), says("Corner Shop", "brand"))[0] == "conforming"


def test_a_name_that_nobody_knows_has_no_seat(world):
    one = world.device("Axis", "probable", evidence=[INNOCENT])
    seat = record(by="E. G", at=AT, subject=[MAC], field="asset.maker_country", value="SE")
    decisions = [says("Hikvison"), seat]
    (told,) = decided_by_persons([one], decisions, named)
    packs = [p for p in world.packs.values() if any(r.check is COUNTRY for r in p.rules)]
    assert packs
    for pack in packs:
        for finding in world.ruled(told, pack.id, decisions=decisions):
            assert str(finding.verdict) != "conforming"


def test_a_person_may_still_correct_a_wrong_guess_to_a_maker_that_is_known(world):
    one = world.device("Hikvision", "probable", evidence=[BLOCK])
    assert judged(world, one, says("AXIS")) == ("conforming", "other_maker")


def test_an_earlier_look_counts_against_a_later_name_that_nobody_knows(world):
    one = world.device(None)
    assert judged(world, one, says("Hikvision"), says("Hikvison", days=1)) == (
        "review", "contradiction",
    )  # fmt: skip


def test_what_a_person_says_is_told_as_a_persons_record(world):
    (told,) = decided_by_persons(
        [world.device(None)], [says("AXIS"), says("Corner", "brand")], named
    )
    maker, brand = told.identity.maker, told.identity.brand
    assert (maker.supporting[0].strength, maker.standing) == (Strength.OFFICER, Standing.CONFIRMED)
    assert (brand.supporting[0].doubt, brand.standing) == ("name_unknown", Standing.PROBABLE)


@pytest.mark.parametrize(("word", "code"), [
    ("Camera", "camera"), ("access control", "access-control"), ("ACCESS_CONTROL", "access-control"),
    ("toaster", None), ("cam", None),
])  # fmt: skip
def test_a_word_for_a_kind_is_read_or_left_and_takes_no_camera_out_of_a_rule(world, word, code):
    assert class_of(word) == code
    verdict, _ = judged(world, world.device("Hikvision"), says(word, "device_class"))
    assert verdict == "nonconforming"


def test_a_worksheet_refuses_a_name_that_nobody_knows_and_offers_those_that_are_near(world):
    one = world.device(None)
    rows = [
        {"device": "d1", "field": "device.maker", "answer": answer}
        for answer in ("Hikvison", "HIK VISION")
    ]
    (taken,), (refused,) = read_answers(
        rows, [one], "H. Roy", AT, named, lambda name: ["Hikvision"] if name else []
    )
    assert dict(taken.values)["value"] == "Hikvision"
    assert "did you mean Hikvision?" in refused.reason


def test_a_trait_that_is_no_company_is_taken_as_written():
    assert established("model", "X-1", named, lambda _: ()) == "X-1"
    with pytest.raises(DataError, match="no class"):
        established("device_class", "toaster", named, lambda _: ())
