"""What a person has to go and see, room by room: the rows of the walk-down list; pure.

A filled-in list is imported like any other (dialect `walkdown_csv` of data/headings.toml): its
addresses and tags say which device a row is about, its blanks what was found there.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from auditor.model.device import Assessed
from auditor.model.report import Discrepancy

MOST_BLANKS = 64  # rows for the cameras of one recorder that nobody has seen
_QUIET = frozenset({"matched"})


@dataclass(frozen=True, slots=True)
class Stop:
    """One thing to look for. why: kinds of discrepancy. detail: for people."""

    site: str
    building: str
    floor: str
    room: str
    device: str
    why: tuple[str, ...]
    tag: str = ""
    name: str = ""
    maker: str = ""
    model: str = ""
    serial: str = ""
    ip: str = ""
    mac: str = ""
    switch: str = ""
    switch_port: str = ""
    detail: str = ""

    @property
    def place(self) -> tuple[str, str, str, str]:
        """Give the room that this stop is in; what is not known is empty and sorts last."""
        return self.site, self.building, self.floor, self.room


def stops(devices: Sequence[Assessed], found: Iterable[Discrepancy]) -> tuple[Stop, ...]:
    """Give what is to be seen, in the order of a walk through the rooms."""
    by_id = {assessed.device.id: assessed for assessed in devices}
    lines: dict[str, list[Discrepancy]] = {}
    listed: list[Stop] = []
    for line in found:
        assessed = by_id.get(line.device)
        if assessed is None or (line.kind in _QUIET and not _matters(assessed)):
            continue
        if line.kind == "channels_unaccounted":
            count = min(line.count, MOST_BLANKS)
            listed += [_missing(assessed, at, line.count) for at in range(1, count + 1)]
        else:
            lines.setdefault(line.device, []).append(line)
    listed += [_stop(by_id[device], some) for device, some in lines.items()]
    return tuple(sorted(listed, key=_order))


def _order(stop: Stop) -> tuple[object, ...]:
    return (
        *((not part, part) for part in stop.place),
        stop.ip,
        stop.device,
        stop.why,
        stop.detail,
    )


def _matters(assessed: Assessed) -> bool:
    """Tell whether a device that agrees with the books is of the kind this audit is about."""
    kind = assessed.identity.device_class.value
    return bool(assessed.identity.maker.value) or kind in {"camera", "recorder", "intercom"}


def _stop(assessed: Assessed, lines: Sequence[Discrepancy]) -> Stop:
    device, identity = assessed.device, assessed.identity

    def said(name: str) -> str:
        return device.recorded(f"asset.{name}") or ""

    told = [pair for line in lines for pair in line.detail if pair[0] in {"list", "device"}]
    return Stop(
        site=device.site,
        building=said("building"),
        floor=said("floor"),
        room=said("room") or said("location"),
        device=device.id,
        why=tuple(line.kind for line in lines),
        tag=said("tag"),
        name=said("name") or next(iter(device.hostnames), ""),
        maker=identity.maker.value or identity.brand.value or said("manufacturer"),
        model=identity.model.value or "",
        serial=identity.serial.value or "",
        ip=next(iter(device.ips), ""),
        mac=next(iter(device.macs), ""),
        switch=said("switch"),
        switch_port=said("switch_port"),
        detail="; ".join(f"{name}: {text}" for name, text in told),
    )


def _missing(recorder: Assessed, at: int, of: int) -> Stop:
    """A camera that a recorder has a channel for and nobody has seen: where it is, who knows."""
    device = recorder.device
    return Stop(
        site=device.site,
        building=device.recorded("asset.building") or "",
        floor="",
        room="",
        device="",
        why=("channels_unaccounted",),
        detail=f"{at} / {of}: {next(iter(device.ips), device.id)}",
    )


def headings(words: Mapping[str, str]) -> tuple[str, ...]:
    """Give the headings of the list, the blanks last."""
    return tuple(words[key] for key in (*KNOWN, *BLANKS))


def row(stop: Stop, number: int, words: Mapping[str, str]) -> tuple[str, ...]:
    """Give one row of the list; the blanks are empty."""
    why = "; ".join(words.get(f"why_{kind}", kind) for kind in stop.why)
    known = (
        str(number), stop.device, stop.site, stop.building, stop.floor, stop.room,
        f"{why} {stop.detail}".strip(), stop.tag, stop.name, stop.maker, stop.model, stop.serial,
        stop.ip, stop.mac, stop.switch, stop.switch_port,
    )  # fmt: skip
    return (*known, *("" for _ in BLANKS))


KNOWN = (
    "walkdown", "device", "site", "building", "floor", "room", "why", "tag", "name", "maker",
    "model", "serial", "ip", "mac", "switch", "switch_port",
)  # fmt: skip
BLANKS = ("present", "label_found", "maker_found", "model_found", "serial_found", "photo", "note")
