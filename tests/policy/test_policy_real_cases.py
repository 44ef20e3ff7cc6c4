"""What really happened in departments, towns and armies, told as devices and judged.

Each case is public: order-paper answers, Senate hearings, freedom-of-information replies, an
indictment. Names of sites are made up.
"""

from datetime import UTC, date, datetime

import pytest

from auditor.model.identity import Evidence, Strength
from auditor.model.policy import Verdict
from auditor.policy.annexes import annexes_of
from auditor.policy.decisions import override_identity, withdraw
from auditor.policy.judge import verdicts
from auditor.policy.removals import removal

GC, QC, ICA = "ca-gc-hikvision-2025", "ca-qc-mcn-2023", "ca-ica-hikvision-2025"
A, B, CFR = "us-ndaa-889a1A", "us-ndaa-889a1B", "us-2cfr-200-216"
UK, TW, EP, INDIA, TX = (
    "uk-wms-2022-11-24", "tw-2020", "eu-parliament-2021", "in-cctv-er", "us-tx-prohibited-tech",
)  # fmt: skip
MARKETS = ["us-fcc-22-84", "us-fcc-25-71", "us-fcc-2026-06-26", "us-bis-entity-list", ICA]


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_privy_council_office_two_cameras_replaced_in_april_2024(world):
    cameras = [
        world.device("Hikvision", name=f"p{n}", mac=f"44:19:b6:00:00:0{n}", first=at("2024-03-01"))
        for n in (1, 2)
    ]
    gone = [
        removal(by="PCO", at=at("2024-04-16T12:00"), reason="replaced", step="disposed",
                subject=[("mac", one.device.macs[0])], certificate="PCO-1")
        for one in cameras
    ]  # fmt: skip
    findings = world.ruled(cameras, GC, decisions=gone)
    assert {f.verdict for f in findings} == {Verdict.NOT_APPLICABLE}
    assert {f.judged for f in findings} == {Verdict.NONCONFORMING}
    table = annexes_of(cameras, findings, [world.packs[GC]], gone, world.today).answers
    assert [row.removed for row in table] == ["2024-04-16"] * 2


def test_rcmp_bought_for_testing_and_never_deployed(world):
    """An asset record, and nothing on any network: looked at by a person, and not forgotten."""
    shelf = world.device(
        "Hikvision", "probable", looked=False, status="never deployed", network_exposure="none"
    )
    (finding,) = world.ruled(shelf, GC)
    assert finding.verdict is Verdict.REVIEW
    (row,) = annexes_of([shelf], [finding], [], [], world.today).answers
    assert row.connected == "no"


def test_bank_of_canada_cameras_that_came_with_an_outsourced_vendor(world):
    (finding,) = world.ruled(world.device("Hikvision", owner_type="contractor"), GC)
    assert finding.verdict is Verdict.NONCONFORMING
    assert "contractor" in finding.consequence.en
    assert "entrepreneur" in finding.consequence.fr


def test_home_affairs_dahua_cameras_that_the_landlord_operates(world):
    """Australia orders no removal: the risk is to be assessed and the device to be listed."""
    one = world.device("Dahua", owner_type="landlord")
    for pack in ("au-pspf-001-2024", "au-pspf-002-2024"):
        (finding,) = world.ruled(one, pack)
        assert finding.verdict is Verdict.UNDETERMINED
        assert "landlord" in finding.consequence.en
        assert finding.ask


def test_nzta_91_connected_cameras_of_third_parties_among_1404(world):
    cameras = [
        world.device("Hikvision" if n < 91 else "Axis", name=f"n{n}", owner_type="third party" if n < 91
                     else "own", mac=f"44:19:b6:02:{n >> 8:02x}:{n & 255:02x}")
        for n in range(1404)
    ]  # fmt: skip
    findings = world.ruled(cameras, GC)
    totals = annexes_of(cameras, findings, [], [], world.today).totals
    assert {t.owner_type: t.count for t in totals} == {"third_party": 91, "own": 1313}
    assert sum(f.verdict is Verdict.NONCONFORMING for f in findings) == 91


@pytest.mark.parametrize("pack", [GC, QC, A, B, TX])
def test_korea_and_aventura_relabelled_cameras_are_put_before_a_person(world, pack):
    """1,300 military cameras sold as home-made; a relabel is seen, and never settled by itself."""
    relabel = world.device(
        "Hikvision", brand="Home Made", purpose="public_safety", acquired="2024-03-01"
    )
    assert world.verdict(relabel, pack) == "review"


def test_aventura_once_a_person_has_opened_the_housing(world):
    opened = override_identity(
        by="Inspector", at=world.seen, reason="board and firmware read", subject=[("device", "d1")],
        trait="brand", value="Hikvision",
    )  # fmt: skip
    relabel = world.device("Hikvision", brand="Home Made")
    assert world.verdict(relabel, GC, decisions=[opened]) == "nonconforming"


@pytest.mark.parametrize(("bought", "verdict"), [
    pytest.param("2020-06-01", "nonconforming", id="while-it-was-dahuas"),
    pytest.param("2024-06-01", "review", id="after-the-sale-some-are-dahuas-still"),
    pytest.param("2016-06-01", "conforming", id="before-dahua-bought-it"),
    pytest.param(None, "undetermined", id="nobody-knows-when"),
])  # fmt: skip
def test_lorex_before_and_after_the_sale(world, bought, verdict):
    records = {"acquired": bought} if bought else {}
    lorex = world.device("Lorex", purpose="public_safety", **records)
    assert world.verdict(lorex, B) == verdict


