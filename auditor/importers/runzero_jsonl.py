"""Assets that runZero exported as JSON: an object a line, or one array of them.

Source: runZero, asset export (JSON, JSONL); the columns of its CSV are in data/headings.toml. Times
are seconds since 1970. What runZero concludes (type, hardware) is its own opinion and is kept as
the words of a list; what a service answered is kept as that.
"""

from collections.abc import Iterator, Mapping
from io import SEEK_SET
from typing import Any, BinaryIO

import ijson

from auditor.errors import DataError
from auditor.importers.json_stream import json_objects
from auditor.importers.sighted import at_second, device_ip, device_mac, record, shown
from auditor.model.observation import Endpoint
from auditor.plugins import Importer, Item, Options, Rejected, Sample

NAME = "runzero_jsonl"
MOST_ADDRESSES = 64
MOST_SERVICES = 256
MOST_ASSET_BYTES = 16 << 20
_MARKS = (b'"macs"', b'"newest_mac"', b'"addresses_extra"', b'"service_count"', b'"last_agent_id"',
          b'"mac_vendors"', b'"organization_id"', b'"lowest_ttl"', b'"detected_by"')  # fmt: skip
_ANSWERS = {
    "http.head.server": "http.server", "html.title": "http.title", "banner": "",
    "http.head.wwwAuthenticate": "http.wwwauth", "snmp.sysDesc": "snmp.sysdescr",
    "tls.subject": "tls.subject", "tls.issuer": "tls.issuer",
}  # fmt: skip
_BANNERS = {"ssh": "ssh.banner", "telnet": "telnet.banner", "ftp": "ftp.banner", "smtp": "smtp.banner"}  # fmt: skip


def recognise(sample: Sample) -> int:
    """Tell by the names in the first objects."""
    head = sample.head.lstrip(b"\xef\xbb\xbf \r\n\t")
    if head[:1] not in {b"{", b"["}:
        return 0
    marks = sum(1 for mark in _MARKS if mark in head)
    return 96 if marks >= 3 and b'"addresses"' in head else 0


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Give one record for each asset."""
    found = False
    for item in _assets(file):
        if isinstance(item, Rejected):
            yield item
            continue
        place, asset = item
        taken = _asset(place, asset, options)
        found = True
        yield taken
    if not found:
        raise DataError(
            f"{options.name or 'the file'} holds no asset of runZero",
            hint="give an export of assets as JSON or JSONL",
        )


def _assets(file: BinaryIO) -> Iterator[tuple[int, Mapping[str, Any]] | Rejected]:
    """Give the assets with their line, or with their number where they stand in an array."""
    start = file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t")
    file.seek(0, SEEK_SET)
    if not start.startswith(b"["):
        yield from json_objects(file)
        return
    number = 0
    if file.read(3) != b"\xef\xbb\xbf":
        file.seek(0, SEEK_SET)
    bounded = _Bounded(file)
    try:
        for number, asset in enumerate(ijson.items(bounded, "item", use_float=True), 1):
            bounded.left = MOST_ASSET_BYTES
            if isinstance(asset, dict):
                yield number, asset
            else:
                yield Rejected(number, "is no asset", shown(str(asset)[:400]))
    except (ijson.JSONError, UnicodeDecodeError, RecursionError, ValueError) as error:
        yield Rejected(number + 1, f"the file is damaged from here on: {str(error)[:100]}")


class _Bounded:
    """A file that refuses to be read on where one asset is larger than any is."""

    def __init__(self, file: BinaryIO) -> None:
        self.left = MOST_ASSET_BYTES
        self._file = file

    def read(self, size: int = -1) -> bytes:
        """Read on."""
        block = self._file.read(size)
        self.left -= len(block)
        if self.left < 0:
            raise ValueError("an asset is too large")
        return block


def _asset(place: int, asset: Mapping[str, Any], options: Options) -> Item:
    ips = _every(asset, ("addresses", "addresses_extra"), device_ip)
    macs = _every(asset, ("newest_mac", "macs"), device_mac)
    names = _texts(asset, "names")
    if not (ips or macs or names):
        return Rejected(place, "names neither an address nor a host")
    seen: list[tuple[str, str | None]] = [("device.hostname", name) for name in names]
    seen += [("device.ip", ip) for ip in ips[1:]] + [("mac", mac) for mac in macs[1:]]
    seen += [("asset.model", _text(asset, "hw")), ("asset.category", _text(asset, "type")),
             ("asset.tag", _text(asset, "asset_tag"))]  # fmt: skip
    seen += _answers(asset.get("services"))
    end = Endpoint(ips[0] if ips else None, macs[0] if macs else None, 0, "file")
    return record(NAME, options, place, end, seen, at_second(asset.get("last_seen", "")))


def _answers(services: object) -> list[tuple[str, str | None]]:
    """Give what services answered: `{"10.0.0.1/80/tcp/": {"protocol": "http", …}}`."""
    found: list[tuple[str, str | None]] = []
    each = list(services.values())[:MOST_SERVICES] if isinstance(services, dict) else []
    for service in each:
        said = service if isinstance(service, dict) else {}
        protocol = _text(said, "protocol") or ""
        for name, field in _ANSWERS.items():
            field = field or _BANNERS.get(protocol.split("\t", 1)[0], "")  # noqa: PLW2901
            if field:
                found.append((field, _text(said, name)))
    return found


def _every(asset: Mapping[str, Any], names: tuple[str, ...], read: Any) -> list[str]:
    found = [read(text) for name in names for text in _texts(asset, name)]
    return list(dict.fromkeys(each for each in found if each))[:MOST_ADDRESSES]


def _texts(asset: Mapping[str, Any], name: str) -> list[str]:
    said = asset.get(name)
    several = said if isinstance(said, list) else str(said).split() if said else []
    return [text for text in several if isinstance(text, str)][:MOST_ADDRESSES]


def _text(said: Mapping[str, Any], name: str) -> str | None:
    found = said.get(name)
    return found if isinstance(found, str) else None


IMPORTER = Importer(
    name=NAME, recognise=recognise, read=read, source="runZero: asset export (JSON, JSONL)"
)
