"""The truth about a simulated department: who stands where, what it says, what it is.

One TOML file holds it all (auditor/data/lab/department.toml); the personas, which are the
words that kinds of devices say, stand beside it. In every text of a persona `$name` stands
for a variable of the device: `$ip`, `$mac`, `$model`, `$serial` … and, in answers, for what
the question carried (`$cseq`, `$uuid`, `$message`).
"""

import ipaddress
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from auditor.errors import DataError
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
    community: str = "public"  # SNMP
    service: str = ""  # mDNS: _axis-video._tcp
    txt: tuple[str, ...] = ()  # mDNS


Service = Annotated[Talk | Banner | Trap | Shut | Datagram, Field(discriminator="kind")]


class Fragile(Strict):
    """What a weak device survives; one step more and it is dead until the lab ends."""

    connects_per_s: int = 4
    total: int = 30
    open: int = 2
    resets: int = 0


class Device(Strict):
    """One simulated device and the truth about it.

    silent: answers ARP and nothing else. range: further addresses that it answers ARP for;
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

    @cached_property
    def words(self) -> dict[str, str]:
        """Give the variables that its texts may use."""
        mac = Mac.parse(self.mac)
        own = {"ip": self.ip, "mac": str(mac), "mac_dashes": str(mac).replace(":", "-")}
        own["mac_digits"] = str(mac).replace(":", "").upper()
        own["name"] = self.name
        for field in ("model", "serial", "firmware", "brand"):
            own[field] = getattr(self, field) or ""
        return own | dict(self.vars)


class Segment(Strict):
    """One broadcast domain and the address of the scanner in it."""

    name: str
    network: str
    scanner: str

    @property
    def interface(self) -> str:
        """Give the scanner's address with its prefix length."""
        return f"{self.scanner}/{ipaddress.ip_network(self.network).prefixlen}"


class Certificate(Strict):
    """A self-made certificate: names as RFC 4514 text. old: the server speaks TLS 1.0 only."""

    subject: str
    issuer: str = ""
    old: bool = False


class Persona(Strict):
    """The services of a kind of device."""

    services: tuple[Service, ...]


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

    def device(self, name: str) -> Device:
        """Give the device of that name."""
        return next(device for device in self.devices if device.name == name)


_DEVICE = TypeAdapter(Device)


def shipped(name: str) -> Path:
    """Give the path of a data file of the lab that comes with the program."""
    return Path(str(resources.files("auditor.data") / "lab" / name))


def load(path: Path | None = None) -> Truth:
    """Read a department (None: the one that comes with the program)."""
    content = _read(shipped("personas.toml")) | _read(path or shipped("department.toml"))
    return checked(content, str(path or "department.toml"))


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as TOML", why=str(error)) from error


def checked(content: Mapping[str, Any], source: str) -> Truth:
    """Turn plain values into a Truth, or tell every mistake at once."""
    try:
        truth = Truth.model_validate(content)
    except ValidationError as error:
        wrong = "; ".join(
            f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors()[:20]
        )
        raise DataError(f"{source} describes no department", why=wrong) from error
    if mistakes := tuple(_mistakes(truth)):
        raise DataError(f"{source} describes no department", why="; ".join(mistakes))
    return truth


def _mistakes(truth: Truth) -> Iterable[str]:
    segments = {segment.name for segment in truth.segments}
    names: set[str] = set()
    for device in truth.devices:
        if device.name in names:
            yield f"two devices are called {device.name}"
        names.add(device.name)
        if device.segment not in segments:
            yield f"{device.name}: no segment {device.segment}"
        yield from (
            f"{device.name}: no persona {p}" for p in device.persona if p not in truth.personas
        )
    used = {device.mac.lower() for device in truth.devices}
    if len(used) < len(truth.devices):
        yield "two devices have one MAC"


def of(
    devices: Sequence[Mapping[str, Any] | Device],
    networks: Sequence[str] = ("10.20.1.0/24",),
    certificates: Mapping[str, Any] | None = None,
) -> Truth:
    """Make a small department out of devices, where only what matters has to be said.

    A device without `ip` gets the next one of its segment, without `mac` a local one, without
    `name` its address; `persona` may be one name. The scanner has each network's last address.
    The shipped personas and certificates can be used.
    """
    segments = [_segment(f"lan{at}", network) for at, network in enumerate(networks)]
    shipped_words = _read(shipped("personas.toml"))
    shipped_words.setdefault("certificates", {}).update(certificates or {})
    places = {s["name"]: ipaddress.ip_network(s["network"]) for s in segments}
    whole = [
        dict(device.model_dump() if isinstance(device, Device) else device) for device in devices
    ]
    for at, device in enumerate(whole, 1):
        device.setdefault("segment", _home(device, places))
        network = places.get(device["segment"], ipaddress.ip_network("10.20.1.0/24"))
        device.setdefault("ip", str(network.network_address + at))
        device.setdefault("mac", str(Mac(0x02_00_00_00_00_00 + at)))
        device.setdefault("name", device["ip"])
        if isinstance(device.get("persona"), str):
            device["persona"] = (device["persona"],)
    return checked(shipped_words | {"segments": segments, "devices": whole}, "the list of devices")


def _segment(name: str, network: str) -> dict[str, str]:
    last = ipaddress.ip_network(network)[-2]
    return {"name": name, "network": network, "scanner": str(last)}


def _home(device: Mapping[str, Any], places: Mapping[str, Any]) -> str:
    """Choose the segment that holds the device's address, else the first."""
    if "ip" in device:
        ip = ipaddress.ip_address(device["ip"])
        for name, network in places.items():
            if ip in network:
                return name
    return next(iter(places))
