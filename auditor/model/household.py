"""Which addresses are one device's while it is being asked; pure.

A device with IPv4 and IPv6 stands there several times and is weak only once: its addresses
share one pace, and who has told enough at one address is not asked all of it again.
"""

from collections.abc import Iterable, Mapping

from auditor.model.address import LINK_LOCAL

MOST_MEMBERS = 32  # more addresses behind one MAC are a router's or a forger's


def households(ips: Iterable[str], macs: Mapping[str, str]) -> list[tuple[str, ...]]:
    """Put the IPv6 addresses of a MAC behind its first IPv4 address, or its first of all.

    Several IPv4 addresses of one MAC stay apart: a router may answer for them. Global IPv6
    addresses come before link-local ones. In the order in which the devices are met.
    """
    houses: dict[str, list[str]] = {}
    for ip in sorted(ips, key=_rank):
        mac = macs.get(ip, "")
        key = mac if mac and ":" in ip and len(houses.get(mac, ())) < MOST_MEMBERS else ip
        if ":" not in ip and mac and mac not in houses:
            key = mac
        houses.setdefault(key, []).append(ip)
    return [tuple(house) for house in houses.values()]


def _rank(ip: str) -> int:
    return 0 if ":" not in ip else 2 if ip in LINK_LOCAL else 1
