"""Devices as they are when all rules were applied: named, with their rows, and why they are one."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from auditor.identify.bridged import BECAUSE, SHARED_MAC
from auditor.identify.build import device_id, link
from auditor.identify.forest import Forest
from auditor.identify.keys import SHARED_TAG
from auditor.identify.records import Records
from auditor.model.device import Link


@dataclass(frozen=True, slots=True)
class Group:
    """One device as ledger rows: what it is called, its rows, and why they belong together.

    proxies: MACs of routers at its site that answer for others. seqs: rows with content, then silent ones.
    astray: replies that spoke of another device, with the address of who sent them. doubts: replies
    that something speaks against, and what.
    """

    id: str
    site: str
    seqs: tuple[int, ...]
    silent: tuple[int, ...]
    links: tuple[Link, ...]
    proxies: frozenset[str]
    astray: tuple[tuple[int, str], ...] = ()
    doubts: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Gathering:
    """Records in trees. split_tags: record, and its tag that ties nothing. bridged: (site, MAC) behind
    which different machines stand. proxies: per site, MACs of routers that answer for others.
    """

    records: Records
    forest: Forest
    split_tags: set[tuple[int, str]]
    bridged: frozenset[tuple[str, str]]
    proxies: Mapping[str, frozenset[str]]

    def groups(self) -> Iterator[Group]:
        """Give the devices."""
        members: dict[int, list[int]] = {}
        for number in range(len(self.records.keys)):
            members.setdefault(self.forest.root(number), []).append(number)
        links, silent, names = self._links(), self._silent(), self._names(members)
        for root, numbers in members.items():
            site = self.records.sites[root]
            yield Group(
                names[root],
                site,
                tuple(self.records.seqs[n] for n in numbers),
                tuple(silent.get(root, ())),
                tuple(
                    sorted(links.get(root, {}).values(), key=lambda x: (-x.weight, x.key, x.value))
                ),
                self.proxies.get(site, frozenset()),
                self._of(self.records.astray, numbers),
                self._of(self.records.doubts, numbers),
            )

    def _names(self, members: dict[int, list[int]]) -> dict[int, str]:
        """Give each tree the id that its first record makes; those named alike a longer one."""
        records, found = self.records, {}
        taken: dict[str, int] = {}
        alike: dict[str, set[int]] = {}
        for root, numbers in members.items():
            first = min(records.times[n] for n in numbers)
            name = min(records.name(n) for n in numbers if records.times[n] == first)
            found[root] = device_id(name)
            before = taken.setdefault(found[root], root)
            if before != root:
                alike.setdefault(found[root], {before}).add(root)
        for name, roots in alike.items():
            full = sorted((min(map(records.full_name, members[r])), r) for r in roots)
            for nth, (text, root) in enumerate(full[1:], 1):
                found[root] = device_id(f"{name}\n{text}\n{nth}")
        return found

    def _links(self) -> dict[int, dict[tuple[str, str], Link]]:
        """Give, per tree, why its records belong together, and what does not tie them."""
        links: dict[int, dict[tuple[str, str], Link]] = {}
        for number, key, value in self.forest.joins:
            made = links.setdefault(self.forest.root(number), {})
            made.setdefault((key, value), link(key, value))
        for number, value in self.split_tags:
            made = links.setdefault(self.forest.root(number), {})
            made.setdefault((SHARED_TAG, value), link(SHARED_TAG, value))
        for site, mac in sorted(self.bridged):
            for kind in ("mac", "local_mac"):
                for number in self.records.more.get((site, kind), {}).get(mac, ()):
                    made = links.setdefault(self.forest.root(number), {})
                    made[SHARED_MAC, mac] = Link(SHARED_MAC, mac, 0, BECAUSE)
        return links

    def _of(self, told: dict[int, str], numbers: list[int]) -> tuple[tuple[int, str], ...]:
        """Pick what is told of these records' rows."""
        seqs = self.records.seqs if told else ()
        return tuple((seqs[n], told[seqs[n]]) for n in numbers if seqs and seqs[n] in told)

    def _silent(self) -> dict[int, list[int]]:
        """Give each device the questions that it did not answer, by address and time."""
        found: dict[int, list[int]] = {}
        for seq, site, run, ip, moment in self.records.silent:
            first = self.records.firsts.get((site, "ip"), {}).get(ip)
            if first is None:
                continue
            numbers = self.records.more.get((site, "ip"), {}).get(ip, [first])
            nearest = min(
                numbers,
                key=lambda n: (
                    self.records.runs[n] != run, abs(self.records.times[n] - moment), n,
                ),
            )  # fmt: skip
            found.setdefault(self.forest.root(nearest), []).append(seq)
        return found
