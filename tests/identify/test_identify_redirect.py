"""A redirect to another host says nothing of who sent it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor import wiring
from auditor.identify.evidence import of_sightings
from auditor.model.device import Sighting
from auditor.model.observation import Endpoint, Observation, Origin

OK, LEADS = "HTTP/1.1 200 OK\r\n", '<script>location.href = "/doc/page/login.asp?_" + 1</script>'
SPACE = '<DeviceInfo xmlns="http://www.hikvision.com/ver20/XMLSchema">'
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def known():
    assert Path(wiring.DATA).is_dir()
    return wiring.knowledge()


@pytest.mark.parametrize(
    ("location", "counts"),
    [
        ("/doc/page/login.asp", True),
        ("http://10.0.0.9/doc/page/login.asp", True),
        ("http://10.0.0.9:8080/doc/page/login.asp", True),
        ("http://10.99.99.99/doc/page/login.asp", False),
        ("//10.99.99.99/doc/page/login.asp", False),
        ("HTTPS://camera.example/doc/page/login.asp", False),
    ],
)
def test_only_a_redirect_that_stays_is_evidence(known, location, counts):
    seen = Sighting(
        Observation("http.location", location), "http", Endpoint("10.0.0.9"), NOON, Origin.WIRE
    )
    assert bool(of_sightings([seen], known)) is counts


@pytest.mark.parametrize(
    ("named", "counts"),
    [
        ("lobby.example", True),
        ("LOBBY.example.", True),
        ("lobby", False),  # whose that is depends on who asks
        ("other.example", False),
        ("evil.lobby.example", False),
    ],
)
def test_a_redirect_to_the_name_that_the_device_calls_itself_by_stays(known, named, counts):
    endpoint, name = Endpoint("10.0.0.9"), Observation("dhcp.hostname", "Lobby.example")
    seen = Observation("http.location", f"http://{named}/doc/page/login.asp")
    both = [Sighting(one, "http", endpoint, NOON, Origin.WIRE) for one in (name, seen)]
    assert bool(of_sightings(both, known)) is counts


@pytest.mark.parametrize(
    ("field", "value", "maker"),
    [
        ("asset.description", "Dome camera DS-2CD2143G0-I, lobby", "Hikvision"),
        ("asset.description", "Hikvision DS-2CD2143G0-I, lobby", "Hikvision"),
        ("asset.description", "Axis camera, replaced Hikvision DS-2CD2143G0-I", None),
        ("asset.notes", "Axis; was DS-2CD2143G0-I until 2023", None),
        ("http.title", "iVMS-4200", "Hikvision"),
        ("http.title", "iVMS-4200 download mirror", None),
        ("http.title", "Dahua DSS comparison", None),
        ("mdns.instance", "HIKVISION DS-2CD2143G0-I - C00000001", None),
        ("snmp.sysdescr", "HIKVISION DS-2CD2143G0-I", "Hikvision"),
        ("snmp.sysdescr", "Linux switch, uplink to HIKVISION DS-2CD2143G0-I", None),
        ("ssdp.description", "<manufacturer>Dahua Tech Fans Club</manufacturer>", None),
        ("ssdp.description", "<manufacturer>Zhejiang Dahua Technology</manufacturer>", "Dahua"),
        ("http.response", f"{OK}Server: Apache\r\n\r\n{LEADS}", None),
        ("http.response", f"{OK}Server: webserver\r\n\r\n{LEADS}", "Hikvision"),
        ("http.response", f"{OK}X-Frame-Options: x\r\n\r\n{LEADS}", "Hikvision"),
        ("http.response", f"{OK}\r\n<html><pre>{SPACE}</pre>", None),
        ("http.response", f"{OK}\r\n{SPACE}", "Hikvision"),
    ],
)
def test_prose_about_a_maker_does_not_name_the_device(known, field, value, maker):
    from auditor.identify.identify import of_observations

    assert of_observations([Observation(field, value)], known).maker.value == maker
