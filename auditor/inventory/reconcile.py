"""The books against the wire: what agrees, and what a person has to go and see; pure.

A device is in the books when an asset list (any `asset.*` field) names it, and on the wire
when somebody heard from it. A device of the books that was not heard is only "not on the
wire" where its address was asked and silent; elsewhere nobody has looked.
"""

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

from auditor.model.address import AddressSet
from auditor.model.device import Assessed, Coverage, Device, Reach
from auditor.model.observation import Origin
from auditor.model.report import Discrepancy

LOOKED = {Reach.ASSESSED, Reach.SILENT, Reach.PRESENT_ONLY}
CHANNELS = ("device.channels_digital", "device.channels_analogue")
_COUNT = re.compile("[0-9]{1,9}")  # a device says what it likes of itself
SAME_NETWORK = {4: 24, 6: 64}  # cameras this near to a recorder are taken to be its own


def in_books(device: Device) -> bool:
    """Tell whether an asset list names the device."""
    return any(
        s.observation.field.startswith("asset.") and s.origin is Origin.FILE
        for s in device.sightings
    )


def on_wire(device: Device) -> bool:
    """Tell whether the device was heard, by us or in somebody's capture or table."""
    return device.on_wire or any(
        s.origin in {Origin.WIRE, Origin.SIGHTING} for s in device.sightings
    )


def reconcile(devices: Sequence[Assessed], coverage: Coverage) -> tuple[Discrepancy, ...]:
    """Give one line per device and kind, in order of site, kind and device."""
    where = _Reached(coverage)
    found = [line for assessed in devices for line in _one(assessed, where)]
    found += _recorders(devices)
    found += [
        Discrepancy("ghost", "", subnet.site, (("addresses", ", ".join(gap.ranges)),), gap.count)
        for subnet in coverage.subnets
        for gap in subnet.gaps
        if gap.reach is Reach.PROXY
    ]
    return tuple(sorted(found, key=lambda line: (line.site, line.kind, line.device, line.detail)))


class _Reached:
    """Answers how far the scans of a site came to an address."""

    def __init__(self, coverage: Coverage) -> None:
        self._nets: dict[str, list[tuple[AddressSet, list[tuple[AddressSet, Reach]]]]] = (
            defaultdict(list)
        )
        for subnet in coverage.subnets:
            gaps = [(AddressSet.parse(gap.ranges), gap.reach) for gap in subnet.gaps]
            self._nets[subnet.site].append((AddressSet.parse([subnet.network]), gaps))

    def __call__(self, site: str, ip: str) -> Reach | None:
        """Give the reach of an address; None where no scan of the site covers it."""
        for network, gaps in self._nets.get(site, []):
            if ip in network:
                return next((reach for part, reach in gaps if ip in part), Reach.ASSESSED)
        return None


def _one(assessed: Assessed, where: _Reached) -> Iterable[Discrepancy]:
    device, identity = assessed.device, assessed.identity
    listed, heard = in_books(device), on_wire(device)
    about = (("ips", ", ".join(device.ips)), ("macs", ", ".join(device.macs)))
    if listed and heard:
        yield Discrepancy("matched", device.id, device.site, about)
    elif heard:
        yield Discrepancy("not_in_books", device.id, device.site, about)
    elif listed:
        reached = {ip: where(device.site, ip) for ip in device.ips}
        looked = bool(reached) and all(reach in LOOKED for reach in reached.values())
        said = tuple((ip, reach.value if reach else "no_scan") for ip, reach in reached.items())
        kind = "not_on_wire" if looked else "never_looked"
        yield Discrepancy(kind, device.id, device.site, about + said)
    for contradiction in identity.contradictions:
        if contradiction.code == "brand_differs":
            both = (("device", contradiction.one), ("list", contradiction.other))
            yield Discrepancy("brand_differs", device.id, device.site, both)


def _recorders(devices: Iterable[Assessed]) -> Iterable[Discrepancy]:
    """Name the channels of recorders for which no camera was seen on the same network."""
    cameras: dict[tuple[str, str], int] = defaultdict(int)
    recorders: dict[tuple[str, str], list[tuple[Device, int]]] = defaultdict(list)
    for assessed in devices:
        device, kind = assessed.device, assessed.identity.device_class.value
        place = (device.site, _network(device.ips))
        if kind == "camera" and on_wire(device):
            cameras[place] += 1
        channels = _channels(device)
        if channels and kind != "camera":
            recorders[place].append((device, channels))
    for place, here in recorders.items():
        seen = cameras[place]
        for device, channels in sorted(here, key=lambda pair: pair[0].id):
            found, seen = min(seen, channels), max(0, seen - channels)
            if found < channels:
                told = (("channels", str(channels)), ("cameras_seen", str(found)))
                yield Discrepancy(
                    "channels_unaccounted", device.id, place[0], told, channels - found
                )


def _channels(device: Device) -> int:
    counts: dict[str, int] = {}
    for sighting in device.sightings:
        name, value = sighting.observation.field, sighting.observation.value
        if name in CHANNELS and _COUNT.fullmatch(value):
            counts[name] = max(counts.get(name, 0), min(int(value), 4096))
    return sum(counts.values())


def _network(ips: Sequence[str]) -> str:
    if not ips:
        return ""
    first = ipaddress.ip_address(ips[0].split("%", 1)[0])
    return str(ipaddress.ip_network(f"{first}/{SAME_NETWORK[first.version]}", strict=False))
