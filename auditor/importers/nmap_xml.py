"""Scans that nmap wrote as XML: hosts, ports and what scripts read there; cut-off files too.

Source: nmap.dtd. What `--resume` appends is a further root and is read on; `hosthint` says again
what `host` says. The product that nmap names is its opinion and is kept as such.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from auditor.errors import DataError
from auditor.importers.sighted import at_second, device_ip, device_mac, record, tidy
from auditor.importers.xml_stream import Broken, Node, elements
from auditor.model.observation import Endpoint
from auditor.plugins import Importer, Item, Noted, Options, Rejected, Sample

NAME = "nmap_xml"
MOST_PORTS = 4_096  # of one host
_SAID = {  # script -> field, where its output is what the device sent
    "http-server-header": "http.server", "snmp-sysdescr": "snmp.sysdescr", "rtsp-methods": "rtsp.public",
}  # fmt: skip
_BANNERS = {"ssh": "ssh.banner", "telnet": "telnet.banner", "ftp": "ftp.banner", "smtp": "smtp.banner"}  # fmt: skip
_HEADERS = {
    "server": "http.server", "www-authenticate": "http.wwwauth", "location": "http.location",
    "set-cookie": "http.cookie",
}  # fmt: skip
_NAME_PARTS = {
    "commonName": "CN", "organizationName": "O", "organizationalUnitName": "OU", "countryName": "C",
    "stateOrProvinceName": "ST", "localityName": "L", "emailAddress": "emailAddress",
    "serialNumber": "serialNumber",
}  # fmt: skip
_ESCAPED = re.compile(r"\\x([0-9a-fA-F]{2})")
_NO_TITLE = ("Site doesn't have a title", "Did not follow redirect")
_MD5 = re.compile(r"\b[0-9a-fA-F]{32}\b")


def recognise(sample: Sample) -> int:
    """Tell by the root."""
    head = sample.head[:8_192]
    return (
        100 if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<") and b"<nmaprun" in head else 0
    )


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Give one record for each host and one for each of its open ports."""
    hosts, broken = 0, None
    for element in elements(file, {"host", "hosthint"}, "nmaprun"):
        if isinstance(element, Broken):
            broken = element
            rest = element.rest
            whole = list(_host(rest, options)) if rest and rest.name == "host" else []
            taken = [item for item in whole if not isinstance(item, Rejected)]
            yield from taken
            kind = Noted if taken else Rejected
            hosts += bool(taken)
            yield kind(element.line, f"the file is no XML from here on: {element.why}")
        elif element.name == "host":
            hosts += 1
            yield from _host(element, options)
    if broken and not hosts:
        raise DataError(
            f"{options.name or 'the scan'} is damaged before its first host",
            why=broken.why,
            hint="give the whole file that nmap wrote with -oX",
        )


def _host(host: Node, options: Options) -> Iterator[Item]:
    addresses = {a.attributes.get("addrtype", ""): a.attributes for a in host.every("address")}
    said = addresses.get("ipv4") or addresses.get("ipv6") or {}
    ip = device_ip(said.get("addr", ""))
    mac = device_mac(addresses.get("mac", {}).get("addr", ""))
    status = host.first("status")
    state = status.attributes.get("state", "") if status else ""
    if state == "down" or (ip is None and mac is None):
        why = "was down" if state == "down" else "names no address of a device"
        yield Rejected(host.line, why, tidy(said.get("addr", "")[:64]))
        return
    moment = at_second(host.attributes.get("endtime") or host.attributes.get("starttime", ""))
    names = [
        ("device.hostname", n.attributes.get("name")) for n in host.every("hostnames", "hostname")
    ]
    scripts = [
        pair for script in host.every("hostscript", "script") for pair in _script(script, "")
    ]
    yield record(NAME, options, host.line, Endpoint(ip, mac, 0, "file"), [*names, *scripts], moment)
    for number, port in enumerate(host.every("ports", "port")):
        if number >= MOST_PORTS:
            yield Noted(port.line, f"only the first {MOST_PORTS} ports of a host are taken")
            return
        seen = list(_port(port))
        place = port.attributes.get("portid", "")
        if seen and place.isascii() and place.isdigit() and int(place) < 1 << 16:
            end = Endpoint(ip, mac, int(place), "file")
            yield record(NAME, options, port.line, end, seen, moment)


def _port(port: Node) -> Iterator[tuple[str, str]]:
    state = port.first("state")
    if state is None or state.attributes.get("state") != "open":
        return
    yield "device.port_state", "open"
    service = port.first("service")
    named = service.attributes if service else {}
    product = " ".join(filter(None, (named.get(n) for n in ("product", "version", "extrainfo"))))
    if product:
        yield "nmap.product", product
    for cpe in service.every("cpe") if service else ():
        yield "nmap.cpe", cpe.text
    if named.get("devicetype"):
        yield "nmap.devicetype", named["devicetype"]
    for script in port.every("script"):
        yield from _script(script, named.get("name", ""))


def _script(script: Node, service: str) -> Iterator[tuple[str, str]]:
    name = script.attributes.get("id", "")
    output = _ESCAPED.sub(lambda e: chr(int(e[1], 16)), script.attributes.get("output", "")).strip()
    first = output.split("\n", 1)[0].strip()
    if name in _SAID:
        yield _SAID[name], first
    elif name == "banner" and service in _BANNERS:
        yield _BANNERS[service], output
    elif name == "http-title":
        yield from _title(script, first)
    elif name in {"http-headers", "http-auth"}:
        yield from _headers(output)
    elif name == "http-favicon" and (hashed := _MD5.search(output)):
        yield "http.favicon_md5", hashed[0].lower()
    elif name == "ssl-cert":
        yield from _certificate(script)


def _title(script: Node, first: str) -> Iterator[tuple[str, str]]:
    told = {e.attributes.get("key", ""): e.text for e in script.every("elem")}
    if told.get("title") or not first.startswith(_NO_TITLE):
        yield "http.title", told.get("title") or first
    if told.get("redirect_url"):
        yield "http.location", told["redirect_url"]


def _headers(output: str) -> Iterator[tuple[str, str]]:
    for line in output.split("\n")[:128]:
        name, colon, value = line.strip().partition(":")
        field = _HEADERS.get(name.strip().lower())
        if field and colon:
            yield field, value.strip()
        elif line.strip().lower().startswith(("basic realm", "digest ")):
            yield "http.wwwauth", line.strip()


def _certificate(script: Node) -> Iterator[tuple[str, str]]:
    for table in script.every("table"):
        key = table.attributes.get("key", "")
        if key in {"subject", "issuer"}:
            parts = [
                f"{_NAME_PARTS.get(kind, kind)}={elem.text}"
                for elem in table.every("elem")
                if (kind := elem.attributes.get("key", "")) and elem.text
            ]
            yield f"tls.{key}", ",".join(parts)


IMPORTER = Importer(name=NAME, recognise=recognise, read=read, source="nmap.dtd")
