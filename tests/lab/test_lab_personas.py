"""Every device of the shipped department says on the wire what its truth says."""

import socket
import ssl
import struct
import time

import pytest

from auditor.lab.links import NEAR, Links
from auditor.lab.talk import choose, render
from auditor.lab.truth import Talk
from auditor.model.address import Mac
from auditor.wire import dhip, sadp, wsdiscovery

pytestmark = pytest.mark.network

GET = b"GET / HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n\r\n"


def ask(lab, ip, port, words, wait=2.0, tls=None, enough=None):
    """Say `words`; give all that comes until the peer closes, stays idle or has said `enough`,
    and its certificate."""
    with lab.inside(), socket.create_connection((ip, port), 2) as plain:
        with tls.wrap_socket(plain) if tls else plain as own:
            own.sendall(words)
            got, piece = b"", b"?"
            while piece and not (enough and enough in got):
                own.settimeout(wait if got else 2)
                try:
                    piece = own.recv(65_536)
                except TimeoutError:
                    break
                got += piece
            return got, own.getpeercert(binary_form=True) if tls else b""


def any_tls():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.TLSv1
    return context


@pytest.fixture(autouse=True)
def hearing(department):
    """Let sockets hear foreign subnets, which most machines withhold: the devices are the point here."""
    knobs = "/proc/sys/net/ipv4/conf/*/rp_filter"
    department.run(["sh", "-c", f"for knob in {knobs}; do echo 0 > $knob; done"], check=True)


def shout(lab, segment, group, port, question, wait=1.5):
    """Ask a group once and listen, on the well-known port as well as on our own."""
    interface = struct.pack("=4s4si", socket.inet_aton(group), bytes(4), lab_index(lab, segment))
    answers = []
    with (
        lab.inside(),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as known,
    ):
        known.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        known.bind(("", port))
        known.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, interface)
        own.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, interface)
        own.sendto(question, (group, port))
        until = time.monotonic() + wait
        while time.monotonic() < until:
            for heard in (own, known):
                heard.settimeout(0.02)
                try:
                    data, sender = heard.recvfrom(65_536)
                    answers += [(data, sender)] if data != question else []  # our own echo
                except TimeoutError:
                    continue
    return answers


def lab_index(lab, segment):
    return 2 + list(lab.interfaces).index(segment)


def talks(lab, kind):
    for device in lab.truth.devices:
        for service in lab.truth.services(device):
            plain = isinstance(service, Talk) and (service.kind, service.manner) == (kind, "plain")
            if plain and device.seen == "ip":
                yield device, service


def test_every_web_server_answers_as_written(department):
    lab, tls, asked = department, any_tls(), 0
    for device, service in talks(lab, "http"):
        if device.fragile or "hostile-lies" in device.persona or "hik-webs" in device.persona:
            continue  # asked gently below; ends by time-out
        got, _ = ask(lab, device.ip, service.port, GET, 0.3, tls if service.tls else None)
        route = choose(service.routes, "GET", "/")
        expected = render(route, lab.truth.words(device)) if route else b"404"
        assert got == expected if route else expected in got, device.name
        asked += 1
    assert asked > 50


def test_every_rtsp_server_names_its_realm_without_credentials(department):
    for device, service in talks(department, "rtsp"):
        if device.fragile:
            continue
        words = f"DESCRIBE rtsp://{device.ip}/ RTSP/1.0\r\nCSeq: 7\r\n\r\n".encode()
        got, _ = ask(department, device.ip, service.port, words, enough=b"\r\n\r\n")
        assert got.startswith(b"RTSP/1.0 401"), device.name
        assert b"\r\nCSeq: 7\r\n" in got
        assert b"\r\nWWW-Authenticate: " in got


def test_certificates_bear_the_names_of_the_truth_and_old_tls_is_spoken(department):
    x509 = pytest.importorskip("cryptography.x509")
    for device, service in talks(department, "http"):
        if service.tls:
            _, der = ask(department, device.ip, service.port, GET, 0.3, any_tls())
            wanted = x509.Name.from_rfc4514_string(
                department.truth.certificates[service.tls].subject
            )
            assert x509.load_der_x509_certificate(der).subject == wanted
    modern = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    modern.check_hostname, modern.verify_mode = False, ssl.CERT_NONE
    with pytest.raises((ssl.SSLError, ConnectionResetError)):
        ask(department, department.truth.device("archive-nvr").ip, 443, GET, 2, modern)


