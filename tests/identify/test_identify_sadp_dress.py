"""A discovery reply is the same however its markup is dressed."""

import pytest

from auditor.identify.identify import of_observations
from auditor.model.observation import Observation
from auditor.wire import sadp

SAYS = (
    "<DeviceType>66049</DeviceType><DeviceDescription>DS-2CD2143G0-I</DeviceDescription>"
    "<DeviceSN>DS-2CD2143G0-I20190910AAWRD00000001</DeviceSN><MAC>02-00-5e-00-53-01</MAC>"
    "<IPv4Address>192.0.2.9</IPv4Address><SoftwareVersion>V5.5.82build 190910</SoftwareVersion>"
)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\r\n'
PLAIN = f"{HEAD}<ProbeMatch>{SAYS}</ProbeMatch>"
DRESSED = {
    "plain": PLAIN.encode(),
    "capitals": PLAIN.upper().encode(),
    "prefix": PLAIN.replace("</", "</ns:").replace("<ProbeMatch>", '<ns:ProbeMatch xmlns:ns="u">')
    .replace("<D", "<ns:D").replace("<MAC", "<ns:MAC").encode(),
    "name space": PLAIN.replace("<ProbeMatch>", '<ProbeMatch xmlns="urn:x">').encode(),
    "white space": PLAIN.replace("<ProbeMatch>", "<ProbeMatch >\n").encode(),
    "attributes": PLAIN.replace("<DeviceSN>", '<DeviceSN type="s">')
    .replace("<DeviceDescription>", '<DeviceDescription opt="1">').encode(),
    "UTF-16": PLAIN.encode("utf-16"),
    "UTF-16 without its mark": PLAIN.encode("utf-16-be"),
}  # fmt: skip


@pytest.mark.parametrize("raw", DRESSED.values(), ids=DRESSED.keys())
def test_a_reply_names_maker_and_model_in_any_dress(shipped, raw):
    (seen,) = sadp.seen(raw, "192.0.2.9")
    assert (seen.endpoint.ip, seen.endpoint.mac) == ("192.0.2.9", "02:00:5e:00:53:01")
    found = of_observations(seen.observations, shipped)
    assert (found.maker.value, found.model.value.upper()) == ("Hikvision", "DS-2CD2143G0-I")
    assert found.serial.value == "DS-2CD2143G0-I20190910AAWRD00000001"
    assert all(one.raw == raw for one in seen.observations)


def test_a_reply_that_tells_only_addresses_is_of_that_platform(shipped):
    raw = (
        b"<ProbeMatch><Uuid>A</Uuid><MAC>02-00-5e-00-53-01</MAC>"
        b"<IPv4Address>192.0.2.9</IPv4Address></ProbeMatch>"
    )
    (seen,) = sadp.seen(raw, "192.0.2.9")
    found = of_observations(seen.observations, shipped)
    assert (found.maker.value, str(found.maker.standing)) == ("Hikvision", "probable")


@pytest.mark.parametrize("written", ["<h:ProbeMatch><h:DeviceSN>X-1</h:DeviceSN></h:ProbeMatch>"])
def test_a_reply_that_an_older_ledger_keeps_as_it_was_written_is_read_too(shipped, written):
    assert of_observations([Observation("sadp.reply", written)], shipped).maker.value == "Hikvision"


def test_our_own_question_in_wide_letters_is_nobody():
    assert sadp.seen(sadp.inquiry(1).decode().encode("utf-16"), "192.0.2.9") == ()


def test_tags_are_undressed_in_linear_time():
    assert len(sadp.plain("<a:" * 20_000)) == 60_000
    assert sadp.plain("<a " * 20_000) == "<a " * 20_000
