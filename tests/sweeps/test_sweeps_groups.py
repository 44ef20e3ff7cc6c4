"""One datagram a segment: what is asked, and what the answers tell."""

import uuid

import pytest

from auditor.sweeps import arp, onvif, sadp
from tests.drive import capture

ID = 0x0123456789ABCDEF0123456789ABCDEF


def values(found):
    return {seen.field: seen.value for seen in found.observations}


def test_the_sadp_question_is_the_harmless_inquiry_byte_for_byte():
    assert sadp.SWEEP.request(ID) == (
        b'<?xml version="1.0" encoding="utf-8"?><Probe>'
        b"<Uuid>01234567-89AB-4DEF-8123-456789ABCDEF</Uuid><Types>inquiry</Types></Probe>"
    )


def test_a_camera_answers_with_its_own_addresses_and_the_reply_is_kept():
    (found,) = sadp.SWEEP.read(capture("sadp_camera.xml"), "192.0.2.64")
    assert (found.endpoint.ip, found.endpoint.mac) == ("192.0.2.64", "c4:2f:90:00:00:01")
    told = values(found)
    assert told["sadp.reply"] == capture("sadp_camera.xml").decode()
    assert told["mac"] == "c4:2f:90:00:00:01"
    assert told["device.channels_digital"] == "1"
    assert "sadp.sender" not in told


def test_a_reply_that_is_no_xml_still_tells_of_the_device_at_the_address_inside():
    (found,) = sadp.SWEEP.read(capture("sadp_relabel_malformed.xml"), "192.0.2.70")
    assert (found.endpoint.ip, found.endpoint.mac) == ("192.168.1.64", "44:19:b6:00:00:02")
    told = values(found)
    assert told["sadp.sender"] == "192.0.2.70"
    assert told["device.channels_digital"] == "16"
    assert "device.channels_analogue" not in told


@pytest.mark.parametrize("sweep", [sadp.SWEEP, onvif.SWEEP], ids=lambda sweep: sweep.name)
def test_our_own_echo_tells_of_nobody(sweep):
    assert sweep.read(sweep.request(ID), "192.0.2.1") == ()


def test_the_onvif_question_carries_a_fresh_message_id_and_asks_for_transmitters():
    asked = onvif.SWEEP.request(ID)
    assert b"<a:MessageID>uuid:01234567-89ab-4def-8123-456789abcdef</a:MessageID>" in asked
    assert b"<d:Types>dn:NetworkVideoTransmitter</d:Types>" in asked
    assert uuid.UUID("01234567-89ab-4def-8123-456789abcdef").version == 4


def test_an_onvif_device_tells_its_scopes_types_and_addresses():
    (found,) = onvif.SWEEP.read(capture("wsd_matches.xml"), "192.0.2.64")
    told = values(found)
    assert found.endpoint.mac == told["mac"] == "c4:2f:90:00:00:01"
    assert "onvif://www.onvif.org/hardware/DS-2CD2143G0-I" in told["onvif.scopes"].split(" ")
    assert told["onvif.types"] == "dn:NetworkVideoTransmitter tds:Device"
    assert told["onvif.xaddrs"].startswith("http://192.0.2.64/onvif/device_service http://[fe80::")
    assert told["onvif.endpoint"] == "urn:uuid:5e1f7a3c-0b9d-4c58-9a77-c42f90000001"


def test_a_computer_that_answers_is_recorded_with_the_types_that_tell_so():
    (found,) = onvif.SWEEP.read(capture("wsd_windows.xml"), "192.0.2.9")
    assert values(found)["onvif.types"] == "wsdp:Device pub:Computer"


ARP_REPLY = bytes.fromhex(
    "020000000001c42f900000018100 0014 08060001080006040002c42f90000001c0000240020000000001c0000201"
)


def test_an_arp_reply_in_a_vlan_names_who_holds_the_address():
    (found,) = arp.SWEEP.read(ARP_REPLY, "")
    assert found.endpoint.ip == "192.0.2.64"
    assert found.endpoint.mac == "c4:2f:90:00:00:01"
    assert (found.endpoint.vlan, found.endpoint.transport) == (20, "arp")


def test_an_arp_question_answers_nothing():
    assert arp.SWEEP.read(ARP_REPLY.replace(b"\x04\x00\x02", b"\x04\x00\x01"), "") == ()