@pytest.mark.parametrize("segment", ["offices", "video"])
def test_one_sadp_question_is_answered_by_all_that_speak_it(department, segment):
    heard = shout(department, segment, sadp.GROUP, sadp.PORT, sadp.inquiry(4711))
    told = {reply.ip: reply for data, _ in heard if (reply := sadp.read_reply(data)) and reply.ip}
    speakers = [
        d
        for d in department.truth.devices
        if d.segment == segment and d.serial and any(name.startswith("sadp") for name in d.persona)
    ]
    assert {device.ip for device in speakers} == set(told)
    for device in speakers:
        fields = told[device.ip].fields
        assert told[device.ip].mac == device.mac
        assert fields["devicesn"] == device.serial
        assert device.model in (
            fields.get("devicedescription"),
            fields.get("devicetype"),
            fields["devicesn"][: len(device.model)],
        )


def test_cameras_on_a_foreign_subnet_are_heard_although_no_route_leads_there(department):
    factory = [device for device in department.truth.devices if device.seen == "group"]
    for device in factory:
        with pytest.raises(OSError):
            ask(department, device.ip, 80, GET, 0.3)
    heard = shout(department, "video", wsdiscovery.GROUP, wsdiscovery.PORT, wsdiscovery.probe(5))
    assert "192.168.1.64" in {sender[0] for _, sender in heard}


def test_onvif_devices_and_others_answer_a_probe(department):
    heard = shout(department, "video", wsdiscovery.GROUP, wsdiscovery.PORT, wsdiscovery.probe(6))
    scopes = {
        sender[0]: match.scopes
        for data, sender in heard
        for match in wsdiscovery.read_matches(data)
    }
    assert "HIKVISION%20DS-2CD2143G0-I" in scopes["10.20.2.11"]
    assert "extension/unique_identifier" in scopes["10.20.2.31"]
    assert "name/AXIS" in scopes["10.20.2.41"]
    office = shout(department, "offices", wsdiscovery.GROUP, wsdiscovery.PORT, wsdiscovery.probe(7))
    assert all(b"pub:Computer" in data for data, _ in office)


def test_dhip_answers_with_header_and_brand(department):
    question = dhip.search() if hasattr(dhip, "search") else b"DHDiscover.search"
    heard = {
        sender[0]: data
        for data, sender in shout(department, "video", "239.255.255.251", 37810, question)
    }
    relabel = heard["10.20.2.34"]
    assert relabel[4:8] == b"DHIP"
    assert int.from_bytes(relabel[16:20], "little") == len(relabel) - 32
    assert b'"Vendor":"Intelbras"' in relabel
    assert b'"mac":"b4:4c:3b:1a:00:34"' in relabel


def test_a_range_gives_one_mac_for_many_addresses(department, who_has):
    for ip in ("10.20.2.130", "10.20.2.158"):
        assert who_has(department, "eth1", ip) == {"00:00:0c:1a:00:01"}
    assert who_has(department, "eth1", "10.20.2.160") == set()
    assert who_has(department, "eth0", "10.20.1.200") == {"00:01:42:1a:00:02"}
    with department.inside(), Links() as links:
        links.neighbour("10.20.1.200", Mac.parse("00:01:42:1a:00:02"), NEAR)
    assert b"nginx" in ask(department, "10.20.1.200", 80, GET, 1)[0]


def test_old_ports_greet_first(department):
    assert ask(department, "10.20.2.11", 8000, b"", 0.3)[0] == bytes.fromhex(
        "000000100000001e0000001e00000000"
    )
    assert ask(department, "10.20.2.45", 23, b"", 0.3)[0].startswith(b"Welcome to AutoDome 800 HD")
    assert ask(department, "10.20.2.41", 21, b"", 0.3)[0].startswith(
        b"220 AXIS P3245-V Network Camera"
    )
    assert ask(department, "10.20.1.6", 22, b"", 0.3)[0].startswith(b"SSH-2.0-OpenSSH")
