"""What in a record tells one device from another, and how far each key may be trusted."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from auditor.errors import DataError
from auditor.model.address import Mac
from auditor.model.observation import Attempt, Observation, Origin, Outcome
from auditor.wire import dhip, sadp

SHARED_TAG = "asset_tag_shared"  # joins nothing; a link says that it does not
# weight (0 .. 100) and reason of each key; a Link repeats them
WEIGHTS = {
    "decision": (100, "an officer decided that these are one device"),
    "mac": (95, "the same registered hardware address"),
    "serial": (95, "the same serial number"),
    "sadp_id": (90, "the same device identifier"),
    "asset_tag": (90, "the same asset tag"),
    "serial_end": (80, "the same end of the serial number, and nothing against it"),
    "discovery_id": (80, "the same identifier in discovery replies, and nothing against it"),
    "local_mac": (70, "the same locally made hardware address"),
    "ip_in_window": (60, "the same IP address within the time window, and nothing against it"),
    "hostname": (40, "the same host name, and nothing against it"),
    "same_row": (30, "the same row of a list that names no address, serial, tag or host"),
    SHARED_TAG: (0, "the asset tag of several devices, which joins none of them"),
}
_THERE = (Outcome.ANSWERED, Outcome.REFUSED, Outcome.GARBLED)
STRONG = ("mac", "serial", "sadp_id", "asset_tag")

_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIGITS = re.compile(r"(?<![0-9])[0-9]{8,10}$")  # what a label shows of a long serial
_EATEN = re.compile(r"\d+[.,]\d*E\+?\d+")  # what a spreadsheet leaves of a long number
_SAYS_NOTHING = frozenset({
    "NONE", "NULL", "NIL", "NA", "N/A", "UNKNOWN", "INCONNU", "DEFAULT", "DEFAULTSTRING", "TBD",
    "TOBEFILLEDBYO.E.M.", "SYSTEMSERIALNUMBER", "NOTAPPLICABLE", "NOTSPECIFIED", "S/O", "AUCUN",
})  # fmt: skip
_GENERIC_HOSTS = frozenset({
    "localhost", "ipcamera", "ip-camera", "camera", "ipcam", "ipc", "nvr", "dvr", "android",
    "unknown", "router", "gateway", "printer", "device", "host", "default", "none", "-",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one record, normalised; several of one kind are rare.

    present: whether somebody was there (an answer, a refusal, a sighting, a list's row).
    """

    ip: str | None
    macs: tuple[str, ...]
    local_macs: tuple[str, ...]
    serials: tuple[str, ...]
    ids: tuple[str, ...]
    tags: tuple[str, ...]
    discovery_ids: tuple[str, ...]
    serial_ends: tuple[str, ...]
    hostnames: tuple[str, ...]
    present: bool
    frames: tuple[str, ...] = ()  # the hardware address in the frame of a reply: no key

    @property
    def hardware(self) -> tuple[str, ...]:
        """Give all hardware addresses, registered ones first."""
        return self.macs + self.local_macs

    @property
    def bare(self) -> bool:
        """Tell whether there is nothing but an address, as of most answers."""
        return not (
            self.macs or self.local_macs or self.serials or self.ids or self.tags
            or self.hostnames or self.discovery_ids or self.serial_ends
        )  # fmt: skip

    @property
    def empty(self) -> bool:
        """Tell whether nothing says which device this is about."""
        return not self.ip and self.bare


def keys_of(attempt: Attempt) -> Keys:
    """Read the keys of one attempt or imported record."""
    endpoint = attempt.endpoint
    found: dict[str, list[str]] = {}
    if endpoint.mac:
        _add_mac(endpoint.mac, found)
    for observation in attempt.observations:
        if observation.field == "mac":
            _add_mac(observation.value, found)
        elif observation.field in _FOLDS:
            kind, fold = _FOLDS[observation.field]
            _add(kind, fold(observation), found)
    ip = endpoint.ip if endpoint.ip not in {"0.0.0.0", "::"} else None  # noqa: S104
    if not found:
        return Keys(ip, (), (), (), (), (), (), (), (), _present(attempt))
    for serial in found.get("serial", ()):
        _add("end", _end(serial), found)
    get = found.get
    return Keys(
        ip,
        tuple(get("mac", ())),
        tuple(get("local", ())),
        tuple(get("serial", ())),
        tuple(get("id", ())),
        tuple(get("tag", ())),
        tuple(get("discovery", ())),
        tuple(get("end", ())),
        tuple(get("hostname", ())),
        _present(attempt),
        tuple(get("frame", ())),
    )


