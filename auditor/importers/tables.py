"""Tables that switches, routers and computers print: who has which address, who is at which port.

Sources: the templates of the ntc-templates project (TextFSM), and data/tables for what it has
none for. Several commands may stand in one paste, parted by prompts or by headings; for
each part the template that reads most of its lines is taken.

The templates' expressions run in RE2, in time linear in the line: some of theirs would take
Python's own longer than a life on one line of letters (decision 0025).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files
from io import StringIO
from itertools import chain, islice
from typing import Any

import textfsm

from auditor.importers.linear import Linear, error
from auditor.importers.sighted import device_ip, device_mac

LOOK_LINES = 120
MOST_COLUMNS_CHARS = 400  # no table is wider; a longer line is not shown to a template
ARP, MACS = "arp", "mac"
MAC = re.compile(
    r"(?<![\w:.\-])(?:[0-9a-fA-F]{1,2}(?:[:-][0-9a-fA-F]{1,2}){5}|[0-9a-fA-F]{4}(?:[.:-][0-9a-fA-F]{4}){2}"
    r"|[0-9a-fA-F]{6}-[0-9a-fA-F]{6}|[0-9a-fA-F]{12})(?![\w:\-]|\.\w)"
)
# a DHCP client identifier in fours; 01 and six octets are a hardware address (RFC 2132, 9.14)
_CLIENT_ID = re.compile(
    r"(?<![\w.])01([0-9a-f]{2})\.([0-9a-f]{2})([0-9a-f]{2})\.([0-9a-f]{2})([0-9a-f]{2})\.([0-9a-f]{2})(?![\w.])",
    re.IGNORECASE,
)
_NO_MAC = re.compile(r"incomplete|failed|unresolved|(?:[0-9a-f]{4}\.){3}[0-9a-f]", re.IGNORECASE)
IP = re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])")
_COMMAND = (
    r"/?(?:sh(?:o|ow)?|dis(?:p|play)?|get|diag\w*|do|ip|arp|cat|print|oam|interface)\b.{0,200}"
)
_PROMPT = re.compile(
    rf"\s*(?:[A-Za-z]:\\[^>]{{0,200}}>|->|[<\[(*]?(?:[\w.\-]{{1,64}}@)?(?P<host>\w[\w.\-]{{0,63}})\)?"
    rf"(?:\([\w\-]{{1,40}}\))?(?::[^\s#>$%]{{0,100}})?\]?\s?[>#\]$%])\s{{0,3}}(?P<command>{_COMMAND})"
)
_BARE = re.compile(r"(?:show|display)\s.{0,200}", re.IGNORECASE)
_PORT = re.compile(r"[A-Za-z][A-Za-z\-]*\d{1,4}(?:[/:.]\d{1,4}){0,3}|\d{1,3}(?:/\d{1,3}){1,3}")
_HEADING = re.compile(
    r"\b(?:mac|hardware|hwaddress|physical|physique)\b|^Interface ?: \d", re.IGNORECASE
)
_ABOUT = re.compile(r"arp|mac-addr|macaddr|mac_addr|_mac_all|mac-learning|lanmac|ethernet-switching")  # fmt: skip
_OTHER = re.compile(
    r"switching_interfaces|lldp|bgp|ospf|cdp|neighbor|mac-ping|macsec|security|ont_display|mach"
)
_COMMAND_OF = re.compile(r".*_(?=show|display|arp|ip|get|print)")  # what stands before it in a name
_OF_PORTS = re.compile("mac|ethernet-switching")
_NAMES: Mapping[str, tuple[str, ...]] = {
    "mac": ("MAC_ADDRESS", "MAC", "HARDWARE_ADDRESS", "DESTINATION_ADDRESS"),
    "ip": ("IP_ADDRESS", "ADDRESS", "HOST", "DESTINATION"),
    "vlan": ("VLAN_ID", "VLAN", "VID", "EXTERNAL_VLAN", "VLAN_NAME"),
    "port": ("DESTINATION_PORT", "PORTS", "PORT", "INTERFACE", "FSP"),
    "type": ("TYPE", "STATE", "STATUS"),
    "name": ("HOST_NAME", "REV_DNS"),
    "interface": ("INTERFACE", "PORT_ID", "PORT"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One table. host: of the prompt before it, empty where there is none."""

    host: str
    lines: list[tuple[int, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Row:
    """One row that a template read. kind: ARP or MACS."""

    line: int
    kind: str
    mac: str
    ip: str | None = None
    vlan: str = ""
    port: str = ""
    type: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True)
class Unread:
    """A row that no template reads, or that names no device."""

    line: int
    text: str
    why: str


MOST_PART_LINES = 200_000


def parts(lines: Iterable[tuple[int, str]]) -> Iterator[Part]:
    """Part a paste at its prompts and headings."""
    part, full = Part(""), False
    for number, printed in lines:
        line = _CLIENT_ID.sub(r"\1\2.\3\4.\5\6   ", printed)
        prompt = _PROMPT.match(line)
        if prompt or _BARE.fullmatch(line.strip()):
            yield part
            part, full = Part((prompt["host"] if prompt else part.host) or ""), False
            continue
        has_mac = bool(MAC.search(line))
        begins = full and not has_mac and bool(_HEADING.search(line))
        if begins or len(part.lines) >= MOST_PART_LINES:
            yield part
            kept = part.lines[:6] if not begins else []  # the headings, for its template
            part, full = Part(part.host, [p for p in kept if not MAC.search(p[1])]), False
        full = full or has_mac
        if line.strip():
            part.lines.append((number, line[:MOST_COLUMNS_CHARS]))
    yield part


def rows(part: Part, kind: str = "") -> Iterator[Row | Unread]:
    """Read one table, its rows in order. kind: MACS where the user says that it is one."""
    waiting: dict[str, list[tuple[int, str]]] = {}
    for number, line in part.lines:
        mac = _only_mac(line)
        if mac:
            waiting.setdefault(mac, []).append((number, line))
        elif MAC.search(line):
            yield Unread(number, line, "names the hardware address of no device")
        elif IP.search(line) and _NO_MAC.search(line):
            yield Unread(number, line, "names no hardware address")
    if not waiting:
        return
    found: list[Row | Unread] = []
    for row in _read(best(part), part.lines):
        lines = waiting.get(row.mac)
        if lines:
            number, _ = lines.pop(0)
            found.append(_at(row, number))
    for left in waiting.values():
        found += [_plainly(number, line, kind) for number, line in left]
    yield from sorted(found, key=lambda row: row.line)


def best(part: Part) -> str | None:
    """Name the template that reads most of the first lines; None where none reads any."""
    some = list(islice(part.lines, LOOK_LINES))
    wanted = sum(1 for _, line in some if MAC.search(line))
    ranked: list[tuple[float, str]] = []
    for name in templates():
        read = list(_read(name, some))
        detail = sum(map(_detail, read))
        ranked.append((min(len(read), wanted) + detail / 1_000, name))
    score, name = max(ranked, key=lambda each: (each[0], each[1]), default=(0.0, ""))
    return name if score >= 1 else None


def _detail(row: Row) -> int:
    """Tell how much a row says; a port has a number, and a type of entry none."""
    numbers = (any(c.isdigit() for c in text) for text in (row.vlan, row.port))
    kind = bool(row.type) and not any(c.isdigit() for c in row.type)
    return 3 * bool(row.ip) + sum(2 * found for found in numbers) + bool(row.vlan) + kind


@lru_cache(maxsize=1)
def templates() -> tuple[str, ...]:
    """Name the templates of both tables, ours last."""
    found = [entry.name for entry in (files("ntc_templates") / "templates").iterdir()]
    theirs = [name for name in found if _ABOUT.search(name) and not _OTHER.search(name)]
    ours = [f"/{entry.name}" for entry in (files("auditor.data") / "tables").iterdir()]
    every = sorted(theirs) + sorted(name for name in ours if name.endswith(".textfsm"))
    return tuple(name for name in every if _template(name))


@lru_cache(maxsize=256)
def _template(name: str) -> textfsm.TextFSM | None:
    """Give a template that reads any line in linear time; None where RE2 cannot run it."""
    home = (
        files("auditor.data") / "tables" if name[0] == "/" else files("ntc_templates") / "templates"
    )
    template = textfsm.TextFSM(StringIO((home / name.lstrip("/")).read_text(encoding="utf-8")))
    try:
        for rule in chain.from_iterable(template.states.values()):
            rule.regex_obj = Linear(rule.regex)
        for value in template.values:
            if hasattr(value, "compiled_regex"):  # of lists: it reads the value once more
                value.compiled_regex = Linear(value.regex)
    except error:
        return None
    return template


def _read(name: str | None, lines: Iterable[tuple[int, str]]) -> Iterator[Row]:
    """Give the rows that a template reads; lines that it calls an error are passed over."""
    template = _template(name) if name else None
    if name is None or template is None:
        return
    template.Reset()
    header = list(template.header)
    for _, line in lines:
        yield from _rows(template, name, header, line, last=False)
    yield from _rows(template, name, header, "", last=True)


def _rows(
    template: textfsm.TextFSM, name: str, header: list[str], line: str, *, last: bool
) -> Iterator[Row]:
    try:
        read = template.ParseText(line, eof=last)
    except textfsm.TextFSMError:
        return
    taken = [list(row) for row in read]
    read.clear()
    for row in taken:
        found = _row(name, dict(zip(header, row, strict=False)))
        if found:
            yield found


def _row(name: str, said: Mapping[str, Any]) -> Row | None:
    mac = device_mac(_first(said, "mac"))
    if mac is None:
        return None
    kind = MACS if _OF_PORTS.search(_COMMAND_OF.sub("", name)) else ARP
    ip = device_ip(_first(said, "ip")) if kind == ARP else None
    if kind == ARP and ip is None:
        return None
    port = _first(said, "port" if kind == MACS else "interface")
    if port and kind == MACS and (port.endswith(":") or not re.search(r"\w", port)):
        return None  # a word of another layout, where a port is expected
    how = "local" if said.get("LOCAL") else _first(said, "type")
    return Row(0, kind, mac, ip, _first(said, "vlan"), port, how, _first(said, "name"))


def _first(said: Mapping[str, Any], what: str) -> str:
    """Give the first value of these names; of a list with several members none."""
    for name in _NAMES[what]:
        value = said.get(name)
        if isinstance(value, list):
            value = value[0] if len(value) == 1 or (value and what == "interface") else ""
        if value:
            return str(value)
    return ""


def _only_mac(line: str) -> str | None:
    found = MAC.search(line)
    return device_mac(found[0]) if found else None


def _at(row: Row, number: int) -> Row:
    return Row(number, row.kind, row.mac, row.ip, row.vlan, row.port, row.type, row.name)


def _plainly(number: int, line: str, kind: str) -> Row | Unread:
    """Read what stands in a row of an unknown layout: one address of each kind is enough.

    Of an address table the hardware address is, with the port and the VLAN where they are plain.
    """
    ips = [ip for ip in IP.findall(line) if not ip.startswith("255.")]  # a mask
    macs = MAC.findall(line)
    mac = device_mac(macs[0]) if len(macs) == 1 else None
    ip = device_ip(ips[0]) if len(ips) == 1 else None
    if ip and mac:
        return Row(number, ARP, mac, ip)
    if mac and not ips and kind == MACS:
        words = line.replace(macs[0], " ").split()
        ports = [word for word in words if _PORT.fullmatch(word)]
        vlans = [word for word in words if word.isdecimal() and 0 < int(word) < 4_095]
        vlan, port = (each[0] if len(each) == 1 else "" for each in (vlans, ports))
        return Row(number, MACS, mac, None, vlan, port)
    return Unread(number, line, "is a row of a layout that is not known")
