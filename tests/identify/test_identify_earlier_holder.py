"""What was heard at an address before something else stood there convicts nobody."""

import pytest

from auditor.identify.correlate import correlate
from auditor.identify.identify import identify
from auditor.model.identity import Standing
from auditor.model.observation import Origin, Outcome
from tests.identify.made_up import Writer

AT, INITECH, LOCAL = "10.0.0.5", "00:aa:02:00:00:03", "02:00:00:00:00:09"
MONTH = 30 * 24.0
REALM = ("http.wwwauth", 'Digest realm="Acme AC-1234"')
RTSP = ("rtsp.server", "AcmeRtsp")


def one(writer, known):
    (device,) = correlate(writer.rows)
    found = identify(device, known)
    return found, {clash.code: clash.other for clash in found.contradictions}


def camera():
    """A camera across a router, of which no hardware address is known."""
    writer = Writer().row("http", AT, None, ("http.server", "AcmeWeb/1"), REALM, port=80)
    return writer.row("rtsp", AT, None, RTSP, port=554)


def again(writer, tool="rtsp", port=554, outcome=Outcome.REFUSED, *seen):
    return writer.row(tool, AT, None, *seen, port=port, outcome=outcome, hours=1, run="r2")


def test_a_server_in_a_cameras_place_is_not_the_camera(known):
    found, codes = one(again(camera().http(AT, "nginx", hours=1, run="r2")), known)
    assert found.maker.value is None
    assert codes == {"gone": "Acme"}


def test_a_server_of_another_maker_in_a_cameras_place_is_named_and_the_camera_too(known):
    found, codes = one(again(camera().http(AT, "InitechWeb", hours=1, run="r2")), known)
    assert found.maker.value == "Initech"
    assert codes == {"replaced": "Acme"}


def test_a_camera_that_refuses_everybody_now_is_not_forgotten(known):
    writer = again(again(camera()), "http", 80)
    found, codes = one(writer, known)
    assert found.maker.value is None
    assert codes == {"gone": "Acme"}


@pytest.mark.parametrize("outcome", [Outcome.SILENT, Outcome.GARBLED, Outcome.CRASHED])
def test_silence_supersedes_nothing(known, outcome):
    writer = again(again(camera(), outcome=outcome), "http", 80, outcome)
    found, codes = one(writer, known)
    assert (found.maker.value, found.standing, codes) == ("Acme", Standing.CONFIRMED, {})


def test_what_says_the_same_maker_in_other_words_is_no_replacement(known):
    found, codes = one(again(camera().http(AT, "AcmeWeb/2", hours=1, run="r2")), known)
    assert (found.maker.value, codes) == ("Acme", {})
    assert not [e for e in found.evidence if e.field in {"http.wwwauth", "rtsp.server"}]


def test_a_refusal_at_another_address_of_a_device_undoes_nothing(known):
    writer = camera().arp(AT, "00:aa:00:00:00:01").arp("10.0.0.6", "00:aa:00:00:00:01")
    for tool, port in (("http", 80), ("rtsp", 554)):
        writer.row(tool, "10.0.0.6", None, port=port, outcome=Outcome.REFUSED, hours=1)
    found, codes = one(writer, known)
    assert {e.field for e in found.evidence} >= {"http.server", "rtsp.server"}
    assert codes == {}


def test_replies_to_a_group_come_in_pieces(known):
    scope = ("onvif.scopes", "onvif://www.onvif.org/hardware/AC-1234")
    writer = Writer().row("onvif", AT, None, scope, transport="udp", port=3702)
    writer.row("onvif", AT, None, ("onvif.types", "x"), transport="udp", port=3702, hours=1)
    assert one(writer, known)[0].maker.value == "Acme"


# ---------------------------------------------------------------- an old import, a new holder


def old(origin=Origin.SIGHTING, hours=0.0):
    writer, more = Writer(), {"origin": origin, "run": "old", "hours": hours}
    writer.row("nmap", AT, None, ("http.server", "AcmeWeb/1"), port=80, **more)
    return writer.row("nmap", AT, None, RTSP, port=554, **more)


@pytest.mark.parametrize("origin", [Origin.SIGHTING, Origin.WIRE])
@pytest.mark.parametrize("mac", [INITECH, LOCAL])
def test_an_old_sighting_at_an_address_names_nobody_who_came_later(known, origin, mac):
    writer = old(origin).arp(AT, mac, hours=MONTH).http(AT, "nginx", hours=MONTH)
    found, codes = one(writer, known)
    assert found.maker.value == ("Initech" if mac == INITECH else None)
    assert codes == {"earlier_holder": "Acme"}
    assert {e.strength for e in found.evidence if e.claim == "Acme"} == {"HINT"}
    assert found.model.value is None


def test_an_old_sighting_of_what_is_still_there_speaks_of_it(known):
    seen = ("http.server", "AcmeWeb/2")
    writer = old().arp(AT, "00:aa:00:00:00:01", hours=MONTH)
    writer.row("http", AT, None, seen, port=80, hours=MONTH)
    found, codes = one(writer, known)
    assert (found.maker.value, found.standing, codes) == ("Acme", Standing.CONFIRMED, {})
    assert "rtsp.server" in {e.field for e in found.evidence}


@pytest.mark.parametrize("hours", [MONTH - 2, MONTH + MONTH])
def test_a_sighting_of_the_same_visit_or_later_is_taken_as_before(known, hours):
    writer = old(hours=hours).arp(AT, LOCAL, hours=MONTH)
    if hours > MONTH:
        writer.arp(AT, LOCAL, hours=hours, run="r3")
    found, codes = one(writer, known)
    assert (found.maker.value, codes) == ("Acme", {})


def test_what_a_list_says_of_an_address_does_not_age_in_a_day(known):
    writer = Writer().listed(("asset.manufacturer", "Acme"), ip=AT).arp(AT, LOCAL, hours=MONTH)
    found, codes = one(writer, known)
    assert (found.maker.value, found.standing, codes) == ("Acme", Standing.PROBABLE, {})