@pytest.mark.parametrize(("bought", "verdict"), [
    ("2023-12-20", "review"), ("2023-12-21", "review"), ("2023-12-22", "nonconforming"),
    ("2023-12", "undetermined"), ("2024", "nonconforming"),
])  # fmt: skip
def test_quebec_says_after_the_21st(world, bought, verdict):
    assert world.verdict(world.device("Dahua", acquired=bought), QC) == verdict


@pytest.mark.parametrize(("sensitive", "verdict"), [
    ("yes", "nonconforming"), ("no", "review"), (None, "undetermined"),
])  # fmt: skip
def test_united_kingdom_a_site_that_is_not_sensitive_gets_advice(world, sensitive, verdict):
    facts = {"HQ": {"sensitive": sensitive}} if sensitive else {}
    findings = world.ruled(world.device("Hikvision", core_network="no"), UK, site_facts=facts)
    (site,) = [f for f in findings if f.rule == "sensitive-site"]
    assert site.verdict == verdict
    if sensitive == "no":
        assert "Advisory only" in site.consequence.en


def test_european_parliament_thermal_cameras_from_a_maintenance_contract(world):
    thermal = world.device(
        "Hikvision", category="thermal", supplier="Veolia", owner_type="contractor"
    )
    assert world.verdict(thermal, EP) == "nonconforming"
    assert world.verdict(world.device("Hikvision", category="dome"), EP) == "not_applicable"


def test_a_police_force_corrects_its_survey_to_zero(world):
    """A finding that was wrong is withdrawn in the open: both acts stay in the log."""
    wrong = override_identity(
        by="Survey", at=at("2022-11-01"), reason="questionnaire", subject=[("device", "d1")],
        trait="maker", value="Dahua",
    )  # fmt: skip
    correction = withdraw(wrong, by="Force", at=at("2023-02-01"), reason="it is a body-worn Axon")
    one = world.device("Axis")
    assert world.verdict(one, QC, decisions=[wrong], today=date(2024, 1, 5)) == "undetermined"
    assert (
        world.verdict(one, QC, decisions=[wrong, correction], today=date(2024, 1, 5))
        == "conforming"
    )


@pytest.mark.parametrize("pack", MARKETS)
def test_what_is_about_markets_never_calls_an_installed_camera_unlawful(world, pack):
    for maker in ("Hikvision", "Dahua", "Huawei", None):
        (finding,) = world.ruled(world.device(maker), pack)
        assert finding.verdict is Verdict.NOT_APPLICABLE
        assert "illegal" not in finding.consequence.en.casefold()


def test_the_same_camera_has_another_verdict_under_every_law(world):
    camera = world.device(
        "Dahua", acquired="2022-05-05", funding="own_funds", purpose="public_safety",
        core_network="no", certificate="none",
    )  # fmt: skip
    found = verdicts(world.ruled(camera, site_facts={"HQ": {"sensitive": "no"}}))["d1"]
    assert {pack: str(found[pack]) for pack in (GC, QC, A, B, CFR, UK, TW, EP, INDIA, TX)} == {
        GC: "conforming",  # Dahua is not named federally in Canada
        QC: "review",  # bought before the cut-off: risk assessment and controls
        A: "nonconforming",
        B: "nonconforming",
        CFR: "review",  # not bought with award funds
        UK: "review",  # advice outside sensitive sites
        TW: "nonconforming",  # a brand of the country meant
        EP: "conforming",  # only one maker is named
        INDIA: "not_applicable",  # bought before certificates were required
        TX: "nonconforming",
    }


def test_a_huawei_router_is_telecommunications_equipment_and_needs_no_purpose(world):
    router = world.device("Huawei", kind="network")
    assert world.verdict(router, B) == "nonconforming"
    assert world.verdict(router, GC) == "conforming"
    camera = world.device("Hikvision", kind="camera")
    assert world.verdict(camera, B) == "undetermined"


def test_a_chip_inside_somebodys_camera_is_not_seen_on_the_network(world):
    chip = Evidence("maker", "HiSilicon", "b@1", "rtsp.server", "x", Strength.HINT, "rtsp")
    assert world.verdict(world.device("Axis", against=[chip]), B) == "conforming"


def test_a_proposal_binds_nobody(world):
    (finding,) = world.ruled(world.device("Hikvision"), "eu-csa2")
    assert finding.verdict is Verdict.NOT_APPLICABLE
    assert "proposed" in finding.because.en
    assert "proposé" in finding.because.fr


def test_scale_a_thousand_devices_at_250_sites(world):
    crowd = [
        world.device("Dahua" if n % 3 else "Axis", name=f"s{n}", site=f"site-{n % 250}",
                     mac=f"44:19:b6:03:{n >> 8:02x}:{n & 255:02x}")
        for n in range(1000)
    ]  # fmt: skip
    table = verdicts(world.ruled(crowd, TW))
    assert len(table) == 1000
    assert sum(found[TW] is Verdict.NONCONFORMING for found in table.values()) == 666
