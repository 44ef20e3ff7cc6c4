"""SADP: the discovery of one large camera platform, which its relabels speak as well.

Source: UniversalScanner (julienblitte) and hiktools, which describe the exchange: one XML
datagram to 239.255.255.250 port 37020, answered by multicast to the same port or directly.
Every `Types` but `inquiry` changes the device and is never written by this module. The case
of element names varies with the firmware.
"""

import re
import uuid
from dataclasses import dataclass

from auditor.model.observation import Endpoint, text
from auditor.wire.addresses import ip_text, mac_text, stated_ip
from auditor.wire.seen import Seen, told
from auditor.wire.tags import leaves, read_tags

GROUP, PORT = "239.255.255.250", 37020
_COUNT = re.compile(r"[0-9]{1,4}")
# UTF-16 with its mark, or without one where the first bracket shows it (XML 1.0, appendix F)
_WIDE = (
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_DRESSED = re.compile(r"<(/?)(?:[\w.-]{1,40}:)?([A-Za-z_][\w.-]{0,60})(?:\s[^<>]*)?>", re.ASCII)


@dataclass(frozen=True, slots=True)
class ProbeMatch:
    """What a device says of itself. fields: every element by its lower-case name.

    Firmwares disagree on whether the model stands in devicedescription, in devicetype or only
    in front of devicesn, so all are kept and none is called the model here.
    """

    ip: str | None
    mac: str | None
    fields: dict[str, str]

    def channels(self, kind: str) -> str | None:
        """Give the number of `digital` or `analog` channels; None where it does not say."""
        said = self.fields.get(f"{kind}channelnum", "")
        return str(int(said)) if _COUNT.fullmatch(said) else None


def inquiry(message_id: int) -> bytes:
    """Write the one harmless request; `message_id` is a random 128-bit number."""
    name = str(uuid.UUID(int=message_id, version=4)).upper()
    return (
        '<?xml version="1.0" encoding="utf-8"?>'
        f"<Probe><Uuid>{name}</Uuid><Types>inquiry</Types></Probe>"
    ).encode("ascii")


def as_utf8(raw: bytes) -> bytes:
    """Give a reply in UTF-8 that is written in UTF-16; any other as it is."""
    for mark, codec in _WIDE:
        if raw.startswith(mark):
            return raw.decode(codec, "backslashreplace").encode("utf-8", "replace")
    return raw


def plain(written: str) -> str:
    """Write each tag without name space and attributes, as most firmwares do."""
    return _DRESSED.sub(r"<\1\2>", written)


def read_reply(raw: bytes) -> ProbeMatch | None:
    """Read a ProbeMatch; None for anything else, our own looped-back Probe included."""
    raw = as_utf8(raw)
    first = next((tag.name.lower() for tag in read_tags(raw)), "")
    if first != "probematch":
        return None
    fields = leaves(raw)
    return ProbeMatch(
        ip_text(fields.get("ipv4address", "")), mac_text(fields.get("mac", "")), fields
    )


def seen(raw: bytes, sender: str) -> tuple[Seen, ...]:
    """Tell of the device behind a reply: at the address in the reply, else at the sender's."""
    match = read_reply(raw)
    if match is None:
        return ()
    ip = stated_ip(match.ip, sender) or sender
    observations = told(
        raw,
        ("sadp.reply", plain(text(as_utf8(raw)))),
        ("mac", match.mac),
        ("sadp.sender", sender if ip != sender else None),
        ("device.channels_digital", match.channels("digital")),
        ("device.channels_analogue", match.channels("analog")),
    )
    return (Seen("sadp", Endpoint(ip, match.mac, PORT, "udp"), observations),)
