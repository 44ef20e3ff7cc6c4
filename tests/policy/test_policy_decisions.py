"""Acts of named persons: what they change, what stays beside them, and what is refused."""

from datetime import UTC, datetime, timedelta

import pytest

from auditor.errors import UsageError
from auditor.model.identity import Standing
from auditor.model.policy import Verdict
from auditor.policy.decisions import (
    decided_by_persons,
    override_identity,
    override_verdict,
    record,
    withdraw,
)

GC, QC = "ca-gc-hikvision-2025", "ca-qc-mcn-2023"
AT = datetime(2026, 11, 10, 14, tzinfo=UTC)
MAC = ("mac", "44:19:B6:00:00:01")
WHO = {"by": "E. Gagnon", "at": AT, "reason": "looked at the label"}


def says(trait, value, subject=(MAC,), **more):
    return override_identity(**(WHO | more), subject=subject, trait=trait, value=value)


def test_a_person_who_looked_at_the_label_names_the_maker(world):
    one = world.device("Hikvision", "probable", kind=None)
    (finding,) = world.ruled(one, GC, decisions=[says("maker", "Axis")])
    assert finding.verdict is Verdict.CONFORMING
    assert finding.evidence[0].field == "decision"
    assert "E. Gagnon" in finding.evidence[0].value


def test_what_an_override_replaces_stays_beside_it(world):
    from auditor.model.identity import Evidence, Strength

    seen = Evidence("maker", "Hikvision", "oui@1", "mac", "x", Strength.REGISTRANT, "registrant")
    one = world.device("Hikvision", "probable", evidence=[seen])
    (told,) = decided_by_persons([one], [says("maker", "Axis")])
    assert told.identity.maker.value == "Axis"
    assert told.identity.maker.standing is Standing.CONFIRMED
    assert seen in told.identity.maker.against


def test_deciding_twice_is_deciding_once(world):
    decisions = [says("maker", "Axis"), record(**WHO, subject=[MAC], field="asset.room", value="4")]
    once = decided_by_persons([world.device("Hikvision")], decisions)
    assert decided_by_persons(once, decisions) == once


def test_a_later_look_overrules_an_earlier_one(world):
    later = says("maker", "Dahua", at=AT + timedelta(days=1))
    (told,) = decided_by_persons([world.device("Axis")], [later, says("maker", "Hikvision")])
    assert told.identity.maker.value == "Dahua"


def test_a_recorded_date_settles_an_open_question(world):
    told = record(**WHO, subject=[MAC], field="asset.acquired", value="2024-02-02")
    one = world.device("Hikvision")
    assert world.verdict(one, QC) == "undetermined"
    assert world.verdict(one, QC, decisions=[told]) == "nonconforming"


def test_what_an_officer_says_outweighs_an_imported_list(world):
    told = record(**WHO, subject=[MAC], field="asset.acquired", value="2019-01-01")
    one = world.device("Hikvision", acquired="2024-02-02")
    assert world.verdict(one, QC, decisions=[told]) == "review"


def test_a_verdict_is_overridden_for_one_pack_and_the_judged_one_is_kept(world):
    act = override_verdict(
        **(WHO | {"reason": "dummy housing"}),
        subject=[MAC, ("pack", GC)],
        verdict=Verdict.CONFORMING,
    )
    one = world.device("Hikvision", acquired="2024-02-02")
    ours, other = world.ruled(one, GC, QC, decisions=[act])
    assert (ours.verdict, ours.judged, ours.overridden_by) == (
        Verdict.CONFORMING, Verdict.NONCONFORMING, act.id,
    )  # fmt: skip
    assert "E. Gagnon" in ours.because.en
    assert "dummy housing" in ours.because.fr
    assert other.verdict is Verdict.NONCONFORMING


def test_an_override_that_is_withdrawn_never_was(world):
    act = says("maker", "Axis")
    back = withdraw(act, by="F. Ito", at=AT + timedelta(days=1), reason="wrong device")
    assert world.verdict(world.device("Hikvision"), GC, decisions=[act, back]) == "nonconforming"
    with pytest.raises(UsageError, match="cannot be withdrawn"):
        withdraw(back, **WHO)


@pytest.mark.parametrize("subject", [
    pytest.param((("serial", "ds-2cd-0001"),), id="by-serial-whatever-the-case"),
    pytest.param((("tag", "inv-7"),), id="by-asset-tag"),
    pytest.param((("ip", "192.0.2.9"), ("site", "HQ")), id="by-address-at-its-site"),
    pytest.param((("device", "d1"),), id="by-device"),
    pytest.param((("mac", "00:00:00:00:00:01"), MAC), id="by-any-of-several"),
])  # fmt: skip
def test_a_device_is_named_by_what_survives_re_correlation(world, subject):
    one = world.device("Hikvision", serial="DS-2CD-0001", tag="INV-7")
    assert world.verdict(one, GC, decisions=[says("maker", "Axis", subject)]) == "conforming"


def test_an_address_at_another_site_is_another_device(world):
    act = says("maker", "Axis", (("ip", "192.0.2.9"), ("site", "Depot")))
    assert world.verdict(world.device("Hikvision"), GC, decisions=[act]) == "nonconforming"


@pytest.mark.parametrize(("make", "complaint"), [
    pytest.param(lambda: says("maker", " "), "empty", id="no-value"),
    pytest.param(lambda: says("colour", "red"), "no trait", id="no-such-trait"),
    pytest.param(lambda: says("maker", "Axis", [("site", "HQ")]), "no device", id="no-device"),
    pytest.param(lambda: says("maker", "Axis", [("mac", " ")]), "empty", id="an-empty-name"),
    pytest.param(lambda: override_verdict(**WHO, subject=[MAC], verdict="review"),
                 "exactly one pack", id="a-verdict-under-no-pack"),
    pytest.param(lambda: record(**WHO, subject=[MAC], field="mac", value="1"), "no fact", id="no-fact"),
    pytest.param(lambda: record(**WHO, subject=[MAC], field="asset.room", value=""), "no value", id="blank"),
    pytest.param(lambda: record(**WHO, subject=[("site", "HQ")], field="asset.room", value="4"),
                 "no device", id="a-room-of-a-site"),
    pytest.param(lambda: record(**WHO, subject=[MAC], field="site.sensitive", value="yes"),
                 "no fact", id="a-site-fact-of-a-device"),
])  # fmt: skip
def test_an_act_that_is_not_whole_is_refused(make, complaint):
    with pytest.raises(UsageError, match=complaint):
        make()


def test_facts_of_sites_and_of_the_organisation_go_by_their_bare_name():
    site = record(**WHO, subject=[("site", "HQ")], field="site.sensitive", value="yes")
    assert (site.subject, site.values) == ((("site", "HQ"),), (("sensitive", "yes"),))
    ours = record(**WHO, subject=[], field="organisation.kind", value="ca_agency")
    assert (ours.subject, ours.values) == ((), (("kind", "ca_agency"),))


@pytest.mark.parametrize("field", ["asset.acquired", "asset.installed"])
@pytest.mark.parametrize("value", ["2099-01-01", "2026-11-12", "2027", "2026-12"])
def test_a_day_that_has_not_come_is_no_record(field, value):
    with pytest.raises(UsageError, match="has not come"):
        record(**WHO, subject=[MAC], field=field, value=value)


@pytest.mark.parametrize("value", ["2026-11-10", "2026-11-11", "2026-11", "2026"])
def test_today_is_recorded_and_so_is_the_day_that_has_begun_further_east(value):
    assert record(**WHO, subject=[MAC], field="asset.acquired", value=value).values
