"""Scans that masscan wrote as JSON: a record for every open port or banner; cut-off files too.

Source: masscan's out-json.c and out-ndjson.c. `-oJ` puts commas on lines of their own and, when
it was stopped, no closing bracket. Times are seconds since 1970, as text or number.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from auditor.errors import DataError
from auditor.importers.json_stream import json_objects
from auditor.importers.sighted import at_second, device_ip, record, shown
from auditor.model.observation import Endpoint
from auditor.plugins import Importer, Item, Options, Rejected, Sample
from auditor.wire.head import read_message
from auditor.wire.http import told_by
from auditor.wire.x509 import read_certificate

NAME = "masscan"
MOST_BANNER_CHARS = 16_384
MOST_PORTS = 65_536
_BANNERS = {
    "http.server": "http.server", "title": "http.title", "ssh": "ssh.banner", "ftp": "ftp.banner",
    "telnet": "telnet.banner", "smtp": "smtp.banner",
}  # fmt: skip


def recognise(sample: Sample) -> int:
    """Tell by the first record: an address with a time and ports."""
    start = sample.head.lstrip(b"\xef\xbb\xbf \t\r\n[,")[:2_048]
    if not start.startswith(b"{"):
        return 0
    first = start.split(b"\n", 1)[0] if b"}" in start.split(b"\n", 1)[0] else start
    if not all(key in first for key in (b'"ip"', b'"timestamp"')):
        return 0
    classic, lines = b'"ports"' in first, b'"rec_type"' in first
    return 98 if lines or (classic and b'"proto"' in first) else 0


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Give one record for every port or banner."""
    found = False
    for item in json_objects(file):
        if isinstance(item, Rejected):
            yield item
            continue
        line, said = item
        if "finished" in said and "ip" not in said:
            continue  # older versions end so
        ip = device_ip(said["ip"]) if isinstance(said.get("ip"), str) else None
        if ip is None:
            yield Rejected(line, "names no address of a device", shown(str(said)[:400]))
            continue
        found = True
        yield from _ports(said, ip, line, options)
    if not found:
        raise DataError(
            f"{options.name or 'the file'} holds no record of masscan",
            why="it was stopped before its first, or is something else",
            hint="give a file of `masscan -oJ` or `-oD`",
        )


def _ports(said: Mapping[str, Any], ip: str, line: int, options: Options) -> Iterator[Item]:
    moment = at_second(said.get("timestamp", ""))
    ports = said.get("ports")
    several = ports[:MOST_PORTS] if isinstance(ports, list) else [said]
    for port in several:
        number = port.get("port") if isinstance(port, dict) else None
        if not isinstance(number, int) or not 0 <= number < 1 << 16:
            yield Rejected(line, "names no port", shown(str(port)[:400]))
            continue
        seen = list(_seen(port))
        if not seen:
            yield Rejected(line, "tells neither of an open port nor what it says", ip)
            continue
        yield record(NAME, options, line, Endpoint(ip, None, number, "file"), seen, moment)


def _seen(port: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    data = port.get("data") if isinstance(port.get("data"), dict) else port
    status = data.get("status") if isinstance(data, dict) else None
    if status in {"open", "closed"}:
        yield "device.port_state", str(status)
    service = port.get("service") if isinstance(port.get("service"), dict) else None
    if service:
        name, banner = service.get("name"), service.get("banner")
    elif isinstance(data, dict):
        name, banner = data.get("service_name"), data.get("banner")
    else:
        name, banner = None, None
    if isinstance(name, str) and isinstance(banner, str):
        yield from _banner(name.lower(), banner[:MOST_BANNER_CHARS])


def _banner(name: str, banner: str) -> Iterator[tuple[str, str]]:
    if name in _BANNERS:
        yield _BANNERS[name], banner
    elif name == "http":
        yield "http.response", banner
        try:
            reply = read_message(banner.encode("utf-8", "backslashreplace"), "HTTP")
        except DataError:
            return
        yield from told_by(reply)
    elif name == "x509":
        try:
            names = read_certificate(b64decode(banner, validate=False))
        except (binascii.Error, ValueError, DataError):
            return
        yield from (("tls.subject", names.subject), ("tls.issuer", names.issuer),
                    ("tls.sha256", names.sha256))  # fmt: skip


IMPORTER = Importer(
    name=NAME, recognise=recognise, read=read, source="masscan: out-json.c, out-ndjson.c"
)
