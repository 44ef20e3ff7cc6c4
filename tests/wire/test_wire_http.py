"""What is asked of a web server, and where its own words may lead."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.wire import favicon
from auditor.wire.head import read_message
from auditor.wire.http import Origin, get, icon_reference, target_on, title, told_by
from tests.drive import capture

CAMERA = Origin("192.0.2.7", 8080)


def page(body, kind="text/html"):
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n\r\n".encode()
    return read_message(head + (body if isinstance(body, bytes) else body.encode()))


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        (Origin("192.0.2.7", 80), b"192.0.2.7"),
        (Origin("192.0.2.7", 443, tls=True), b"192.0.2.7"),
        (Origin("192.0.2.7", 443), b"192.0.2.7:443"),
        (Origin("fe80::1%eth0", 80), b"[fe80::1]"),
        (Origin("2001:db8::7", 8080), b"[2001:db8::7]:8080"),
    ],
)
def test_the_host_field_names_the_port_only_where_it_is_not_the_usual(origin, host):
    assert b"\r\nHost: %s\r\n" % host in get(origin)


@pytest.mark.parametrize(
    ("reference", "base", "target"),
    [
        ("/doc/page/login.asp?_17", "/", "/doc/page/login.asp?_17"),
        ("doc/index.html", "/", "/doc/index.html"),
        ("../x.ico", "/a/b/c.html", "/a/x.ico"),
        ("http://192.0.2.7:8080", "/", "/"),
        ("HTTP://192.0.2.7:8080/a#top", "/", "/a"),
        ("//192.0.2.7:8080/a", "/", "/a"),
        ("?page=login", "/index.asp", "/index.asp?page=login"),
        (" /a ", "/", "/a"),
    ],
)
def test_a_reference_on_the_same_server_is_a_target(reference, base, target):
    assert target_on(CAMERA, reference, base) == target


@pytest.mark.parametrize(
    "reference",
    [
        "http://192.0.2.7/", "https://192.0.2.7:8080/", "http://192.0.2.77:8080/",
        "http://u:p@192.0.2.7:8080/", "http://@192.0.2.7:8080/", "http://localhost:8080/",
        "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "gopher://192.0.2.7:8080/",
        "http://192.0.2.7:8080:9/", "http://[::1]:8080/", "http://192.0.2.7.:8080/",
        "http://3221225991:8080/", "/a\x7f", "/\u202e", "/" * 513,
    ],
)  # fmt: skip
def test_anything_else_is_none(reference):
    assert target_on(CAMERA, reference) is None


@given(st.text(max_size=80))
def test_no_reference_can_smuggle_a_line_or_a_blank_into_a_request(reference):
    target = target_on(CAMERA, reference)
    assert target is None or (target.startswith("/") and target.isascii() and target.isprintable())
    assert target is None or " " not in target


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        ("<TITLE>Network &amp; Camera</TITLE>", "text/html", "Network & Camera"),
        ("<title>\r\n  Web\t Viewer \n</title>", "text/html", "Web Viewer"),
        ('<title id="t">x', "text/html", "x"),
        ("<title></title>", "text/html", None),
        ("<title> </title>", "text/html", None),
        ("<subtitle>x</subtitle>", "text/html", None),
        ("<title>登录</title>".encode("gb18030"), "text/html; charset=GB2312", "登录"),
        ("<title>\xe9</title>".encode("cp1252"), "text/html; charset=iso-8859-1", "é"),
        (b"<title>\xe9</title>", "text/html; charset=zip", "\\xe9"),
        ("<title>a&#0;b</title>", "text/html", "a\ufffdb"),
        ("<title>" + "x" * 3000, "text/html", "x" * 512),
    ],
)
def test_the_title_is_one_line_of_text(body, kind, expected):
    assert title(page(body, kind)) == expected


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('<link rel="shortcut icon" href="/favicon.ico">', "/favicon.ico"),
        ("<LINK HREF='i.png' REL='icon'/>", "i.png"),
        ("<link rel=icon href=/a&amp;b>", "/a&b"),
        ('<link rel="stylesheet" href="a.css"><link rel=icon href=b>', "b"),
        ('<link rel="icon">', None),
        ('<link rel="apple-touch-icon" href="x">', None),
        ("<a rel=icon href=x>", None),
    ],
)
def test_the_icon_is_what_the_page_names_so(body, expected):
    assert icon_reference(page(body)) == expected


def test_each_header_line_is_told_by_itself_and_long_cookies_are_cut():
    head = (
        b"HTTP/1.1 401 x\r\nSet-Cookie: a=%s\r\nWWW-Authenticate: 1\r\nwww-authenticate: 2\r\n\r\n"
    )
    told = list(told_by(read_message(head % (b"b" * 900))))
    assert told == [("http.wwwauth", "1"), ("http.wwwauth", "2"), ("http.cookie", "a=" + "b" * 510)]


# published vectors of MurmurHash3 x86 32 bit
@pytest.mark.parametrize(
    ("data", "seed", "expected"),
    [
        (b"", 0, 0),
        (b"", 1, 0x514E28B7),
        (b"hello", 0, 0x248BFA47),
        (b"hello, world", 0, 0x149BBB7F),
        (b"The quick brown fox jumps over the lazy dog", 0, 0x2E4FF723),
        (b"\xff\xff\xff\xff", 0, 0x76293B50),
        (b"!Ce\x87", 0x5082EDEE, 0x2362F9DE),
        (b"!Ce", 0, 0x7E4A8634),
        (b"!C", 0, 0xA0F7B07A),
        (b"!", 0, 0x72661CF4),
    ],
)
def test_murmur3_gives_the_published_values(data, seed, expected):
    assert favicon.murmur3_32(data, seed) == expected


def test_an_icon_is_hashed_as_the_databases_do():
    icon = b"\x00\x00\x01\x00" + bytes(range(256))
    lines = base64.encodebytes(icon)
    assert b"\n" in lines[:-1], "Base64 with line breaks, as Shodan hashes it"
    signed = int(favicon.mmh3(icon))
    assert -(1 << 31) <= signed < 1 << 31
    assert signed % (1 << 32) == favicon.murmur3_32(lines)
    assert favicon.md5(icon) == hashlib.md5(icon).hexdigest()


@pytest.mark.parametrize(
    ("body", "icon"),
    [
        (b"\x89PNG\r\n", True), (b"GIF89a", True), (b"<svg xmlns=''>", True),
        (b"<!DOCTYPE html><html>", False), (b"Not found", False), (b"", False),
    ],
)  # fmt: skip
def test_a_page_is_no_icon(body, icon):
    assert favicon.is_icon(body) is icon


ICO = capture("icon.ico")
IMAGES = {
    "ico": ICO,
    "png": b"\x89PNG\r\n\x1a\n" + bytes(30) + b"\0\0\0\0IEND\xaeB`\x82",
    "gif": b"GIF89a" + bytes(20) + b";",
    "jpeg": b"\xff\xd8\xff" + bytes(20) + b"\xff\xd9",
    "svg": b"<svg><path d='M0 0'/></svg>\n",
    "bmp": b"BM" + (40).to_bytes(4, "little") + bytes(34),
    "webp": b"RIFF" + (12).to_bytes(4, "little") + b"WEBPVP8 \0\0\0\0",
}


@pytest.mark.parametrize("kind", IMAGES)
def test_an_image_shows_by_itself_whether_it_is_complete(kind):
    image = IMAGES[kind]
    assert favicon.is_icon(image)
    assert favicon.is_complete(image)
    for end in range(len(image) - 1):
        assert not favicon.is_complete(image[:end])


@pytest.mark.parametrize(
    "body", [b"", b"\0\0\1\0\0\0", b"\0\0\1\0\xff\xff" + bytes(60), b"BM", b"RIFF"]
)
def test_an_image_of_nothing_is_not_complete(body):
    assert not favicon.is_complete(body)
