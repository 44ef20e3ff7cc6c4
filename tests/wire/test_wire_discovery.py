"""Discovery replies: tolerant of what devices do wrong, deaf to questions and forgeries."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.wire import dhip, sadp, ssdp, wsdiscovery
from auditor.wire.addresses import stated_ip
from auditor.wire.tags import leaves, read_tags
from tests.drive import capture

SENDER = "192.0.2.64"


def told(seen):
    return {one.field: one.value for one in seen.observations}


# ---------------------------------------------------------------- markup


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"<a>x</a>", "x"),
        (b"<ns:a k='v'>x</ns:a>", "x"),
        (b"<A>\n x y \n</A>", "x y"),
        (b"<a>x", "x"),
        (b"<a>R&D &amp; &#233;", "R&D & é"),
        (b"<a><![CDATA[x < y & z]]></a>", "x < y & z"),
        (b"<a><!-- <b>no</b> -->x</a>", "x"),
        (b"<!-- <a>no</a> --><a>x</a>", "x"),
        (b"<a>\xff\x00</a>", "\\xff\\x00"),
        (b"<a/><a>x</a>", "x"),
        (b"<a>x</a><a>y</a>", "x"),
    ],
)
def test_markup_is_read_as_far_as_it_makes_sense(raw, value):
    assert leaves(raw).get("a", "") == value


def test_an_entity_of_their_own_is_never_expanded():
    bomb = b'<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><l>&b;</l>'
    assert leaves(bomb)["l"] == "&b;"


def test_a_file_reference_stays_text():
    assert leaves(b'<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><l>&x;</l>')["l"] == "&x;"


@given(st.binary(max_size=2_000))
def test_any_bytes_have_tags_or_none(raw):
    for tag in read_tags(raw):
        assert tag.name
        assert "\x00" not in tag.text


# ---------------------------------------------------------------- SADP


def test_a_match_keeps_all_three_places_where_a_model_may_stand():
    match = sadp.read_reply(capture("sadp_camera.xml"))
    assert match.fields["devicedescription"] == "DS-2CD2143G0-I"
    assert match.fields["devicetype"] == "135180"
    assert match.fields["devicesn"].startswith("DS-2CD2143G0-I2019")
    assert match.fields["softwareversion"] == "V5.5.82build 190910"


def test_a_relabel_names_its_brand():
    assert sadp.read_reply(capture("sadp_relabel_malformed.xml")).fields["oeminfo"] == "TruVision"


@pytest.mark.parametrize(
    "mac",
    ["00-00-00-00-00-00", "ff:ff:ff:ff:ff:ff", "01-00-5e-00-00-01", "c4-2f-90", "", "x" * 999],
)
def test_an_address_of_nobody_is_not_taken_for_the_device(mac):
    reply = f"<ProbeMatch><MAC>{mac}</MAC><IPv4Address>0.0.0.0</IPv4Address></ProbeMatch>".encode()
    (seen,) = sadp.seen(reply, SENDER)
    assert (seen.endpoint.ip, seen.endpoint.mac) == (SENDER, None)
    assert set(told(seen)) == {"sadp.reply"}


@pytest.mark.parametrize("kind", ["update", "setverifycode", "reset", "GetBindList"])
def test_the_question_never_carries_a_type_that_changes_a_device(kind):
    assert kind.encode() not in sadp.inquiry(1)
    assert sadp.inquiry(1).count(b"<Types>inquiry</Types>") == 1


# ---------------------------------------------------------------- DHIP


def test_the_dhip_question_is_byte_for_byte_what_devices_expect():
    question = b'{"method":"DHDiscover.search","params":{"mac":"","uni":1}}'
    assert (
        dhip.search()
        == (
            b"\x20\x00\x00\x00DHIP" + bytes(8) + b"\x3a\0\0\0" + bytes(4) + b"\x3a\0\0\0" + bytes(4)
        )
        + question
    )


def test_a_camera_tells_its_addresses_and_the_whole_reply_is_kept():
    (seen,) = dhip.seen(capture("dhip_camera.bin"), "192.0.2.108")
    assert (seen.endpoint.ip, seen.endpoint.mac) == ("192.0.2.108", "6c:1c:71:00:00:01")
    said = told(seen)
    assert json.loads(said["dhip.reply"])["method"] == "client.notifyDevInfo"
    assert "Entrée nord" in said["dhip.reply"]
    assert said["device.channels_analogue"] == "1"
    assert "dhip.sender" not in said


@pytest.mark.parametrize("stated", ["8.8.8.8", "127.0.0.1", "::1"])
def test_an_address_that_a_device_cannot_have_is_not_its_own(stated):
    assert stated_ip(stated, "10.0.0.7") == "10.0.0.7"
    assert stated_ip("192.168.1.64", "10.0.0.7") == "192.168.1.64"
    assert stated_ip(stated, stated) == stated


def test_a_relabel_on_its_factory_address_is_recorded_there_and_the_sender_kept():
    (seen,) = dhip.seen(capture("dhip_relabel.bin"), "192.0.2.70")
    assert seen.endpoint.ip == "192.168.1.108"
    assert told(seen)["dhip.sender"] == "192.0.2.70"


def test_an_old_device_answers_in_lines():
    (seen,) = dhip.seen(capture("dhip_old.bin"), "192.0.2.109")
    assert seen.endpoint.mac == "90:02:a9:00:00:03"
    assert told(seen)["dhip.reply"].startswith("Name:Dahua\r\nDevice:IPC-HDB3200\r\n")


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"{}", b"[]", b'{"method":1}', b'{"method":"client.other"}', b"DHIP" * 9,
        b'{"method":"client.notifyDevInfo"', b"\xb3", b'{"method":' + b"[" * 99_999,
    ],
    ids=lambda raw: repr(raw[:30]),
)  # fmt: skip
def test_anything_else_is_no_notice(raw):
    assert dhip.seen(raw, SENDER) == ()


def test_a_length_that_looks_like_a_brace_is_not_taken_for_one():
    body = {"method": "client.notifyDevInfo", "mac": "", "pad": ""}
    body["pad"] = "x" * (0x7B - len(dhip.message(body)) + 32)
    raw = dhip.message(body)
    assert b"{" in raw[:32]
    assert dhip.seen(raw, SENDER)


def test_a_reply_without_a_header_or_with_its_letters_reversed_is_read():
    raw = capture("dhip_camera.bin")
    assert dhip.read_notice(raw[32:]) == dhip.read_notice(raw)
    assert dhip.read_notice(raw.replace(b"DHIP", b"PIHD", 1)) == dhip.read_notice(raw)


def test_an_old_header_before_json_is_read_as_json():
    raw = b"\xb3" + bytes(31) + capture("dhip_camera.bin")[32:]
    (seen,) = dhip.seen(raw, SENDER)
    assert seen.endpoint.mac == "6c:1c:71:00:00:01"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(mac=json_values, params=json_values, device=json_values, count=json_values)
def test_a_notice_of_any_shape_is_read(mac, params, device, count):
    inside = {"IPv4Address": device, "VideoInputChannels": count}
    for body in (
        {"params": params},
        {"params": {"deviceInfo": device}},
        {"params": {"deviceInfo": inside}},
    ):
        (seen,) = dhip.seen(
            dhip.message({"method": "client.notifyDevInfo", "mac": mac, **body}), SENDER
        )
        assert seen.endpoint.ip


# ---------------------------------------------------------------- WS-Discovery and SSDP


def test_a_hello_is_a_match_too():
    hello = (
        capture("wsd_matches.xml").replace(b"ProbeMatch>", b"Hello>").replace(b"ProbeMatches", b"X")
    )
    (match,) = wsdiscovery.read_matches(hello)
    assert match.mac == "c4:2f:90:00:00:01"


def test_each_match_of_a_datagram_is_its_own():
    one = b"<d:ProbeMatch><a:Address>urn:uuid:%d</a:Address><d:Scopes>s%d</d:Scopes></d:ProbeMatch>"
    matches = wsdiscovery.read_matches(b"<B>" + one % (1, 1) + one % (2, 2) + b"</B>")
    assert [(m.endpoint, m.scopes) for m in matches] == [("urn:uuid:1", "s1"), ("urn:uuid:2", "s2")]


def test_one_who_answers_for_several_is_none_of_them():
    one = b"<ProbeMatch><XAddrs>%s</XAddrs></ProbeMatch>"
    places = [b"http://192.0.2.11/onvif", b"http://[2001:db8::5]:8080/x", b"http://cam.example/x"]
    seen = wsdiscovery.seen(b"".join(one % place for place in places), SENDER)
    assert [each.endpoint.ip for each in seen] == ["192.0.2.11", "2001:db8::5", SENDER]


def test_a_single_device_stands_where_it_spoke_from_whatever_it_says():
    reply = b"<ProbeMatch><XAddrs>http://203.0.113.9/onvif</XAddrs></ProbeMatch>"
    (seen,) = wsdiscovery.seen(reply, SENDER)
    assert seen.endpoint.ip == SENDER
    assert told(seen)["onvif.xaddrs"] == "http://203.0.113.9/onvif"


@pytest.mark.parametrize(
    "written", ["c4:2f:90:00:00:01", "C4-2F-90-00-00-01", "c4%3a2f%3a90%3a00%3a00%3a01"]
)
def test_a_scope_states_the_hardware_address_in_any_spelling(written):
    assert (
        wsdiscovery.Match(scopes=f"onvif://www.onvif.org/MAC/{written}").mac == "c4:2f:90:00:00:01"
    )


def test_a_match_without_an_end_is_kept():
    raw = capture("wsd_matches.xml")
    (match,) = wsdiscovery.read_matches(raw[: raw.index(b"</d:XAddrs>")])
    assert match.xaddrs.startswith("http://192.0.2.64")


def test_no_more_matches_are_read_than_a_segment_answers_at_once():
    assert len(wsdiscovery.read_matches(b"<ProbeMatch><Types>x</Types></ProbeMatch>" * 500)) == 32


def test_an_answer_and_an_announcement_tell_the_same_of_a_upnp_device():
    (answer,) = ssdp.seen(capture("ssdp_reply.txt"), "192.0.2.90")
    (notice,) = ssdp.seen(capture("ssdp_notify.txt"), "192.0.2.90")
    assert told(answer)["ssdp.st"] == "upnp:rootdevice"
    assert told(notice)["ssdp.st"] == "urn:schemas-upnp-org:device:Basic:1"
    assert told(answer)["ssdp.location"] == told(notice)["ssdp.location"]
    assert told(answer)["ssdp.server"].startswith("Linux/4.9.94-axis5, UPnP/1.0")
    assert told(answer)["ssdp.usn"].startswith("uuid:Upnp-BasicDevice")


@pytest.mark.parametrize(
    "raw",
    [
        b"M-SEARCH * HTTP/1.1\r\nST: x\r\n\r\n",
        b"HTTP/1.1 404 x\r\nST: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
)
def test_questions_refusals_and_empty_answers_tell_of_nobody(raw):
    assert ssdp.seen(raw, SENDER) == ()
