"""The ladder: what names a maker, how far it stands, and what contradicts it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.identify.evidence import of_observation, of_sightings
from auditor.identify.identify import of_observations
from auditor.identify.resolve import resolve
from auditor.model.device import Sighting
from auditor.model.identity import Evidence, Standing, Strength
from auditor.model.observation import Endpoint, Observation, Origin
from tests.identify.made_up import START

ACME_MAC = ("mac", "00:aa:00:00:00:01")
ACORN_MAC = ("mac", "00:aa:01:20:00:01")
INITECH_MAC = ("mac", "00:aa:02:00:00:01")
GLOBEX_MAC = ("mac", "00:aa:04:00:00:01")
SCALE_MAC = ("mac", "00:aa:03:00:00:01")
CHIP_MAC = ("mac", "00:aa:05:00:00:01")
LOCAL_MAC = ("mac", "02:aa:00:00:00:01")
PLATFORM = ("http.server", "AcmeWeb/1")
PLATFORM_2 = ("rtsp.server", "AcmeRtsp")
OTHER = ("http.server", "InitechWeb")
OTHER_2 = ("rtsp.server", "InitRtsp")
SELF = ("tls.subject", "O=Acme, CN=x")
OTHER_SELF = ("http.wwwauth", "Initech")
NAME = ("http.title", "Acme")
HINT = ("http.server", "Web")
HINT_2 = ("rtsp.server", "Video")
TYPED = ("onvif.scopes", "onvif://www.onvif.org/hardware/AC-1234")
TYPED_NAME = ("onvif.scopes", "onvif://www.onvif.org/name/Acme")


def identity(known, *seen):
    return of_observations([Observation(*pair) for pair in seen], known)


def codes(found):
    return sorted({clash.code for clash in found.contradictions})


@pytest.mark.parametrize(
    ("seen", "maker", "standing"),
    [
        pytest.param([], None, "unknown", id="nothing-seen-names-nobody"),
        pytest.param([SELF], "Acme", "confirmed", id="one-self-declaration-confirms"),
        pytest.param([PLATFORM, ACME_MAC], "Acme", "confirmed", id="platform-and-mac-confirm"),
        pytest.param([PLATFORM, PLATFORM_2], "Acme", "confirmed", id="two-protocols-confirm"),
        pytest.param([PLATFORM], "Acme", "probable", id="one-platform-sign-is-probable"),
        pytest.param([ACME_MAC], "Acme", "probable", id="a-mac-alone-is-probable-never-more"),
        pytest.param(
            [ACME_MAC, ("mac", "00:aa:01:af:a4:b2")], "Acme", "probable", id="two-macs-are-one-kind"
        ),
        pytest.param([TYPED], "Acme", "probable", id="typed-platform-text-is-probable"),
        pytest.param([TYPED, ACME_MAC], "Acme", "probable", id="typed-text-never-confirms-a-mac"),
        pytest.param([TYPED_NAME], None, "hint", id="a-typed-name-names-nobody"),
        pytest.param([NAME], None, "hint", id="a-brand-name-alone-names-no-maker"),
        pytest.param([NAME, HINT_2], "Acme", "probable", id="weak-signs-of-two-kinds-add-up"),
        pytest.param([HINT], None, "hint", id="a-hint-names-nobody"),
        pytest.param([HINT, HINT_2], None, "hint", id="hints-never-decide-however-many"),
        pytest.param([TYPED_NAME, HINT, HINT_2], None, "hint", id="typed-and-hints-do-not-either"),
        pytest.param([SCALE_MAC], None, "unknown", id="a-look-alike-registrant-is-not-the-maker"),
        pytest.param([LOCAL_MAC], None, "unknown", id="a-local-address-is-never-looked-up"),
        pytest.param([CHIP_MAC], None, "hint", id="a-module-makers-block-names-nobody"),
        pytest.param([("mac", "no address")], None, "unknown", id="garbage-is-no-address"),
    ],
)
def test_the_ladder(known, seen, maker, standing):
    found = identity(known, *seen)
    assert found.maker.value == maker
    assert found.standing == standing


@pytest.mark.parametrize(
    ("seen", "maker", "standing", "code"),
    [
        pytest.param(
            [ACME_MAC, OTHER], "Initech", "probable", "two_makers", id="an-adapter-accuses-nobody"
        ),
        pytest.param(
            [ACME_MAC, OTHER, OTHER_2], "Initech", "probable", "two_makers",
            id="and-a-clash-takes-confirmed-away",
        ),
        pytest.param(
            [ACME_MAC, OTHER_SELF], "Initech", "probable", "two_makers",
            id="even-from-a-self-declaration",
        ),
        pytest.param(
            [PLATFORM, OTHER_2], None, "hint", "two_makers", id="equal-signs-name-nobody"
        ),
        pytest.param(
            [PLATFORM, OTHER_2, ACME_MAC], "Acme", "probable", "two_makers",
            id="the-registrant-tips-the-scales",
        ),
        pytest.param([ACME_MAC, INITECH_MAC], None, "hint", "two_makers", id="two-interfaces"),
        pytest.param(
            [("asset.manufacturer", "Initech"), PLATFORM], "Acme", "probable", "brand_differs",
            id="a-list-gives-way-to-the-wire",
        ),
        pytest.param(
            [("asset.manufacturer", "Initech"), PLATFORM, ACME_MAC], "Acme", "confirmed",
            "brand_differs", id="and-does-not-weaken-it",
        ),
        pytest.param(
            [GLOBEX_MAC, PLATFORM], "Acme", "probable", "relabel", id="a-reseller-is-a-relabel"
        ),
        pytest.param(
            [("http.title", "Globex"), ACME_MAC], "Acme", "probable", "relabel",
            id="a-foreign-brand-on-the-makers-block",
        ),
        pytest.param(
            [("http.title", "Globex"), PLATFORM, ACME_MAC], "Acme", "confirmed", "relabel",
            id="a-relabel-can-be-confirmed",
        ),
    ],
)  # fmt: skip
def test_contradictions(known, seen, maker, standing, code):
    found = identity(known, *seen)
    assert (found.maker.value, found.standing) == (maker, Standing(standing))
    assert code in codes(found)


def test_a_relabel_keeps_the_foreign_brand_and_says_what_it_is_to_the_maker(known):
    found = identity(known, GLOBEX_MAC, PLATFORM)
    assert found.brand.value == "Globex"
    assert found.relationship == "divested"


def test_a_row_of_the_table_alone_confirms_nothing(known):
    found = identity(known, ("http.title", "Globex"))
    assert found.maker.value is None
    assert found.brand.value == "Globex"


def test_the_daughter_speaks_for_the_house(known):
    found = identity(known, ACORN_MAC, PLATFORM)
    assert (found.maker.value, found.standing) == ("Acorn", Standing.CONFIRMED)
    assert not found.contradictions


def test_a_brand_of_the_house_is_no_contradiction(known):
    found = identity(known, ("http.title", "Oakleaf"), PLATFORM)
    assert (found.maker.value, found.brand.value) == ("Acme", "Oakleaf")
    assert found.relationship == "subsidiary"
    assert not found.contradictions


def test_contradictions_keep_the_evidence_against(known):
    found = identity(known, ACME_MAC, OTHER)
    assert [e.claim for e in found.maker.against] == ["Acme"]
    assert {e.claim for e in found.maker.supporting} == {"Initech"}


@pytest.mark.parametrize(
    ("seen", "trait", "value"),
    [
        pytest.param(
            ("http.wwwauth", 'Digest realm="Acme AC-1234 sn AC20190910123456"'),
            "model",
            "AC-1234",
            id="model",
        ),
        pytest.param(
            ("http.wwwauth", 'Digest realm="Acme AC-1234 sn AC20190910123456"'),
            "serial",
            "AC20190910123456",
            id="serial",
        ),
        pytest.param(
            ("http.wwwauth", 'Digest realm="Acme AC-1234"'), "device_class", "camera", id="class"
        ),
        pytest.param(("device.model", "AR-1234"), "device_class", "recorder", id="a-recorder"),
        pytest.param(("device.firmware", "V5.5 build 190910"), "firmware", "V5.5 build 190910"),
        pytest.param(("asset.category", "IP Camera"), "device_class", "camera", id="a-word"),
        pytest.param(
            ("asset.class", "Access-Control"), "device_class", "access-control", id="ours"
        ),
        pytest.param(("asset.brand", "GLOBEX"), "brand", "Globex", id="a-brand"),
        pytest.param(("asset.category", "Toaster"), "device_class", None, id="no-word"),
    ],
)
def test_the_other_traits(known, seen, trait, value):
    assert getattr(identity(known, seen), trait).value == value


def test_a_maker_of_one_kind_of_thing_gives_a_hint_of_the_class(known):
    found = identity(known, OTHER)
    assert (found.device_class.value, found.device_class.standing) == ("network", Standing.HINT)
    assert identity(known, OTHER, ("asset.category", "camera")).device_class.value == "camera"
    assert identity(known, PLATFORM).device_class.value is None


def test_an_identity_says_which_knowledge_it_rests_on(known):
    assert dict(identity(known).data_versions)["oui"] == "2026-01-02"


def test_a_recorder_does_not_take_the_identity_of_its_cameras(known):
    found = identity(known, ("device.model", "AC-1234"), ("http.server", "AcmeWeb/recorder"),
                     ("device.model", "AR-1234"))  # fmt: skip
    assert found.device_class.value == "recorder"
    assert "model_differs" in codes(found)


def test_what_is_inferred_is_marked_as_inferred(known):
    found = identity(
        known,
        PLATFORM,
        ("device.serial", "AC20190910123456"),
        ("device.firmware", "V5.5 build 200102"),
        ("device.model", "AC-1234"),
    )
    said = {(i.name, i.value) for i in found.inferences}
    assert ("build_date", "2019-09-10") in said
    assert ("build_date", "2020-01-02") in said
    assert ("lifecycle", "end of life since 2022-05-01") in said
    assert ("generation", "1") in said
    assert all(i.source for i in found.inferences)


def test_nothing_is_inferred_about_a_device_that_nobody_is_known_to_have_made(known):
    assert identity(known, ("device.firmware", "V5.5 build 200102")).inferences == ()


@pytest.mark.parametrize(
    ("seen", "maker"),
    [
        pytest.param(("asset.manufacturer", "ACME cameras"), "Acme", id="an-alias"),
        pytest.param(("asset.manufacturer", "Acme Scale Factory"), None, id="not-a-part-of-a-name"),
        pytest.param(("asset.model", "AC-1234"), "Acme", id="a-model"),
        pytest.param(("asset.description", "4 MP dome (AC-1234), lobby"), "Acme", id="free-text"),
        pytest.param(
            ("asset.description", "AC-12345 is no model"), None, id="not-a-part-of-a-word"
        ),
        pytest.param(("asset.description", "near the Acme door"), None, id="a-name-in-free-text"),
    ],
)
def test_a_list_is_probable_and_never_confirmed(known, seen, maker):
    found = identity(known, seen)
    assert found.maker.value == maker
    assert found.standing in {Standing.PROBABLE, Standing.UNKNOWN, Standing.HINT}
    twice = identity(known, seen, ("asset.notes", "AC-1234"), ("asset.serial", "AC20190910123456"))
    assert twice.standing is not Standing.CONFIRMED


def test_a_reply_read_by_a_tool_counts_as_that_tools_kind(known):
    """A model read from a platform's reply and the reply itself are one source, not two."""
    model = of_observation(Observation("device.model", "AC-1234"), known, "http")
    server = of_observation(Observation(*PLATFORM), known, "http")
    assert resolve(itertools.chain(model, server), known).standing is Standing.PROBABLE


