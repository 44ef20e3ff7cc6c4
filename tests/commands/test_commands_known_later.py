"""What is loaded beside the first questions tells the same as what is loaded before them."""

import threading

import pytest

from auditor import wiring
from auditor.commands import known_later
from auditor.commands.known_later import EnoughLater
from auditor.identify.enough import Enough
from auditor.model.observation import Observation

REPLY = (
    "<ProbeMatch><DeviceDescription>DS-2CD2042WD-I</DeviceDescription>"
    "<DeviceSN>DS-2CD2042WD-I20160101AAWR000000001</DeviceSN></ProbeMatch>"
)
SEEN = (
    (),
    (Observation("http.server", "Acme-Webs/1.0"),),
    (Observation("mac", "44:19:b6:00:00:01"), Observation("sadp.reply", REPLY)),
    (Observation("device.model", "DS-2CD2042WD-I"), Observation("http.server", "App-webs/")),
)


@pytest.fixture(scope="module")
def sooner():
    return Enough(wiring.knowledge())


@pytest.mark.parametrize("seen", SEEN)
def test_it_tells_the_same_as_what_is_loaded_at_once(seen, sooner):
    assert EnoughLater()(seen) == sooner(seen)


def test_whoever_asks_does_not_wait_for_its_hour(monkeypatch):
    monkeypatch.setattr(known_later, "LATER_S", 1e6)
    told = []
    asking = threading.Thread(target=lambda: told.append(EnoughLater()(())), daemon=True)
    asking.start()
    asking.join(60)
    assert told == [False]


def test_a_registry_that_cannot_be_read_is_said_to_whoever_asks(monkeypatch, tmp_path):
    from auditor.errors import DataError

    monkeypatch.setattr(wiring, "oui_data", lambda: tmp_path)
    with pytest.raises(DataError):
        EnoughLater()(())
