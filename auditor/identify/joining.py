"""The rules by which records are joined, one method each, in the order of their weight."""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from auditor.identify.bare_rows import again
from auditor.identify.build import device_id, link
from auditor.identify.crowds import parts
from auditor.identify.decided import Decided
from auditor.identify.forest import Forest
from auditor.identify.keys import SHARED_TAG, STRONG, serials_differ
from auditor.identify.records import SHARED, Records
from auditor.identify.tags import Bearer, bearer, sides
from auditor.identify.told import Told, makers_differ, rows_differ
from auditor.model.device import Link

WINDOW_S = 45 * 86_400.0  # a monthly scan still meets the one before it
WEAK = frozenset({"ip_in_window", "hostname"})
CAREFUL = ("serial_end", "discovery_id", "local_mac")
LONG_SERIAL = 10  # characters; shorter serials of two makers may be alike
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
    split_tags: set[tuple[int, str]] = field(default_factory=set)  # record, and its tag

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
        self._tags()
        records = self.records
        for one, other in again(records.bare_rows, lambda n: (records.sites[n], records.runs[n])):
            self._join(one, other, "same_row", records.details.get(one, ""))
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
            if kind not in STRONG or kind == "asset_tag":
                continue
            bad = self.shared.get((site, kind), frozenset())
            proxies = self.proxies.get(site, frozenset()) if kind == "mac" else frozenset()
            for value, numbers in shared.items():
                if value in bad:
                    continue
                joined = (
                    [n for n in numbers if self.records.linked[n]] if value in proxies else numbers
                )
                self._knit(joined, kind, value)

    def _knit(self, numbers: list[int], kind: str, value: str) -> None:
        """Join the records of a strong key, but for rows of lists that are of other devices."""
        firsts = numbers[:1]
        for other in numbers[1:]:
            for first in firsts:
                if kind == "mac" or not self._foreign(first, other, kind, value):
                    self.forest.join(first, other, kind, value)
                    break
            else:
                firsts.append(other)

    def _foreign(self, one: int, other: int, kind: str, value: str) -> bool:
        """Tell whether two rows of lists have an identifier in common by chance."""
        told = self.records.told
        if one not in told or other not in told:
            return False
        a, b = self.records.keys[one], self.records.keys[other]
        apart = bool(a.macs and b.macs and not {*a.macs} & {*b.macs})
        if kind == "serial":
            return makers_differ(told[one], told[other]) and (apart or len(value) < LONG_SERIAL)
        return apart or serials_differ(frozenset(a.serials), frozenset(b.serials))

    def _tags(self) -> None:
        """Join by asset tags, last of the strong keys: people stick them on, and count anew."""
        for key, values in sorted(self.records.more.items()):
            if key[1] != "asset_tag":
                continue
            for value in sorted(values.keys() - self.shared.get(key, frozenset())):
                self._one_tag(value, values[value])

    def _one_tag(self, value: str, numbers: list[int]) -> None:
        trees: dict[int, list[int]] = {}
        for number in numbers:
            trees.setdefault(self.forest.root(number), []).append(number)
        if len(trees) < 2:
            return
        bearers = [bearer(r, mine, self.own(r), self.records) for r, mine in trees.items()]
        found = sides(bearers, self._order)
        for side in found:
            for other in side.trees[1:]:
                self._join(side.trees[0], other, "asset_tag", value)
        if len(found) != 1:
            self.split_tags.update((root, value) for root in trees)

    def _order(self, one: Bearer) -> tuple[float, str]:
        return min((self.records.times[n], self.records.name(n)) for n in one.trees)

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
            for other in own[1:]:
                self._join_if_compatible(own[0], other, kind, value)

    def _join_if_compatible(self, one: int, other: int, key: str, value: str) -> bool:
        a, b = self.forest.root(one), self.forest.root(other)
        if a == b:
            return True
        if self._differ(a, b) or (key in WEAK and self._listed_apart(a, b)):
            return False
        return self._join(a, b, key, value)

    def _join(self, one: int, other: int, key: str, value: str) -> bool:
        """Join two trees and what they have of their own."""
        low, high = sorted((self.forest.root(one), self.forest.root(other)))
        held, rows = self.held, self.rows  # as they are before
        if low == high or not self.forest.join(low, high, key, value):
            return low == high
        if high in held:
            held[low] = tuple(x | y for x, y in zip(self.own(low), held.pop(high), strict=True))
        if high in rows:
            rows.setdefault(low, []).extend(rows.pop(high))
        return True

    @cached_property
    def rows(self) -> dict[int, list[int]]:
        """Per tree: its rows of lists."""
        found: dict[int, list[int]] = {}
        for number in self.records.told:
            found.setdefault(self.forest.root(number), []).append(number)
        return found

    def _listed_apart(self, one: int, other: int) -> bool:
        """Tell whether one list names the two as two devices."""
        mine, theirs = self.rows.get(one), self.rows.get(other)
        if not mine or not theirs:
            return False
        runs, told = self.records.runs, self.records.told
        of_run: dict[str, set[Told]] = {}
        for number in mine:
            of_run.setdefault(runs[number], set()).add(told[number])
        return any(
            rows_differ(row, told[number])
            for number in theirs
            for row in of_run.get(runs[number], ())
        )

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
        return (
            bool(macs and macs2 and not macs & macs2)
            or serials_differ(serials, serials2)
            or bool(tags and tags2 and not tags & tags2)
        )

    def _addresses(self) -> None:
        for value, numbers in self._tied("ip"):
            live = [n for n in numbers if not (self.proxied(n) and self.records.linked[n])]
            if len(live) > 1:
                for part in parts(live, self.records, self.forest.root):
                    self._one_address(value, part)

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
            roots = {self.forest.root(n) for n in numbers}
            if not 1 < len(roots) <= SAME_HOST_MOST or self._at_once(numbers):
                continue
            for first, *rest in parts(numbers, self.records, self.forest.root):
                for other in rest:
                    self._join_if_compatible(first, other, "hostname", value)

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
        links: dict[int, dict[tuple[str, str], Link]] = {}
        for number, key, value in self.forest.joins:
            made = links.setdefault(self.forest.root(number), {})
            made.setdefault((key, value), link(key, value))
        for number, value in self.split_tags:
            made = links.setdefault(self.forest.root(number), {})
            made.setdefault((SHARED_TAG, value), link(SHARED_TAG, value))
        silent, names = self._silent(), self._names(members)
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
