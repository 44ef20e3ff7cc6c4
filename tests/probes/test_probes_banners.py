"""Servers that speak first: we listen, keep what they say, and say nothing."""

import pytest

from auditor.model.observation import Observation, Outcome
from auditor.plugins import Heard
from auditor.probes import ftp, sdk, ssh, telnet, tls
from tests.drive import capture, heard_by_bytes, peer, play

LISTENERS = [sdk, ssh, telnet, ftp]
each = pytest.mark.parametrize("probe", LISTENERS, ids=lambda module: module.PROBE.name)


@each
def test_a_listener_sends_nothing(probe):
    (say,) = play(probe.speak(peer())).said
    assert say.data == b""
    assert probe.PROBE.listens, "the scheduler sends nothing else to a port that greets"


@each
def test_a_server_that_waits_for_us_to_speak_tells_nothing(probe):
    played = play(probe.speak(peer()), [b""])
    assert (played.observations, played.outcome) == ([], Outcome.SILENT)


@pytest.mark.parametrize(
    ("probe", "name", "field", "value"),
    [
        (sdk, "sdk_greeting.bin", "sdk.greeting", "000000100000001e0000001e00000000"),
        (ssh, "ssh_banner.txt", "ssh.banner", "SSH-2.0-dropbear_2019.78"),
        (telnet, "telnet_banner.bin", "telnet.banner", "192.0.0.64 login:"),
        (ftp, "ftp_banner.txt", "ftp.banner", "AXIS P1346 Network Camera 5.50beta3 (2014) ready."),
        (
            ftp,
            "ftp_banner_lines.txt",
            "ftp.banner",
            "Welcome\r\nto the archive\r\nPure-FTPd ready.",
        ),
    ],
)
def test_a_greeting_is_kept_in_the_form_that_fingerprint_databases_compare(
    probe, name, field, value
):
    for reply in ((lambda _say: capture(name)), (lambda say: heard_by_bytes(capture(name), say))):
        played = play(probe.speak(peer()), reply)
        assert played.value == {field: value}
        assert played.outcome is Outcome.ANSWERED
        assert capture(name).startswith(played.observations[0].raw)


def test_we_stop_listening_as_soon_as_the_greeting_is_whole():
    (say,) = play(ssh.speak(peer())).said
    assert not say.done(b"SSH-2.0-drop")
    assert say.done(b"hello\r\nSSH-2.0-dropbear\r\n")
    (say,) = play(ftp.speak(peer())).said
    assert not say.done(b"220-Welcome\r\n")
    assert say.done(b"220-Welcome\r\n220 ready\r\n")
    (say,) = play(telnet.speak(peer())).said
    assert not say.done(b"\xff\xfd\x01BusyBox\r\n")
    assert say.done(b"BusyBox\r\ncam login: ")


def test_lines_before_the_identification_are_not_it():
    played = play(ssh.speak(peer()), [b"Authorised use only\r\nSSH-2.0-OpenSSH_9.2\r\n"])
    assert played.value["ssh.banner"] == "SSH-2.0-OpenSSH_9.2"


@pytest.mark.parametrize("probe", [ssh, ftp])
def test_another_protocol_is_kept_and_called_so(probe):
    played = play(probe.speak(peer()), [b"HTTP/1.0 400 Bad Request\r\n\r\n"])
    assert played.outcome is Outcome.GARBLED
    assert "HTTP/1.0 400" in played.observations[0].value


def test_digits_in_a_greeting_are_no_reply_code():
    assert ftp.greeting(b"220-Hello\r\n192.0.2.7 is logged\r\n220 ok\r\n") == (
        b"Hello\r\n192.0.2.7 is logged\r\nok"
    )


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        (b"\xff\xfd\x01\xff\xfb\x03login:", b"login:"),
        (b"a\xff\xffb", b"ab"),
        (b"\xff\xfa\x18\x01\xff\xf0x", b"x"),
        (b"x\xff\xfa\x18\x01", b"x"),
        (b"x\xff\xfd", b"x"),
        (b"x\xff", b"x"),
        (b"\r\n x \r\n", b"x"),
        (b"\xff\xfd\x01", b""),
    ],
)
def test_commands_are_no_text(raw, shown):
    assert telnet.shown(raw) == shown


def test_a_server_that_only_negotiates_shows_nothing():
    assert play(telnet.speak(peer()), [b"\xff\xfd\x01"]).observations == []


def test_the_version_of_tls_is_told_when_it_is_known():
    heard = Heard(b"", Outcome.SILENT, b"\x30\x00", "TLSv1")
    assert play(tls.speak(peer(443, tls=True)), [heard]).value["tls.version"] == "TLSv1"


def test_what_is_known_of_others_is_no_reason_to_keep_silent():
    known = (Observation("http.server", "x"),)
    assert len(play(tls.speak(peer(443, tls=True, known=known))).said) == 1
