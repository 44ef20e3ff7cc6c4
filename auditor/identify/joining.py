"""The rules by which records are joined, one method each, in the order of their weight."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from auditor.identify.bridged import BECAUSE, SHARED_MAC
from auditor.identify.build import device_id, link
from auditor.identify.decided import Decided
from auditor.identify.forest import Forest
from auditor.identify.hearsay import EARLIER_HOLDER, VISIT
from auditor.identify.keys import STRONG, serials_differ
from auditor.identify.records import SHARED, Records
from auditor.model.device import Link

WINDOW_S = 45 * 86_400.0  # a monthly scan still meets the one before it
CAREFUL = ("serial_end", "discovery_id", "local_mac")
_NO_VOICE = (frozenset[str](), frozenset[str]())
SAME_HOST_MOST = 6  # a host name that more devices bear is a default


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


@dataclass(frozen=True)
class Correlation:
    """One run of the rules over records."""

    records: Records
    forest: Forest

    def groups(self, said: Decided) -> tuple[Group, ...]:
        """Apply the decisions, then every rule, and give the devices."""
        for _ in range(len(self.records.keys)):
            self.forest.add()
        for side, numbers in said.apart:
            self.forest.keep_apart(numbers, side)
        for first, *rest in said.together:
            for other in rest:
                self.forest.join(first, other, "decision", "")
        self._strong()
        for kind in CAREFUL:
            self._careful(kind)
        self._addresses()
        self._hostnames()
        return tuple(self._collected())

    @cached_property
    def proxies(self) -> dict[str, frozenset[str]]:
        """Give, per site, the MACs of routers that answer for others."""
        return self.records.proxies()

    def proxied(self, number: int) -> bool:
        """Tell whether the MAC of a record is a router's that answers for it."""
        macs = self.records.keys[number].hardware
        return bool(macs) and macs[0] in self.proxies.get(self.records.sites[number], ())

    def _behind(self, number: int) -> bool:
        """Tell whether a record is of something behind a router that answers for it."""
        return self.proxied(number) and not self.records.linked[number]

    def _strong(self) -> None:
        for (site, kind), shared in sorted(self.records.more.items()):
            if kind not in STRONG:
                continue
            bad = self.shared.get((site, kind), frozenset())
            proxies = self.proxies.get(site, frozenset()) if kind == "mac" else frozenset()
            for value, numbers in shared.items():
                if value in bad:
                    continue
                joined = (
                    [n for n in numbers if self.records.linked[n]] if value in proxies else numbers
                )
                for one, other in self._by_machine(site, kind, value, joined):
                    self.forest.join(one, other, kind, value)

    @cached_property
    def bridged(self) -> frozenset[tuple[str, str]]:
        """Give (site, MAC) of those behind which different machines stand."""
        return self.records.bridged()

    def _by_machine(
        self, site: str, kind: str, value: str, numbers: list[int]
    ) -> Iterator[tuple[int, int]]:
        """Pair the records of a key; of a hardware address of several machines, by IP address."""
        parted = kind.endswith("mac") and (site, value) in self.bridged
        first: dict[str | None, int] = {}
        for number in numbers:
            at = first.setdefault(self.records.keys[number].ip if parted else "", number)
            if at != number:
                yield at, number
            if parted and self.records.linked[number]:
                self.records.doubts.setdefault(self.records.seqs[number], SHARED_MAC)

    def _tied(self, wanted: str) -> Iterator[tuple[str, list[int]]]:
        """Give the values of one kind of key that several records have, site by site."""
        for (_, kind), values in sorted(self.records.more.items()):
            if kind == wanted:
                yield from values.items()

    def _careful(self, kind: str) -> None:
        """Join what shares a key that others may share by chance, unless something differs."""
        for value, numbers in self._tied(kind):
            macs = {m for n in numbers for m in self.own(self.forest.root(n))[0]}
            if len(macs) > SHARED or (kind != "local_mac" and self.records.scattered(numbers)):
                continue  # a default that many devices ship with
            own = [n for n in numbers if kind != "local_mac" or not self._behind(n)]
            site = self.records.sites[numbers[0]]
            for one, other in self._by_machine(site, kind, value, own):
                self._join_if_compatible(one, other, kind, value)

    def _join_if_compatible(self, one: int, other: int, key: str, value: str) -> bool:
        a, b = self.forest.root(one), self.forest.root(other)
        if a == b:
            return True
        if self._differ(a, b) or not self.forest.join(a, b, key, value):
            return False
        low, high = sorted((a, b))
        if high in self.voices:
            ids, frames = self.voices.get(low, _NO_VOICE)
            more, others = self.voices.pop(high)
            self.voices[low] = (ids | more, frames | others)
        if high in self.held:
            self.held[low] = tuple(
                x | y for x, y in zip(self.own(low), self.held.pop(high), strict=True)
            )
        return True

    @cached_property
    def held(self) -> dict[int, tuple[frozenset[str], ...]]:
        """Per tree: the MACs, serials, ids and tags of its records."""
        found: dict[int, list[set[str]]] = {}
        for number, keys in enumerate(self.records.keys):
            if not (keys.macs or keys.serials or keys.ids or keys.tags):
                continue
            strong = self._strong_of(number)
            if not any(strong):
                continue
            sets = found.setdefault(self.forest.root(number), [set(), set(), set(), set()])
            for held, values in zip(sets, strong, strict=True):
                held.update(values)
        return {root: tuple(frozenset(s) for s in sets) for root, sets in found.items()}

    @cached_property
    def voices(self) -> dict[int, tuple[frozenset[str], frozenset[str]]]:
        """Per tree: the identifiers in its discovery replies, and the frames they came in."""
        found: dict[int, tuple[frozenset[str], frozenset[str]]] = {}
        for number, keys in enumerate(self.records.keys):
            if keys.discovery_ids and keys.frames:
                root = self.forest.root(number)
                ids, frames = found.get(root, _NO_VOICE)
                found[root] = (ids.union(keys.discovery_ids), frames.union(keys.frames))
        return found

    def _strong_of(self, number: int) -> tuple[tuple[str, ...], ...]:
        keys, site = self.records.keys[number], self.records.sites[number]
        found = (() if self._behind(number) else keys.macs, keys.serials, keys.ids, keys.tags)
        if not self.shared:
            return found
        return tuple(
            tuple(v for v in values if v not in self.shared.get((site, kind), ()))
            for kind, values in zip(STRONG, found, strict=True)
        )

    @cached_property
    def shared(self) -> dict[tuple[str, str], frozenset[str]]:
        """Give the values of strong keys that tie together too much to be keys."""
        kinds = [key for key in self.records.more if key[1] in STRONG]
        found = {key: self.records.shared(*key) for key in kinds}
        return {key: values for key, values in found.items() if values}

    def own(self, root: int) -> tuple[frozenset[str], ...]:
        """Give what a tree has of its own: MACs, serials, ids, tags."""
        return self.held.get(root, (frozenset(),) * 4)

    def _differ(self, one: int, other: int) -> bool:
        (macs, serials, _, tags), (macs2, serials2, _, tags2) = self.own(one), self.own(other)
        if serials and serials2 and not serials_differ(serials, serials2):
            return False  # several interfaces of one device
        if one in self.voices and other in self.voices:
            (ids, frames), (ids2, frames2) = self.voices[one], self.voices[other]
            if not ids & ids2 and not frames & frames2:
                return True  # cameras that all still have their factory address
        return (
            bool(macs and macs2 and not macs & macs2)
            or serials_differ(serials, serials2)
            or bool(tags and tags2 and not tags & tags2)
        )

    def _addresses(self) -> None:
        for value, numbers in self._tied("ip"):
            live = [n for n in numbers if not (self.proxied(n) and self.records.linked[n])]
            if len(live) > 1:
                self._one_address(value, live)

    def _one_address(self, ip: str, numbers: list[int]) -> None:
        """Join what was seen at one address: content to the nearest holder of the address."""
        times = self.records.times
        ordered = sorted(numbers, key=lambda n: (times[n], n))
        holders = [n for n in ordered if self.forest.root(n) in self.held]
        for one, other in pairwise(holders):
            if times[other] - times[one] <= WINDOW_S:
                self._join_if_compatible(one, other, "ip_in_window", ip)
        moments = [times[n] for n in holders]
        before: int | None = None
        for number in ordered:
            if self.forest.root(number) in self.held:
                continue
            holder = self._nearest(number, holders, moments)
            if holder is None and before is not None:
                near = times[number] - times[before] <= WINDOW_S
                holder = before if near else None
            if holder is not None:
                self._join_if_compatible(holder, number, "ip_in_window", ip)
            before = number
        if times[ordered[-1]] - times[ordered[0]] > VISIT.total_seconds():
            self._long_before(ordered)

    def _long_before(self, ordered: list[int]) -> None:
        """Doubt what was heard at an address long before its holder's own address was known."""
        records, known = self.records, dict[int, float]()
        for number in ordered:
            if records.keys[number].hardware:
                known.setdefault(self.forest.root(number), records.times[number])
        for number in ordered:
            first = known.get(self.forest.root(number), 0.0)
            late = first - records.times[number] > VISIT.total_seconds()
            if late and records.noticed[number]:
                records.doubts.setdefault(records.seqs[number], EARLIER_HOLDER)

    def _nearest(self, number: int, holders: list[int], moments: list[float]) -> int | None:
        moment, run = self.records.times[number], self.records.runs[number]
        at = bisect_left(moments, moment)
        near = holders[max(0, at - 2) : at + 2]
        near = [n for n in near if abs(self.records.times[n] - moment) <= WINDOW_S]
        if not near:
            return None
        return min(
            near,
            key=lambda n: (
                self.records.runs[n] != run, abs(self.records.times[n] - moment), n,
            ),
        )  # fmt: skip

    def _hostnames(self) -> None:
        for value, numbers in self._tied("hostname"):
            roots = list(dict.fromkeys(self.forest.root(n) for n in numbers))
            if 1 < len(roots) <= SAME_HOST_MOST and not self._at_once(numbers):
                for other in roots[1:]:
                    self._join_if_compatible(roots[0], other, "hostname", value)

    def _at_once(self, numbers: list[int]) -> bool:
        """Tell whether one run saw the name at two devices: then it is nobody's own."""
        seen: dict[str, int] = {}
        for number in numbers:
            root = self.forest.root(number)
            if seen.setdefault(self.records.runs[number], root) != root:
                return True
        return False

    def _collected(self) -> Iterator[Group]:
        members: dict[int, list[int]] = {}
        for number in range(len(self.records.keys)):
            members.setdefault(self.forest.root(number), []).append(number)
        links = self._links()
        silent = self._silent()
        for root, numbers in members.items():
            first = min(self.records.times[n] for n in numbers)
            name = min(self.records.name(n) for n in numbers if self.records.times[n] == first)
            site = self.records.sites[root]
            yield Group(
                device_id(name),
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

    def _links(self) -> dict[int, dict[tuple[str, str], Link]]:
        """Give, per tree, why its records belong together, and what does not tie them."""
        links: dict[int, dict[tuple[str, str], Link]] = {}
        for number, key, value in self.forest.joins:
            made = links.setdefault(self.forest.root(number), {})
            made.setdefault((key, value), link(key, value))
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
