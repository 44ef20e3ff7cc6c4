"""The truth about a simulated department: who stands where, what it says, what it is.

One TOML file holds it all (auditor/data/lab/department.toml); the personas, which are the
words that kinds of devices say, stand beside it. In every text of a persona `$name` stands
for a variable of the device: `$ip`, `$mac`, `$model`, `$serial` … and, in answers, for what
the question carried (`$cseq`, `$uuid`, `$message`).
"""

import ipaddress
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from auditor.model.address import Mac

Manner = Literal["plain", "tarpit", "drip", "endless", "reset", "cut"]
Standing = Literal["confirmed", "probable", "hint", "unknown"]


class Strict(BaseModel):
    """A value that knows all its fields and never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Route(Strict):
    """One answer of a server that is asked in lines (HTTP, RTSP, SIP): first that fits.

    head: status line and headers, ended by newlines (sent as CRLF); `$length` is the size of
    the body. body: text, or hex where `hex_body` stands.
    """

    method: str = "*"
    path: str = "*"
    head: str
    body: str = ""
    hex_body: str = ""


class Talk(Strict):
    """A TCP server that is asked in lines and answers each request.

    tls: name of a certificate. manner: how an answer is sent: whole; never; a byte a second;
    without end; with a reset in the middle; closed in the middle.
    """

    kind: Literal["http", "rtsp"]
    port: int
    tls: str = ""
    manner: Manner = "plain"
    routes: tuple[Route, ...] = ()


class Banner(Strict):
    """A TCP server that speaks first. quiet: whatever is sent to it is a violation."""

    kind: Literal["banner"]
    port: int
    text: str = ""
    hex: str = ""
    manner: Manner = "plain"
    quiet: bool = False


class Trap(Strict):
    """A TCP port that nobody may touch: each connection is a violation."""

    kind: Literal["trap"]
    port: int


class Shut(Strict):
    """A TCP port behind a firewall: connection requests are dropped without a word."""

    kind: Literal["shut"]
    ports: tuple[int, ...]


class Datagram(Strict):
    """A UDP service that answers one question.

    group: multicast group to join. to: whom the answer goes to. times: how often. hex_reply
    instead of reply for bytes. needle: what a question must hold to be answered.
    """

    kind: Literal["sadp", "dhip", "wsd", "ssdp", "mdns", "snmp", "sip", "udp"]
    port: int = 0
    group: str = ""
    reply: str = ""
    hex_reply: str = ""
    needle: str = ""
    to: Literal["sender", "group"] = "sender"
    times: int = 1
    delay_s: float = 0.0
    values: tuple[tuple[str, str], ...] = ()  # SNMP: object identifier, value
    neighbours: bool = False  # SNMP: a router's table of who stands in the segments behind it
    community: str = "public"  # SNMP
    service: str = ""  # mDNS: _axis-video._tcp
    txt: tuple[str, ...] = ()  # mDNS


class Announce(Strict):
    """What a device says unasked, every so often.

    what: `arp` (it looks for its own address), `dhcp` (it asks for its address again), a
    `datagram` to a group, or a whole `frame` (hex). vlan: IEEE 802.1Q tag (0: none). ending:
    how lines of the text end. times: how often at most.
    """

    kind: Literal["announce"]
    what: Literal["arp", "dhcp", "datagram", "frame"]
    every_s: float = 1.0
    times: int = 1_000_000
    vlan: int = 0
    group: str = "239.255.255.250"
    port: int = 1900
    text: str = ""
    hex: str = ""
    ending: str = "\n"
    vendor_class: str = ""
    hostname: str = ""


Service = Annotated[Talk | Banner | Trap | Shut | Datagram | Announce, Field(discriminator="kind")]


class Fragile(Strict):
    """What a weak device survives; one step more and it is dead until the lab ends.

    strangers: whether it survives connections to ports that are in no list of data/ports.toml.
    garbage: whether it survives what no honest client of a service sends: a malformed request,
    another verb than one that reads, a credential, plain text to a TLS port or the reverse.
    """

    connects_per_s: int = 4
    total: int = 30
    open: int = 2
    resets: int = 0
    strangers: bool = False
    garbage: bool = False


class Device(Strict):
    """One simulated device and the truth about it.

    ip: its first address, IPv4 or IPv6; also: further ones; a device whose `ip` is IPv6 and that
    has no IPv4 one among them takes no part in IPv4. silent: answers ARP and nothing else. range: further addresses that it answers ARP for;
    range_open: and takes connections on. on_link: reaches every address straight over its
    interface (for a device with an address of another network). flap: MACs that it answers
    ARP with, in turn.

    The truth: maker, brand, model, serial, firmware and device_class as the audit should name
    them (None: no claim is possible); standing: at least so; listed: whether a pack against
    its maker must lead to a finding (nonconforming or review), else it must never be accused;
    seen: how it is found at all (`ip` by its address, `group` only by a multicast answer,
    `range` as one answer-everything router, `never`).
    """

    name: str
    segment: str
    ip: str
    also: tuple[str, ...] = ()
    mac: str
    persona: tuple[str, ...] = ()
    services: tuple[Service, ...] = ()
    vars: Mapping[str, str] = {}
    silent: bool = False
    range: str = ""
    range_open: bool = False
    on_link: bool = False
    flap: tuple[str, ...] = ()
    fragile: Fragile | None = None

    maker: str | None = None
    brand: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    device_class: str | None = None
    standing: Standing = "unknown"
    listed: bool = False
    seen: Literal["ip", "group", "range", "never"] = "ip"
    note: str = ""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Give all its addresses, without the link-local one that its kernel makes."""
        return (self.ip, *self.also)

    def speaks(self, version: int) -> bool:
        """Tell whether it has an address of that IP version."""
        return any((":" in ip) == (version == 6) for ip in self.addresses)

    @cached_property
    def words(self) -> dict[str, str]:
        """Give the variables that its texts may use."""
        mac = Mac.parse(self.mac)
        own = {"ip": self.ip, "mac": str(mac), "mac_dashes": str(mac).replace(":", "-")}
        own["mac_digits"] = str(mac).replace(":", "").upper()
        own["host"] = f"[{self.ip}]" if ":" in self.ip else self.ip  # RFC 3986, 3.2.2
        own["name"] = self.name
        for field in ("model", "serial", "firmware", "brand"):
            own[field] = getattr(self, field) or ""
        return own | dict(self.vars)