def _sadp_serial(observation: Observation) -> str:
    match = sadp.read_reply(observation.raw or observation.value.encode("utf-8", "replace"))
    return match.fields.get("devicesn", "") if match else ""


def _dhip_serial(observation: Observation) -> str:
    notice = dhip.read_notice(observation.raw or observation.value.encode("utf-8", "replace"))
    return str(notice.device.get("SerialNo", "")) if notice else ""


def _uuid(text: str) -> str | None:
    """Give the identifier in `urn:uuid:…`; None where a default of many devices stands there."""
    found = _UUID.search(text[:512])
    return found[0].lower() if found and len(set(found[0])) > 6 else None


def _end(serial: str) -> str | None:
    found = _DIGITS.search(serial)
    return found[0] if found and len(set(found[0])) > 2 else None


def _present(attempt: Attempt) -> bool:
    if attempt.origin is not Origin.WIRE or attempt.observations:
        return True
    return attempt.outcome in _THERE


def _add(kind: str, value: str | None, found: dict[str, list[str]]) -> None:
    if value and value not in found.setdefault(kind, []):
        found[kind].append(value)


def _add_mac(text: str, found: dict[str, list[str]]) -> None:
    kind, value = _mac_key(text)
    _add(kind, value, found)


@lru_cache(maxsize=4_096)  # each record is read twice, and a device has several
def _mac_key(text: str) -> tuple[str, str | None]:
    """Fold a hardware address; None for what is none, or names no single device."""
    try:
        mac = Mac.parse(text)
    except DataError:
        return "mac", None
    if mac.is_group or mac.value == 0:
        return "mac", None
    return "local" if mac.is_local else "mac", str(mac)


def plain_key(text: str) -> str | None:
    """Fold an identifier; None where it says nothing."""
    key = "".join(text.split()).upper()[:128]
    return None if not key or key in _SAYS_NOTHING or len(set(key)) == 1 else key


def serial_key(text: str) -> str | None:
    """Fold a serial number; None for placeholders and for what a spreadsheet has eaten."""
    key = plain_key(text)
    if not key or len(key) < 5 or not any(c.isdigit() for c in key) or _EATEN.fullmatch(key):
        return None
    return key


def hostname_key(text: str) -> str | None:
    """Fold a host name to its first label; None where it is a default of many devices."""
    label = text.strip().rstrip(".").casefold().split(".", 1)[0][:63]
    return None if not label or label in _GENERIC_HOSTS or label.isdigit() else label


def serials_differ(one: frozenset[str], other: frozenset[str]) -> bool:
    """Tell whether two sets of serials speak of two devices.

    A label often shows only the end of the serial that the device reports.
    """
    if not one or not other:
        return False
    return not any(a.endswith(b) or b.endswith(a) for a in one for b in other)


# how each field is folded to a key of which kind
_FOLDS: dict[str, tuple[str, Callable[[Observation], str | None]]] = {
    "device.serial": ("serial", lambda seen: serial_key(seen.value)),
    "asset.serial": ("serial", lambda seen: serial_key(seen.value)),
    "sadp.reply": ("serial", lambda seen: serial_key(_sadp_serial(seen))),
    "dhip.reply": ("serial", lambda seen: serial_key(_dhip_serial(seen))),
    "asset.tag": ("tag", lambda seen: plain_key(seen.value)),
    "device.id": ("id", lambda seen: plain_key(seen.value)),
    "onvif.endpoint": ("discovery", lambda seen: _uuid(seen.value)),
    "ssdp.usn": ("discovery", lambda seen: _uuid(seen.value)),
    "link.source": ("frame", lambda seen: plain_key(seen.value)),
    "dhcp.hostname": ("hostname", lambda seen: hostname_key(seen.value)),
    "device.hostname": ("hostname", lambda seen: hostname_key(seen.value)),
    "mdns.hostname": ("hostname", lambda seen: hostname_key(seen.value)),
}
