"""What we sent: the account that can be handed to whoever watches the network."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Sent:
    """Frames, datagrams or connections of one kind to one address in one moment.

    kind: arp ndp icmp syn udp tcp tls. port: 0 where the transport has none. count: how many
    (a sweep may sum up its frames to one address). size: bytes sent, payload only.
    """

    moment: datetime
    kind: str
    ip: str
    port: int = 0
    count: int = 1
    size: int = 0
    tool: str = ""
    detail: str = ""
