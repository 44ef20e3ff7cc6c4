"""A redirect to another host says nothing of who sent it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor import wiring
from auditor.identify.evidence import of_sightings
from auditor.model.device import Sighting
from auditor.model.observation import Endpoint, Observation, Origin

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
    ("field", "value", "maker"),
    [
        ("asset.description", "Dome camera DS-2CD2143G0-I, lobby", "Hikvision"),
        ("asset.description", "Hikvision DS-2CD2143G0-I, lobby", "Hikvision"),
        ("asset.description", "Axis camera, replaced Hikvision DS-2CD2143G0-I", None),
        ("asset.notes", "Axis; was DS-2CD2143G0-I until 2023", None),
        ("http.title", "iVMS-4200", "Hikvision"),
        ("http.title", "iVMS-4200 download mirror", None),
        ("http.title", "Dahua DSS comparison", None),
    ],
)
def test_prose_about_a_maker_does_not_name_the_device(known, field, value, maker):
    from auditor.identify.identify import of_observations

    assert of_observations([Observation(field, value)], known).maker.value == maker