def test_what_a_file_says_of_a_model_is_a_record(known):
    sighting = Sighting(
        Observation("device.model", "AC-1234"),
        "asset_csv",
        Endpoint("10.0.0.1"),
        START,
        Origin.FILE,
        7,
    )
    (model, maker, _) = of_sightings([sighting, sighting], known)
    assert {model.strength, maker.strength} == {"RECORD"}
    assert maker.attempt == 7


def test_evidence_names_its_rule_and_its_version(known):
    found = identity(known, ACME_MAC, PLATFORM)
    assert {e.rule for e in found.evidence} == {"oui:00AA00/24@2026-01-02", "acme-server@1"}


SIGNS = [ACME_MAC, ACORN_MAC, INITECH_MAC, GLOBEX_MAC, PLATFORM, PLATFORM_2, OTHER, OTHER_2, SELF,
         OTHER_SELF, NAME, HINT, HINT_2, TYPED, TYPED_NAME, ("http.title", "Globex"),
         ("asset.manufacturer", "Initech"), ("asset.model", "AC-1234")]  # fmt: skip


@given(signs=st.lists(st.sampled_from(SIGNS), max_size=6, unique=True), data=st.data())
def test_the_order_of_the_evidence_does_not_matter(known, signs, data):
    one = identity(known, *signs)
    other = identity(known, *data.draw(st.permutations(signs)))
    assert (one.maker.value, one.standing, one.brand.value) == (
        other.maker.value,
        other.standing,
        other.brand.value,
    )
    assert codes(one) == codes(other)


