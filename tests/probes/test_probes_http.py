"""The HTTP probe against replies as devices send them."""

import hashlib

import pytest

from auditor.model.observation import Outcome
from auditor.plugins import Heard, Probe, load
from auditor.probes.http import speak
from tests.drive import capture, peer, play

ICON = capture("icon.ico")
ICON_REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(ICON), ICON)


def asked(played):
    return [say.data.split(b"\r\n")[0].decode() for say in played.said]


def test_the_request_is_plain_and_says_who_asks():
    (say, *_) = play(speak(peer(ip="192.0.2.7", port=8080))).said
    assert say.data == (
        b"GET / HTTP/1.1\r\nHost: 192.0.2.7:8080\r\n"
        b"User-Agent: Mozilla/5.0 (compatible; equipment-inventory)\r\nAccept: */*\r\n"
        b"Accept-Encoding: identity\r\nConnection: close\r\n\r\n"
    )


def test_a_redirect_on_the_same_server_is_followed_once_and_then_the_icon_is_asked_for():
    replies = [
        capture("http_app_webs_redirect.http"),
        capture("http_app_webs_login.http"),
        ICON_REPLY,
    ]
    played = play(speak(peer()), replies)
    assert asked(played) == [
        "GET / HTTP/1.1",
        "GET /doc/page/login.asp?_1709543722 HTTP/1.1",
        "GET /favicon.ico HTTP/1.1",
    ]
    assert played.values("http.server") == ["App-webs/", "App-webs/"]
    assert played.value["http.location"] == "/doc/page/login.asp?_1709543722"
    assert played.value["http.title"] == "Login"
    assert played.value["http.favicon_md5"] == hashlib.md5(ICON).hexdigest()
    assert len(played.values("http.response")) == 2
    assert all(say.fresh for say in played.said)


def test_a_second_redirect_is_recorded_and_not_followed():
    onward = b"HTTP/1.1 302 Found\r\nLocation: /again?%d\r\nContent-Length: 0\r\n\r\n"
    played = play(speak(peer()), [onward % 1, onward % 2, b""])
    assert asked(played) == ["GET / HTTP/1.1", "GET /again?1 HTTP/1.1", "GET /favicon.ico HTTP/1.1"]
    assert played.values("http.location") == ["/again?1", "/again?2"]


@pytest.mark.parametrize(
    "location",
    [
        "http://192.0.2.8/",
        "http://camera.example/",
        "https://192.0.2.7/",
        "http://192.0.2.7:8080/",
        "http://admin:12345@192.0.2.7/",
        "//169.254.169.254/latest/meta-data",
        "file:///etc/passwd",
        "ftp://192.0.2.7/",
        "http://[::1",
        "http://192.0.2.7:99999/",
        "/a b",
        "/" + "x" * 600,
        "/\u00e9",
        "",
    ],
)
def test_a_redirect_to_anywhere_else_is_recorded_and_not_followed(location):
    reply = f"HTTP/1.1 302 Found\r\nLocation: {location}\r\n\r\n".encode()
    played = play(speak(peer()), [reply])
    assert asked(played) == ["GET / HTTP/1.1", "GET /favicon.ico HTTP/1.1"]
    assert played.values("http.location") == [location]


def test_every_challenge_is_its_own_observation():
    played = play(speak(peer()), [capture("http_dnvrs_401.http")])
    assert played.values("http.wwwauth") == [
        'Digest qop="auth", realm="DVRNVRDVS", nonce="4e6a4931"',
        'Basic realm="DVRNVRDVS"',
    ]


def test_the_whole_reply_is_kept_as_text_and_as_bytes():
    raw = capture("http_capitals.http")
    played = play(speak(peer()), [raw])
    (response,) = [seen for seen in played.observations if seen.field == "http.response"]
    assert response.raw == raw
    assert response.value == raw.decode()
    assert played.value["http.title"] == "WEB SERVICE"


def test_a_chunked_page_is_put_together():
    played = play(speak(peer()), [capture("http_chunked.http")])
    assert played.value["http.title"] == "Salle é"
    assert played.value["http.cookie"] == "SESSION=1f; path=/"


def test_an_icon_without_an_announced_length_has_a_hash_when_it_is_complete():
    reply = b"HTTP/1.0 200 OK\r\n\r\n" + ICON
    played = play(speak(peer()), [capture("http_webserver_new.http"), reply])
    assert played.value["http.favicon_md5"] == hashlib.md5(ICON).hexdigest()
    cut = play(speak(peer()), [capture("http_webserver_new.http"), reply[:-1]])
    assert "http.favicon_md5" not in cut.value


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 404 Not Found\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 15\r\n\r\n<html>Login</html>",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n" + ICON,
        b"no HTTP at all",
        b"",
    ],
    ids=["missing", "login-page-instead", "cut-short", "garbage", "nothing"],
)
def test_what_is_no_whole_icon_has_no_hash(reply):
    played = play(speak(peer()), [capture("http_webserver_new.http"), reply])
    assert asked(played)[-1] == "GET /favicon.ico HTTP/1.1"
    assert played.outcome is Outcome.ANSWERED
    assert not [seen for seen in played.observations if "favicon" in seen.field]


def test_an_icon_elsewhere_is_not_fetched():
    page = b"HTTP/1.1 200 OK\r\n\r\n<link rel=icon href=http://cdn.example/i.ico>"
    assert asked(play(speak(peer()), [page])) == ["GET / HTTP/1.1"]


def test_another_protocol_is_garbled_and_its_bytes_are_kept():
    played = play(speak(peer(port=8000)), [b"SSH-2.0-dropbear\r\n"])
    assert played.outcome is Outcome.GARBLED
    assert played.value["http.response"] == "SSH-2.0-dropbear\r\n"


def test_silence_gives_nothing():
    played = play(speak(peer()), [])
    assert (played.observations, played.outcome) == ([], Outcome.SILENT)
    assert len(played.said) == 1


def test_an_unfit_certificate_still_has_a_fingerprint():
    heard = Heard(b"", Outcome.ANSWERED, certificate=b"\x30\x03\x02\x01\x05")
    played = play(speak(peer(port=443, tls=True)), [heard])
    assert played.value == {"tls.sha256": hashlib.sha256(b"\x30\x03\x02\x01\x05").hexdigest()}


def test_the_certificate_is_told_once_however_many_pages_are_asked():
    heard = [
        Heard(capture(name), Outcome.ANSWERED, b"\x30\x00")
        for name in ("http_app_webs_redirect.http", "http_app_webs_login.http")
    ]
    played = play(speak(peer(443, tls=True)), heard)
    assert len(played.values("tls.sha256")) == 1


def test_both_are_found_by_the_loader():
    names = {probe.name: probe for probe in load("auditor.probes", "PROBE", Probe)}
    assert not names["http"].tls
    assert names["https"].tls
