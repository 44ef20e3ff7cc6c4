"""Reply heads as small servers really send them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.errors import DataError
from auditor.wire.head import is_whole, read_message


def test_order_and_case_of_the_fields_are_kept():
    reply = read_message(b"HTTP/1.1 200 OK\r\nCONNECTION: close\r\nEtag: x\r\nDate:  now \r\n\r\n")
    assert reply.headers == (("CONNECTION", "close"), ("Etag", "x"), ("Date", "now"))
    assert (reply.protocol, reply.version, reply.status, reply.start) == ("HTTP", "1.1", 200, "OK")
    assert reply.first("etag") == "x"
    assert reply.first("missing") is None


@pytest.mark.parametrize(
    ("raw", "status", "server"),
    [
        pytest.param(
            b"\r\n\r\nHTTP/1.0 200 OK\r\nServer: a\r\n\r\n", 200, "a", id="blank lines first"
        ),
        pytest.param(b"HTTP/1.0 200 OK\nServer: a\n\n", 200, "a", id="line feeds alone"),
        pytest.param(b"HTTP/1.1 401\r\nServer: a\r\n\r\n", 401, "a", id="no reason"),
        pytest.param(b"HTTP/1.1 401Unauthorized\r\nServer: a\r\n\r\n", 401, "a", id="no blank"),
        pytest.param(b"RTSP/1.0 200 OK\r\nServer: a", 200, "a", id="ends within the head"),
        pytest.param(b"HTTP/1.1 200 OK\r\nServer: a\r\n\tb\r\n\r\n", 200, "a b", id="folded"),
        pytest.param(b"HTTP/1.1 200 OK\r\nServer: \xe9\x00\r\n\r\n", 200, "\\xe9\\x00", id="bytes"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nno colon\r\nServer: a\r\n\r\n", 200, "a", id="stray line"
        ),
    ],
)
def test_what_devices_do_wrong_is_read_all_the_same(raw, status, server):
    reply = read_message(raw)
    assert (reply.status, reply.first("server")) == (status, server)


@pytest.mark.parametrize("raw", [b"", b"SSH-2.0-x\r\n", b"<html>", b"HTTP/x 200", b"\xff" * 40])
def test_another_protocol_is_said_to_be_one(raw):
    with pytest.raises(DataError, match="does not begin with a status line"):
        read_message(raw)


def test_the_wrong_one_of_the_family_is_refused_when_one_is_wanted():
    with pytest.raises(DataError, match="the reply is HTTP and not RTSP"):
        read_message(b"HTTP/1.1 400 Bad Request\r\n\r\n", "RTSP")


def test_a_request_has_no_status_and_its_verb_at_the_start():
    notice = read_message(b"NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\n\r\n")
    assert (notice.status, notice.start, notice.first("nts")) == (0, "NOTIFY", "ssdp:alive")


@pytest.mark.parametrize(
    ("raw", "whole"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbodyandmore", True),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nbody", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -4\r\n\r\nbody", False),
        (b"HTTP/1.1 200 OK\r\n\r\nbody", False),
        (b"HTTP/1.1 200 OK\r\nContent-Le", False),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", True),
        (b"RTSP/1.0 401 Unauthorized\r\nCSeq: 1\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbo", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\nbo", False),
        (b"something else altogether\r\n\r\n", True),
    ],
)
def test_it_is_known_when_nothing_more_belongs_to_a_reply(raw, whole):
    assert is_whole(raw) is whole


@pytest.mark.parametrize("line_end", [b"\r\n", b"\n"])
def test_chunks_are_joined_and_their_extensions_dropped(line_end):
    chunks = line_end.join([b"3;a=b", b"abc", b"2", b"de", b"0", b"", b""])
    reply = read_message(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n" + chunks)
    assert (reply.body, reply.whole) == (b"abcde", True)


def test_no_more_fields_are_read_than_any_honest_server_sends():
    reply = read_message(b"HTTP/1.1 200 OK\r\n" + b"A: b\r\n" * 10_000 + b"\r\n")
    assert len(reply.headers) == 128


tokens = st.text("ABCDEFxyz-", min_size=1, max_size=12)
values = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30)


@given(fields=st.lists(st.tuples(tokens, values), max_size=20), body=st.binary(max_size=60))
def test_what_is_written_by_the_rules_is_read_back(fields, body):
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields).encode()
    length = b"Content-Length: %d\r\n" % len(body)
    reply = read_message(b"HTTP/1.1 200 OK\r\n" + lines + length + b"\r\n" + body)
    assert reply.headers[:-1] == tuple(fields)
    assert (reply.body, reply.whole) == (body, True)
