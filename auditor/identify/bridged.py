"""Hardware addresses behind which different machines stand.

A Wi-Fi repeater, a bridge that translates hardware addresses, and a host of containers answer
ARP for several machines with one MAC. One device with several addresses says the same at each
of them. So where one run heard different things from the same port at two addresses of one
MAC, the MAC does not tell which machine is which.
"""

import re
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations

from auditor.model.observation import Attempt, Origin

SHARED_MAC = "shared_mac"
BECAUSE = (
    "machines at several addresses that say different things answer with this hardware address:"
    " a bridge, a repeater, or several systems on one host"
)
_TOLD = frozenset({"http.server", "http.title", "http.wwwauth", "rtsp.server", "rtsp.wwwauth"})
_REALM = re.compile(r'(?i)\brealm="?([^",]*)')
_Where = tuple[str, str, str]  # site, run, IPv4 address
_Said = dict[int, set[int]]  # what was asked -> what was answered, both as hashes


@dataclass(frozen=True, slots=True)
class Said:
    """What each record said of itself, as numbers: enough to tell it from another answer."""

    records: "array[int]" = field(default_factory=lambda: array("q"))
    asked: "array[int]" = field(default_factory=lambda: array("q"))
    answers: "array[int]" = field(default_factory=lambda: array("q"))

    def note(self, number: int, attempt: Attempt) -> None:
        """Remember how a host presented itself on one port."""
        endpoint = attempt.endpoint
        if attempt.origin is not Origin.WIRE or endpoint.transport != "tcp" or not endpoint.ip:
            return
        for seen in attempt.observations:
            if seen.field in _TOLD:
                self.records.append(number)
                self.asked.append(hash((attempt.tool, endpoint.port, seen.field)))
                self.answers.append(hash(_own_words(seen.field, seen.value, endpoint.ip)))

    def at(self, wanted: Mapping[int, _Where]) -> dict[_Where, _Said]:
        """Give what was said at each place of these records."""
        found: dict[_Where, _Said] = {}
        for number, asked, answer in zip(self.records, self.asked, self.answers, strict=True):
            if where := wanted.get(number):
                found.setdefault(where, {}).setdefault(asked, set()).add(answer)
        return found


def _own_words(name: str, value: str, ip: str) -> str:
    """Leave out of an answer what differs from one answer of the same device to the next."""
    if name.endswith("wwwauth"):
        value = ",".join(sorted(set(_REALM.findall(value))))
    return value.replace(ip, "")


def bridged(
    answered_for: Mapping[_Where, set[str]], said: Mapping[_Where, _Said]
) -> Iterator[tuple[str, str]]:
    """Give (site, MAC) behind which two addresses contradicted each other in one run."""
    for (site, run, mac), ips in answered_for.items():
        told = [said[where] for ip in sorted(ips) if (where := (site, run, ip)) in said]
        if any(_contradict(one, other) for one, other in combinations(told, 2)):
            yield site, mac


def _contradict(one: _Said, other: _Said) -> bool:
    return any(not answers & other[asked] for asked, answers in one.items() if asked in other)
