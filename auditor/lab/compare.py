"""Compares what an audit says of a department with the truth about it."""

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from auditor.lab.truth import Device, Truth

_LADDER = ("unknown", "hint", "probable", "confirmed")
_ACCUSED = {"nonconforming", "review"}
_TOLD = ("maker", "brand", "model", "serial", "firmware", "device_class")


def mistakes(truth: Truth, devices: Sequence[Mapping[str, Any]], pack: str) -> list[str]:
    """Tell where the devices of a report (`devices --json`) differ from the truth.

    pack: the pack against the makers that the truth calls listed. Nothing listed may be
    missed, nobody else accused, and a whole range that one router answers for is no crowd.
    """
    found = [
        wrong for device in truth.devices for wrong in _of_device(truth, device, devices, pack)
    ]
    return found + [wrong for device in truth.devices for wrong in _crowd(device, devices)]


def reported(device: Device, devices: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Give the report's entry about `device`; None where it has none."""
    mac = device.mac.lower()
    by_mac = [entry for entry in devices if mac in entry.get("macs", ())]
    by_ip = [entry for entry in devices if device.ip in entry.get("ips", ())]
    return next(iter(by_mac + by_ip), None)


def _of_device(
    truth: Truth, device: Device, devices: Sequence[Mapping[str, Any]], pack: str
) -> Iterator[str]:
    entry = reported(device, devices)
    if entry is None:
        if device.listed or truth.services(device):
            yield f"{device.name}: not found"
        return
    verdict = entry.get("verdicts", {}).get(pack)
    if device.listed and verdict not in _ACCUSED:
        yield f"{device.name}: listed, but {verdict}"
    if not device.listed and verdict in _ACCUSED:
        yield f"{device.name}: innocent, but {verdict}"
    yield from _of_identity(truth, device, entry)


def _of_identity(truth: Truth, device: Device, entry: Mapping[str, Any]) -> Iterator[str]:
    watched = {known.maker for known in truth.devices if known.maker}
    if device.maker is None and entry.get("maker") in watched:
        yield f"{device.name}: wrongly said to be made by {entry['maker']}"
    for field in _TOLD:
        expected = getattr(device, field)
        if expected is not None and entry.get(field) != expected:
            yield f"{device.name}: {field} is {expected}, said to be {entry.get(field)}"
    standing = entry.get("standing", "unknown")
    if _LADDER.index(standing) < _LADDER.index(device.standing):
        yield f"{device.name}: should be {device.standing}, is {standing}"


def _crowd(device: Device, devices: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    if not device.range:
        return
    network = ipaddress.ip_network(device.range)
    inside = [
        entry
        for entry in devices
        if any(ipaddress.ip_address(ip.split("%")[0]) in network for ip in entry.get("ips", ()))
    ]
    if len(inside) > 1:
        yield f"{device.name}: answers for {device.range}, became {len(inside)} devices"
