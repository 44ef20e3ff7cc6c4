"""A body that a server packed although nobody asked for that."""

import gzip
import zlib

import pytest

from auditor.wire.head import read_message
from auditor.wire.http import MOST_UNPACKED_BYTES, readable, told_by, unpacked

PAGE = b"<html><title>Front desk</title></html>"


def reply(body, how, more=""):
    length = "" if "chunked" in more else f"Content-Length: {len(body)}\r\n"
    head = f"HTTP/1.1 200 OK\r\nServer: x\r\nContent-Encoding: {how}\r\n{more}{length}\r\n"
    return head.encode() + body


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(reply(gzip.compress(PAGE), "gzip"), id="gzip"),
        pytest.param(reply(gzip.compress(PAGE), "X-GZIP"), id="x-gzip"),
        pytest.param(reply(zlib.compress(PAGE), "deflate"), id="deflate"),
        pytest.param(
            reply(
                b"%x\r\n%s\r\n0\r\n\r\n" % (len(gzip.compress(PAGE)), gzip.compress(PAGE)),
                "gzip",
                "Transfer-Encoding: chunked\r\n",
            ),
            id="in-chunks",
        ),
    ],
)
def test_a_packed_page_is_read(raw):
    assert ("http.title", "Front desk") in list(told_by(unpacked(read_message(raw))))
    assert readable(raw).endswith(b"\r\n\r\n" + PAGE)
    assert readable(raw).startswith(b"HTTP/1.1 200 OK\r\nServer: x\r\n")


def test_a_page_that_was_cut_is_read_as_far_as_it_came():
    packed = gzip.compress(PAGE + bytes(range(256)) * 64)
    assert b"Front desk" in readable(reply(packed, "gzip")[:-40])


def test_a_bomb_is_cut():
    bomb = gzip.compress(bytes(50_000_000), 9)
    assert len(unpacked(read_message(reply(bomb, "gzip"))).body) == MOST_UNPACKED_BYTES


@pytest.mark.parametrize("raw", [reply(b"no such thing", "gzip"), reply(PAGE, "br"), b"SSH-2.0-x"])
def test_what_cannot_be_unpacked_stays_as_it_came(raw):
    assert readable(raw) == raw
