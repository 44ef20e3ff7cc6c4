"""What we sent: the account that can be handed to whoever watches the network."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

# The kind of a line that says that lines may be missing here, and why.
GAP = "gap"
# The detail of a line with which a conversation began: one of those that a host may be asked
# in a run (Pace.host_total).
BEGAN = "begins a conversation"
SPAN = timedelta(seconds=31)  # in which questions to everybody are counted, and a margin
MANY = 1 << 20


@dataclass(frozen=True, slots=True)
class Sent:
    """Frames, datagrams or connections of one kind to one address in one moment.

    kind: arp ndp icmp syn udp tcp tls, or GAP. port: 0 where the transport has none. count: how many
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


def calls(sent: Iterable[Sent], end: datetime) -> int:
    """Count the questions that everybody on a segment heard within SPAN before `end`.

    Where lines may be missing, there may have been any number.
    """
    late = [one for one in sent if one.moment > end - SPAN]
    if any(one.kind == GAP for one in late):
        return MANY
    asked = (one for one in late if one.kind in {"udp", "ndp"})
    return sum(one.count for one in asked if ip_address(one.ip).is_multicast)


def conversations(sent: Iterable[Sent]) -> Counter[str]:
    """Count the conversations that were begun with each host, by its address."""
    return Counter(one.ip for one in sent if one.detail == BEGAN)
