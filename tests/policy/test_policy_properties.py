"""What must hold of judging whatever the devices, the packs and the order."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.model.decision import Decision, DecisionKind
from auditor.model.device import Asked, Coverage, Sighting
from auditor.model.identity import Contradiction, Evidence, Standing, Strength, Trait
from auditor.model.observation import Endpoint, Observation, Origin, Outcome
from auditor.model.policy import SEVERITY, Verdict
from auditor.policy.exemptions import exemption
from auditor.policy.judge import judge, verdicts
from auditor.policy.pack import Pack

GC = "ca-gc-hikvision-2025"
RANK = {verdict: at for at, verdict in enumerate(SEVERITY)}
ENDPOINT = Endpoint(ip="192.0.2.9", port=80)
WHEN = datetime(2026, 11, 21, tzinfo=UTC)
AT = datetime(2026, 11, 1, 12, tzinfo=UTC)
SLOW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
MAKERS = ["Hikvision", "Dahua", "Axis", "EZVIZ", "LTS", "Honeywell", "Lorex", "Huawei", "Uniview"]
EVIDENCE = st.builds(
    Evidence, st.just("maker"), st.sampled_from(MAKERS), st.just("r@1"), st.just("http.title"),
    st.text(max_size=8), st.sampled_from(Strength), st.sampled_from(["http", "rtsp", "record"]),
)  # fmt: skip
SIGHTINGS = st.builds(
    Sighting,
    st.builds(
        Observation,
        st.sampled_from(["http.title", "onvif.scopes", "asset.manufacturer", "asset.notes"]),
        st.sampled_from(MAKERS),
    ),
    st.just("http"), st.just(ENDPOINT), st.just(WHEN), st.sampled_from(Origin),
)  # fmt: skip
CONFLICTS = st.builds(
    Contradiction, st.just("two_makers"), st.just("maker"), st.sampled_from(MAKERS),
    st.sampled_from(MAKERS),
)  # fmt: skip


def more(one, sightings, against, conflicts, asked):
    """The same device with more of everything that can be seen of it."""
    device = replace(
        one.device,
        sightings=(*one.device.sightings, *sightings),
        asked=(*one.device.asked, *(Asked("rtsp", 554, how, WHEN) for how in asked)),
    )
    maker = replace(one.identity.maker, against=tuple(against))
    said = tuple(replace(e, trait="brand", strength=Strength.RECORD) for e in against[:1])
    brand = Trait(said[0].claim, Standing.PROBABLE, said) if said else one.identity.brand
    identity = replace(one.identity, maker=maker, brand=brand, contradictions=tuple(conflicts))
    return replace(one, device=device, identity=identity)


@SLOW
@given(
    st.lists(SIGHTINGS, max_size=3), st.lists(EVIDENCE, max_size=3), st.lists(CONFLICTS, max_size=2),
    st.lists(st.sampled_from(Outcome), max_size=3),
)  # fmt: skip
def test_more_evidence_never_weakens_a_confirmed_match(world, seen, against, conflicts, asked):
    one = world.device("Hikvision", acquired="2024-05-05", purpose="public_safety")
    grown = more(one, seen, against, conflicts, asked)
    before, after = (verdicts(world.ruled(d))["d1"] for d in (one, grown))
    assert before[GC] is Verdict.NONCONFORMING
    for pack, verdict in before.items():
        if verdict is Verdict.NONCONFORMING:
            assert after[pack] is Verdict.NONCONFORMING, pack


@SLOW
@given(st.lists(EVIDENCE, max_size=3), st.lists(CONFLICTS, max_size=2))
def test_what_points_to_a_listed_maker_never_makes_an_innocent_one_look_better(
    world, against, conflicts
):
    one = world.device("Axis", "probable")
    grown = more(one, (), against, conflicts, ())
    before, after = (verdicts(world.ruled(d))["d1"] for d in (one, grown))
    assert all(RANK[after[pack]] <= RANK[before[pack]] for pack in before)


@SLOW
@given(st.sampled_from(MAKERS), st.sampled_from(["confirmed", "probable"]), st.randoms())
def test_the_order_of_rules_is_irrelevant(world, maker, standing, chance):
    one = world.device(maker, standing, acquired="2024-05-05")

    def shuffled(pack):
        rules = list(pack.rules)
        chance.shuffle(rules)
        return Pack(pack.raw, tuple(rules), pack.sha256)

    packs = list(world.packs.values())
    turned = [shuffled(pack) for pack in packs]
    chance.shuffle(turned)
    plain, other = (
        verdicts(judge([one], some, world.relations, (), Coverage(), world.today))
        for some in (packs, turned)
    )
    assert plain == other


@SLOW
@given(st.sampled_from(MAKERS), st.data())
def test_adding_a_pack_changes_no_other_packs_verdicts(world, maker, data):
    one = world.device(maker, acquired="2024-05-05")
    names = sorted(world.packs)
    some = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    added = data.draw(st.sampled_from(names))
    few = verdicts(world.ruled(one, *some))["d1"]
    many = verdicts(world.ruled(one, *dict.fromkeys([*some, added])))["d1"]
    assert {pack: many[pack] for pack in few} == few


@SLOW
@given(st.integers(min_value=-40, max_value=40))
def test_an_expired_exemption_restores_the_finding(world, days):
    last_day = date(2026, 12, 1)
    granted = exemption(
        by="A. Roy", requested_by="B. Tremblay", at=AT, reason="spare parts", expires=last_day,
        subject=[("mac", "44:19:b6:00:00:01"), ("pack", GC)], zone="UTC",
        controls=["cut off from the Internet"], document_sha256="a" * 64, devices=1,
    )  # fmt: skip
    one = world.device("Hikvision")
    day = max(last_day + timedelta(days=days), AT.date() + timedelta(days=1))
    (bare,) = world.ruled(one, GC, today=day)
    (finding,) = world.ruled(one, GC, today=day, decisions=[granted])
    if day <= last_day:
        assert finding.verdict is Verdict.NOT_APPLICABLE
        assert finding.judged is Verdict.NONCONFORMING
        assert finding.exempted_by == granted.id
    else:
        assert finding == bare


@SLOW
@given(st.lists(st.sampled_from(MAKERS), max_size=4))
def test_one_device_says_nothing_of_another(world, makers):
    crowd = [
        world.device(maker, name=f"n{at}", mac=f"44:19:b6:00:01:{at:02x}")
        for at, maker in enumerate(makers)
    ]
    one = world.device("Hikvision")
    alone = world.ruled(one)
    among = [f for f in world.ruled([*crowd, one]) if f.device == "d1"]
    assert tuple(among) == alone


@SLOW
@given(
    st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=4),
    st.dictionaries(st.sampled_from(["device", "mac", "ip", "site", "pack"]), st.text(), max_size=3),
    st.sampled_from(DecisionKind), st.text(max_size=20),
)  # fmt: skip
def test_a_decision_from_elsewhere_may_be_nonsense_and_breaks_nothing(
    world, values, subject, kind, withdraws
):
    odd = Decision(
        "x", kind, "somebody", AT, "", tuple(subject.items()), tuple(values.items()),
        expires=None, withdraws=withdraws,
    )  # fmt: skip
    assert world.ruled(world.device("Hikvision"), GC, decisions=[odd])
