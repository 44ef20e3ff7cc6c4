"""When a host is asked no more: maker confirmed, model and class told; and never sooner."""

from itertools import permutations

import pytest

from auditor.identify import enough as room
from auditor.identify.enough import Enough
from auditor.identify.identify import of_observations
from auditor.model.identity import Standing
from auditor.model.observation import Observation

MAC = Observation("mac", "c4:2f:90:4d:00:1a")
REALM = Observation("rtsp.wwwauth", 'Digest realm="IP Camera(C1214)", nonce="7d3f"')
SERVER = Observation("http.server", "App-webs/")
MODEL = Observation("device.model", "DS-2CD2032-I")
SEEN = (MAC, REALM, SERVER, MODEL, Observation("http.title", "index"))


def by_the_rule(seen, known):
    found = of_observations(seen, known)
    told = found.model.value is not None and found.device_class.value is not None
    return told and found.maker.standing is Standing.CONFIRMED


@pytest.mark.parametrize("count", range(len(SEEN) + 1))
def test_it_says_what_weighing_everything_would_say(shipped, count):
    enough = Enough(shipped)
    for seen in permutations(SEEN, count):
        assert enough(seen) is by_the_rule(seen, shipped)


def test_a_maker_without_a_model_is_not_enough_and_both_are(shipped):
    enough = Enough(shipped)
    assert not enough(())
    assert not enough((MAC, REALM, SERVER))
    assert enough((MAC, REALM, SERVER, MODEL))


ICON = ("http.favicon_md5", "http.favicon_mmh3")


def missing(seen, known):
    found = of_observations(seen, known)
    traits = {"model": found.model.value, "device_class": found.device_class.value}
    sure = found.maker.standing is Standing.CONFIRMED
    return {name for name, value in traits.items() if value is None} | (
        {"maker"} if not sure else set()
    )


@pytest.mark.parametrize("count", range(len(SEEN) + 1))
def test_an_icon_is_needless_only_where_no_icon_that_we_know_would_add_anything(shipped, count):
    enough = Enough(shipped)
    icons = [
        Observation(name, one.examples[0].text)
        for name in ICON for one in shipped.library.by_field.get(name, ()) if one.examples
    ]  # fmt: skip
    assert icons
    for seen in permutations(SEEN, count):
        lacks = missing(seen, shipped)
        if enough.needless(seen, ICON):
            assert "maker" not in lacks
            assert all(lacks <= missing((*seen, icon), shipped) for icon in icons)


def test_an_icon_is_asked_for_while_maker_or_class_are_missing_and_then_spared(shipped):
    enough = Enough(shipped)
    assert not enough.needless((), ICON)
    assert not enough.needless((MAC,), ICON)
    classless = (MAC, Observation("sdk.greeting", "000000100000001e0000001e00000000"))
    assert missing(classless, shipped) == {"model", "device_class"}
    assert not enough.needless(classless, ICON)  # an icon may tell the class
    assert enough.needless((MAC, REALM, SERVER), ICON)
    assert not enough.needless((MAC, REALM, SERVER), ("device.model",))


def test_what_is_remembered_has_a_bound(shipped, monkeypatch):
    monkeypatch.setattr(room, "REMEMBERED", 10)
    enough = Enough(shipped)
    for number in range(100):
        assert not enough((Observation("http.title", f"page {number}"),))
        assert len(enough._spoken) <= 10
    assert enough((MAC, REALM, SERVER, MODEL))