@given(
    signs=st.lists(st.sampled_from([HINT, HINT_2, TYPED_NAME, ("http.title", "Video")]), max_size=4)
)
def test_no_heap_of_hints_ever_names_anybody(known, signs):
    assert identity(known, *signs).maker.value is None


@given(signs=st.lists(st.sampled_from(SIGNS), max_size=5, unique=True))
def test_agreeing_evidence_never_lowers_a_confirmed_maker(known, signs):
    before = identity(known, *signs)
    if before.standing is Standing.CONFIRMED and before.maker.value == "Acme":
        after = identity(known, *signs, SELF, ACME_MAC, PLATFORM_2)
        assert (after.maker.value, after.standing) == ("Acme", Standing.CONFIRMED)


@given(field=st.sampled_from(["mac", "http.server", "device.model", "asset.notes", "no.such"]),
       value=st.text(max_size=200))  # fmt: skip
def test_whatever_a_device_says_there_is_an_answer(known, field, value):
    assert identity(known, (field, value)).standing in set(Standing)


@pytest.mark.parametrize(
    ("field", "kind", "strength", "standing"),
    [
        pytest.param("onvif.scopes", "onvif", "BRAND", Standing.HINT, id="typed into a device"),
        pytest.param("http.title", "http", "BRAND", Standing.PROBABLE, id="shown by a device"),
        pytest.param("asset.brand", "record", "RECORD", Standing.PROBABLE, id="in the books"),
    ],
)
def test_a_brand_that_anybody_can_type_is_a_hint_of_an_unknown_device(
    known, field, kind, strength, standing
):
    said = Evidence("brand", "Acme", "made-up@1", field, "Acme", Strength(strength), kind)
    assert resolve((said,), known).brand.standing is standing
