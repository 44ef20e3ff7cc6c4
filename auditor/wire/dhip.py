"""DHIP: the discovery of another large camera platform, which its relabels speak as well.

Source: UniversalScanner (julienblitte) and the rroller integration, which describe it: a
header of 32 octets (its own length, the letters DHIP, twice the length of what follows) and
JSON, to 239.255.255.251 port 37810. Devices answer `client.notifyDevInfo`. Old ones answer on
port 5050 with a binary header that begins with 0xb3 and a text of `Name:value` lines.

The service is a known amplifier: it is asked once a segment and never across a router.
"""

import json
import struct
from dataclasses import dataclass
from typing import Any

from auditor.model.observation import Endpoint, text
from auditor.wire.addresses import ip_text, mac_text, stated_ip
from auditor.wire.seen import Seen, told

GROUP, PORT, OLD_PORT = "239.255.255.251", 37810, 5050
NOTICE = "client.notifydevinfo"
MOST_CHANNELS = 4096

_HEADER = struct.Struct("<I4s8xI4xI4x")
_QUESTION = b'{"method":"DHDiscover.search","params":{"mac":"","uni":1}}'
_OLD_FIXED_OCTETS, _OLD_MAC_CHARS = 120, 17  # then: hardware address as text, then the lines


@dataclass(frozen=True, slots=True)
class Notice:
    """What a device says of itself: its addresses and `params.deviceInfo`, as it came."""

    ip: str | None
    mac: str | None
    device: dict[str, Any]

    def channels(self, name: str) -> str | None:
        """Give a number of channels; None where it says none."""
        count = self.device.get(name)
        if not isinstance(count, int) or isinstance(count, bool):
            return None
        return str(count) if 0 <= count <= MOST_CHANNELS else None


def search(_message_id: int = 0) -> bytes:
    """Write the one question; the protocol has no place for a message id."""
    return _HEADER.pack(_HEADER.size, b"DHIP", len(_QUESTION), len(_QUESTION)) + _QUESTION


def message(body: dict[str, Any]) -> bytes:
    """Write any message with its header, as a device sends it."""
    raw = json.dumps(body, separators=(",", ":")).encode()
    return _HEADER.pack(_HEADER.size, b"DHIP", len(raw), len(raw)) + raw


def read_notice(raw: bytes) -> Notice | None:
    """Read a notice; None for anything else, our own question included."""
    start = _json_start(raw)
    try:
        body, _ = json.JSONDecoder().raw_decode(raw[start:].decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
    if start < 0 or str(_dict(body).get("method")).lower() != NOTICE:
        return None
    params = _dict(body.get("params"))
    device = _dict(params.get("deviceInfo"))
    address = _dict(device.get("IPv4Address")).get("IPAddress")
    mac = next(filter(None, (body.get("mac"), device.get("mac"), device.get("Mac"))), "")
    return Notice(ip_text(str(address or "")), mac_text(str(mac)), device)


def _json_start(raw: bytes) -> int:
    """Find the first brace, but not in the header, where a length may look like one.

    Some firmwares write the letters backwards, some send no header at all.
    """
    after = _HEADER.size if raw[4:8] in (b"DHIP", b"PIHD") else 0
    return raw.find(b"{", after, after + 256)


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def seen(raw: bytes, sender: str) -> tuple[Seen, ...]:
    """Tell of the device behind a reply: at the address in the reply, else at the sender's."""
    notice = read_notice(raw)
    if notice is None:
        return _old_seen(raw, sender) if raw[:1] == b"\xb3" else ()
    ip = stated_ip(notice.ip, sender)
    observations = told(
        raw,
        ("dhip.reply", text(raw[_json_start(raw) :].rstrip(b" \r\n\0"))),
        ("mac", notice.mac),
        ("dhip.sender", sender if ip not in (None, sender) else None),
        ("device.channels_digital", notice.channels("RemoteVideoInputChannels")),
        ("device.channels_analogue", notice.channels("VideoInputChannels")),
    )
    endpoint = Endpoint(ip, notice.mac, PORT, "udp")
    return (Seen("dhip", endpoint, observations),)


def _old_seen(raw: bytes, sender: str) -> tuple[Seen, ...]:
    said = raw[_OLD_FIXED_OCTETS:]
    if not said:
        return ()
    mac = mac_text(text(said[:_OLD_MAC_CHARS]))
    lines = said[max(0, said.find(b"Name:")) :]
    observations = told(raw, ("dhip.reply", text(lines)), ("mac", mac))
    return (Seen("dhip", Endpoint(ip_text(sender), mac, OLD_PORT, "udp"), observations),)
