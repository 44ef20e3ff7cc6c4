"""Whether the links that we ask on are still as they were when the run began.

Frames into a link that has gone are lost without an error, and whoever was asked seems silent.
So a run looks at its links while it goes on, and before it believes in any silence; what it
heard of a link that went away is not written down. Source: rtnetlink(7), linux/if_link.h.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from auditor.errors import EnvironmentLack
from auditor.net import netlink
from auditor.net.interfaces import Interface, routed_source

LOOK_S = 0.1  # a look is believed for so long
_UP, _LOWER_UP = 0x1, 0x10000  # IFF_UP, IFF_LOWER_UP: up, and somebody at the other end
_CARRIER_CHANGES = 35  # IFLA_CARRIER_CHANGES: how often the link came and went
_HINT = "see to cable, switch and address, and go on with `scan --resume`"


@dataclass(frozen=True, slots=True)
class _State:
    """How one link stands. changes: how often it came and went so far."""

    up: bool
    carrier: bool
    changes: int | None
    ips: frozenset[str]


class Steady:
    """Remembers how links stood, and raises as soon as one does not any more.

    links: those that targets lie on. far: a target behind routers, None where there is none.
    """

    def __init__(self, links: Sequence[Interface], far: str | None = None) -> None:
        self.names = {link.index: link.name for link in links}
        self.far = far if far and routed_source(far) else None
        self.before = self._states()
        self.looked = time.monotonic()

    def check(self, *, at_once: bool = False) -> None:
        """Raise EnvironmentLack where a link went away since the run began."""
        now = time.monotonic()
        if now < self.looked + LOOK_S and not at_once:
            return
        self.looked = now
        found = self._states()
        for index, name in self.names.items():
            reason = _changed(self.before.get(index), found.get(index))
            if reason:
                raise EnvironmentLack(f"interface {name} {reason}", why=_WHY, hint=_HINT)
        if self.far and not routed_source(self.far):
            raise EnvironmentLack(f"no way leads to {self.far} any more", why=_WHY, hint=_HINT)

    def _states(self) -> dict[int, _State]:
        if not self.names:
            return {}
        ips: dict[int, set[str]] = {}
        for row in netlink.table(netlink.GET_ADDRESS):
            ip = row.ip(2) or row.ip(1)  # IFA_LOCAL, else IFA_ADDRESS
            if ip and "." in ip:  # IPv6 addresses come and go of themselves (RFC 8981)
                ips.setdefault(row.fixed[4], set()).add(ip)
        return {
            row.fixed[2]: _State(
                bool(row.fixed[3] & _UP),
                bool(row.fixed[3] & _LOWER_UP),
                row.number(_CARRIER_CHANGES),
                frozenset(ips.get(row.fixed[2], ())),
            )
            for row in netlink.table(netlink.GET_LINK)
            if row.fixed[2] in self.names
        }


_WHY = "whoever was asked meanwhile would seem silent; nothing of it was written down"


def _changed(before: _State | None, now: _State | None) -> str:
    if before is None or now is None:
        return "" if before is now else "is gone"
    if before.up and not now.up:
        return "went down"
    if before.carrier and not now.carrier:
        return "lost its link: a cable was pulled, or the switch is off"
    if lost := sorted(before.ips - now.ips):
        return f"lost its address {', '.join(lost)}"
    if before.changes != now.changes:
        return "was without a link for a moment"
    return ""
