"""Several machines behind one hardware address, and several cameras at one factory address."""

import pytest

from auditor.identify.correlate import correlate
from auditor.identify.explain import explain
from auditor.identify.identify import identify
from auditor.model.device import Assessed
from auditor.model.identity import Standing
from tests.identify.made_up import Writer

CAMERA, PAYROLL, SHOP = "10.0.0.20", "10.0.0.21", "10.0.0.22"
OTHERS, LOCAL = "00:aa:02:00:00:03", "02:00:00:00:00:03"  # Initech's, and one made up


def behind(mac, *hosts):
    writer = Writer()
    for ip, *_ in hosts:
        writer.arp(ip, mac)
    for ip, *seen in hosts:
        writer.row("http", ip, None, *seen, port=80)
    return writer


def camera(realm="Acme AC-1234", nonce="1"):
    said = f'Digest realm="{realm}", nonce="{nonce}"'
    return ("http.server", "AcmeWeb/1"), ("http.wwwauth", said)


def server(title):
    return ("http.server", "nginx"), ("http.title", title)


@pytest.mark.parametrize("mac", [OTHERS, LOCAL])
def test_machines_behind_a_repeater_are_devices_of_their_own(known, mac):
    writer = behind(mac, (CAMERA, *camera()), (PAYROLL, *server("Pay")), (SHOP, *server("Shop")))
    writer.row("rtsp", CAMERA, None, ("rtsp.server", "AcmeRtsp"), port=554)
    found = {d.ips: identify(d, known).maker for d in correlate(writer.rows)}
    assert set(found) == {(CAMERA,), (PAYROLL,), (SHOP,)}
    assert (found[CAMERA,].value, found[CAMERA,].standing) == ("Acme", Standing.CONFIRMED)
    assert "Acme" not in {found[PAYROLL,].value, found[SHOP,].value}


def test_the_hardware_address_of_such_machines_is_shown_and_doubted(known):
    writer = behind(OTHERS, (CAMERA, *camera()), (PAYROLL, *server("Pay")))
    for device in correlate(writer.rows):
        found = identify(device, known)
        assert device.macs == (OTHERS,)
        assert "shared_mac" in {clash.code for clash in found.contradictions}
        assert "shared_mac" in {link.key for link in device.links}
        for language in ("en", "fr"):
            assert OTHERS in "\n".join(explain(Assessed(device, found), known, language))


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(camera(nonce="2"), id="the-same-with-another-nonce"),
        pytest.param((("http.server", "AcmeWeb/1"),), id="less"),
        pytest.param((), id="nothing"),
    ],
)
def test_one_device_with_two_addresses_stays_one(other):
    (device,) = correlate(behind(OTHERS, (CAMERA, *camera()), (PAYROLL, *other)).rows)
    assert set(device.ips) == {CAMERA, PAYROLL}


def test_a_title_that_names_the_address_it_is_at_is_the_same_title():
    hosts = [(ip, *server(f"Camera at {ip}")) for ip in (CAMERA, PAYROLL)]
    assert len(correlate(behind(OTHERS, *hosts).rows)) == 1


def test_what_changes_from_run_to_run_contradicts_nobody():
    writer = behind(OTHERS, (CAMERA, *camera()))
    writer.arp(PAYROLL, OTHERS, hours=30, run="r2")
    writer.http(PAYROLL, "AcmeWeb/2", hours=30, run="r2")
    assert len(correlate(writer.rows)) == 1


# ---------------------------------------------------------------- one factory address


def voice(writer, number, frame=None, **more):
    seen = [("onvif.endpoint", f"urn:uuid:5f5a69c2-e0ae-504f-829b-00afab5b9a{number:02x}")]
    if frame is not None:
        seen.append(("link.source", f"00:aa:00:00:00:{frame:02x}"))
    return writer.row("onvif", "192.168.1.64", None, *seen, transport="udp", port=3702, **more)


def test_cameras_that_all_have_their_factory_address_are_as_many_as_they_are():
    writer = Writer()
    for turn in range(3):
        for number in range(5):
            voice(writer, number, number, hours=turn / 100)
    devices = correlate(writer.rows)
    assert len(devices) == 5
    assert len({device.id for device in devices}) == 5


@pytest.mark.parametrize("frames", [(1, 1), (None, None), (1, None)])
def test_without_two_frames_two_identifiers_at_one_address_may_be_one_camera(frames):
    writer = Writer()
    for number, frame in enumerate(frames):
        voice(writer, number, frame, hours=number)
    assert len(correlate(writer.rows)) == 1


def test_a_camera_that_is_heard_through_another_repeater_is_the_same():
    assert len(correlate(voice(voice(Writer(), 1, 1), 1, 2, hours=30, run="r2").rows)) == 1


def test_the_maker_of_a_shared_address_clears_no_machine_behind_it(known):
    """A bridge of a harmless maker before something that says nothing of itself."""
    writer = behind(OTHERS, (CAMERA, *camera()), (PAYROLL, *server("Pay")))
    (found,) = (identify(d, known) for d in correlate(writer.rows) if PAYROLL in d.ips)
    assert found.maker.value is None
    assert [(c.code, c.other) for c in found.contradictions] == [("shared_mac", "Initech")]


# ---------------------------------------------------------------- one serial number


def told(count):
    writer = Writer()
    for number in range(count):
        mac = f"00:aa:00:00:01:{number:02x}"
        writer.row("sadp", f"10.0.0.{number}", mac, ("device.serial", "AC20190910000000"))
    return writer


def test_three_cameras_with_one_default_serial_are_three():
    assert len(correlate(told(3).rows)) == 3


def test_a_recorder_with_two_interfaces_is_one():
    (device,) = correlate(told(2).rows)
    assert len(device.macs) == 2


def test_a_serial_whose_board_was_replaced_now_and_then_is_still_one_device():
    writer = Writer()
    for number in range(3):
        mac = f"00:aa:00:00:01:{number:02x}"
        seen = ("device.serial", "AC20190910123456")
        writer.row("sadp", "10.0.0.1", mac, seen, hours=number * 700.0, run=f"r{number}")
    assert len(correlate(writer.rows)) == 1
