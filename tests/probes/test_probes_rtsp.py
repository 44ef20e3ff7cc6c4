"""The RTSP and TLS probes."""

from auditor.model.observation import Observation, Outcome
from auditor.plugins import Heard
from auditor.probes import rtsp, tls
from tests.drive import capture, peer, play

REALM = 'Digest realm="IP Camera(C1214)", nonce="8b7f1e0c", stale="FALSE"'


def test_options_and_describe_without_credentials():
    replies = [capture("rtsp_options_camera.rtsp"), capture("rtsp_describe_401.rtsp")]
    played = play(rtsp.speak(peer(554)), replies)
    assert [say.data for say in played.said] == [
        (
            b"OPTIONS rtsp://192.0.2.7:554/ RTSP/1.0\r\nCSeq: 1\r\n"
            b"User-Agent: Mozilla/5.0 (compatible; equipment-inventory)\r\n\r\n"
        ),
        (
            b"DESCRIBE rtsp://192.0.2.7:554/ RTSP/1.0\r\nCSeq: 2\r\n"
            b"User-Agent: Mozilla/5.0 (compatible; equipment-inventory)\r\n"
            b"Accept: application/sdp\r\n\r\n"
        ),
    ]
    assert not played.said[1].fresh
    assert played.values("rtsp.wwwauth") == [REALM, 'Basic realm="IP Camera(C1214)"']
    assert played.value["rtsp.public"].startswith("OPTIONS, DESCRIBE, PLAY")
    assert played.values("rtsp.response") == [reply.decode() for reply in replies]


def test_a_server_that_closes_after_one_answer_is_asked_on_a_second_connection():
    server = capture("rtsp_options_server.rtsp")
    played = play(rtsp.speak(peer(554)), [server, b"", server])
    assert [say.fresh for say in played.said] == [False, False, True]
    assert played.values("rtsp.server") == ["Dahua Rtsp Server", "Dahua Rtsp Server"]


def test_a_silent_server_is_asked_once():
    assert len(play(rtsp.speak(peer(554))).said) == 1


def test_a_web_server_on_the_port_is_told_by_its_head_too():
    played = play(rtsp.speak(peer(554)), [b"HTTP/1.0 400 Bad Request\r\nServer: Boa\r\n\r\n"])
    assert played.outcome is Outcome.GARBLED
    assert played.value["rtsp.response"].startswith("HTTP/1.0 400")
    assert "rtsp.server" not in played.value


def test_an_ipv6_address_stands_in_brackets():
    (say,) = play(rtsp.speak(peer(554, ip="fe80::1%eth0"))).said
    assert say.data.startswith(b"OPTIONS rtsp://[fe80::1]:554/ RTSP/1.0\r\n")


def test_the_certificate_is_not_fetched_twice():
    known = (Observation("tls.sha256", "00"),)
    assert play(tls.speak(peer(443, tls=True, known=known))).said == []


def test_a_handshake_without_a_word_is_enough_for_the_certificate():
    played = play(tls.speak(peer(443, tls=True)), [Heard(b"", Outcome.ANSWERED, b"\x30\x00")])
    assert played.said[0].data == b""
    assert "tls.sha256" in played.value
