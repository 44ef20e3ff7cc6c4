"""The rules by which records are joined, one method each, in the order of their weight."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from auditor.identify.bare_rows import again
from auditor.identify.bridged import SHARED_MAC
from auditor.identify.crowds import parts
from auditor.identify.decided import Decided
from auditor.identify.forest import Forest
from auditor.identify.gathered import Gathering, Group
from auditor.identify.hearsay import EARLIER_HOLDER, VISIT
from auditor.identify.keys import STRONG, serials_differ
from auditor.identify.records import SHARED, Records
from auditor.identify.tags import Bearer, bearer, sides
from auditor.identify.told import Told, makers_differ, rows_differ

WINDOW_S = 45 * 86_400.0  # a monthly scan still meets the one before it
WEAK = frozenset({"ip_in_window", "hostname"})
CAREFUL = ("serial_end", "discovery_id", "local_mac")
LONG_SERIAL = 10  # characters; shorter serials of two makers may be alike
_NO_VOICE = (frozenset[str](), frozenset[str]())
SAME_HOST_MOST = 6  # a host name that more devices bear is a default


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
        ended = Gathering(records, self.forest, self.split_tags, self.bridged, self.proxies)
        return tuple(ended.groups())

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
                for machine in self._machines(site, kind, value, joined):
                    self._knit(machine, kind, value)

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

    @cached_property
    def bridged(self) -> frozenset[tuple[str, str]]:
        """Give (site, MAC) of those behind which different machines stand."""
        return self.records.bridged()

    def _machines(
        self, site: str, kind: str, value: str, numbers: list[int]
    ) -> Iterable[list[int]]:
        """Part the records of a key: those of a hardware address of several machines by IP address."""
        if not kind.endswith("mac") or (site, value) not in self.bridged:
            return (numbers,)
        found: dict[str | None, list[int]] = {}
        for number in numbers:
            found.setdefault(self.records.keys[number].ip, []).append(number)
            if self.records.linked[number]:
                self.records.doubts.setdefault(self.records.seqs[number], SHARED_MAC)
        return found.values()

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
            for machine in self._machines(site, kind, value, own):
                for other in machine[1:]:
                    self._join_if_compatible(machine[0], other, kind, value)

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
        held, rows, voices = self.held, self.rows, self.voices  # as they are before
        if low == high or not self.forest.join(low, high, key, value):
            return low == high
        if high in held:
            held[low] = tuple(x | y for x, y in zip(self.own(low), held.pop(high), strict=True))
        if high in rows:
            rows.setdefault(low, []).extend(rows.pop(high))
        if high in voices:
            ids, frames = voices.get(low, _NO_VOICE)
            more, others = voices.pop(high)
            voices[low] = (ids | more, frames | others)
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
