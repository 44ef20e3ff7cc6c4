"""Reads the truth about a department from a file or a list, and refuses what cannot be played."""

import ipaddress
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from auditor.errors import DataError
from auditor.lab.truth import Announce, Datagram, Device, Service, Shut, Talk, Truth
from auditor.model.address import Mac


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
    devices = {device.name for device in truth.devices}
    for segment in truth.segments:
        if not segment.scanner and segment.via not in devices:
            yield f"segment {segment.name}: neither a scanner nor a router"
    for device in truth.devices:
        if device.name in names:
            yield f"two devices are called {device.name}"
        names.add(device.name)
        if device.segment not in segments:
            yield f"{device.name}: no segment {device.segment}"
        if unknown := [name for name in device.persona if name not in truth.personas]:
            yield f"{device.name}: no persona {', '.join(unknown)}"
        else:
            yield from _unservable(truth, device)
    used = {device.mac.lower() for device in truth.devices}
    if len(used) < len(truth.devices):
        yield "two devices have one MAC"


def _unservable(truth: Truth, device: Device) -> Iterable[str]:
    services = truth.services(device)
    taken = Counter(p for s in services if not isinstance(s, Datagram | Announce) for p in ports(s))
    yield from (f"{device.name}: port {p} is served twice" for p, n in taken.items() if n > 1)
    wanted = {service.tls for service in services if isinstance(service, Talk) and service.tls}
    unknown = wanted - set(truth.certificates)
    yield from (f"{device.name}: no certificate {name}" for name in sorted(unknown))


def ports(service: Service) -> tuple[int, ...]:
    """Give the ports that a service occupies."""
    return service.ports if isinstance(service, Shut) else (getattr(service, "port", 0),)


def of(
    devices: Sequence[Mapping[str, Any] | Device],
    networks: Sequence[str | Mapping[str, str]] = ("10.20.1.0/24",),
    certificates: Mapping[str, Any] | None = None,
) -> Truth:
    """Make a small department out of devices, where only what matters has to be said.

    A device without `ip` gets the next one of its segment, without `mac` a local one, without
    `name` its address; `persona` may be one name. The scanner has each network's last address.
    A network may be given as a whole segment (one behind a router: name, network, via,
    gateway). The shipped personas and certificates can be used.
    """
    segments = [
        dict(network) if isinstance(network, Mapping) else _segment(f"lan{at}", network)
        for at, network in enumerate(networks)
    ]
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
        ip = ipaddress.ip_address(device["ip"])  # an IPv6 one is in no segment's IPv4 network
        for name, network in places.items():
            if ip in network:
                return name
    return next(iter(places))