class Segment(Strict):
    """One broadcast domain and the address of the scanner in it; scanner6: its IPv6 one.

    A segment behind a router has no scanner: via names the device that routes to it, gateway
    is that device's address in it.
    """

    name: str
    network: str
    scanner: str = ""
    scanner6: str = ""
    via: str = ""
    gateway: str = ""

    @property
    def interface(self) -> str:
        """Give the scanner's address with its prefix length."""
        return self.placed(self.scanner)

    def placed(self, ip: str) -> str:
        """Give an address of this segment with its prefix length; IPv6 networks have 64 bits."""
        if ":" in ip:
            return f"{ip}/64"
        return f"{ip}/{ipaddress.ip_network(self.network).prefixlen}"


class Certificate(Strict):
    """A self-made certificate: names as RFC 4514 text. old: the server speaks TLS 1.0 only."""

    subject: str
    issuer: str = ""
    old: bool = False


class Persona(Strict):
    """The services of a kind of device."""

    services: tuple[Service, ...]
    vars: Mapping[str, str] = {}


class Truth(Strict):
    """A whole department."""

    segments: tuple[Segment, ...]
    devices: tuple[Device, ...]
    personas: Mapping[str, Persona] = {}
    certificates: Mapping[str, Certificate] = {}

    def services(self, device: Device) -> tuple[Service, ...]:
        """Give all that `device` serves: its personas' services, then its own."""
        of_kind = (self.personas[name].services for name in device.persona)
        return (*(service for group in of_kind for service in group), *device.services)

    def words(self, device: Device) -> dict[str, str]:
        """Give the variables that texts of `device` may use; its own win over its personas'."""
        words: dict[str, str] = {}
        for name in device.persona:
            words |= self.personas[name].vars
        return words | device.words

    def device(self, name: str) -> Device:
        """Give the device of that name."""
        return next(device for device in self.devices if device.name == name)
