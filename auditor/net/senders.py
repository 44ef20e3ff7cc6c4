"""By which hardware address a reply to a group came that sockets read: the frames beside them.

Anybody can write any IP address into a datagram. The address in its frame is that of whoever sent
it, or of the bridge in front of it; what follows from that is decided elsewhere. Source: Ethernet
II, IPv4 (RFC 791), UDP (RFC 768). Needs CAP_NET_RAW; without it nothing is known of senders.
"""

import socket

from auditor.net.filters import UDP
from auditor.wire.addresses import mac_text

MOST = 40_000  # replies whose senders are remembered
PREFIX = 128  # octets by which a reply is told from others of the same IP address
ETHERNET, UDP_HEAD = 14, 8


class Senders:
    """Who sent which reply, by its IP address and how it begins."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], str] = {}

    def of(self, data: bytes, sender: str) -> str | None:
        """Give the hardware address by which a reply came; None where its frame was not seen."""
        return self._known.get((sender, data[:PREFIX]))

    def note(self, raw: bytes) -> None:
        """Remember the sender of one frame; of a datagram in pieces the first tells it."""
        words = raw[ETHERNET] & 0x0F if len(raw) > ETHERNET else 0  # of four octets, five at least
        head = ETHERNET + 4 * words
        if words < 5 or len(raw) < head + UDP_HEAD or raw[23] != UDP:
            return
        if int.from_bytes(raw[20:22], "big") & 0x1FFF:  # where in the datagram this piece stands
            return
        mac, size = mac_text(raw[6:12]), int.from_bytes(raw[head + 4 : head + 6], "big") - UDP_HEAD
        data = raw[head + UDP_HEAD : head + UDP_HEAD + min(max(size, 0), PREFIX)]
        if mac and len(self._known) < MOST:
            self._known.setdefault((socket.inet_ntoa(raw[26:30]), data), mac)
