"""What correlation remembers of each ledger row: its keys and its time, never its content."""

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

from auditor.identify.bare_rows import BareRow, bare_row
from auditor.identify.bridged import Said, bridged
from auditor.identify.hearsay import Claim, Link, doubt, is_claim, nobody, placed
from auditor.identify.keys import STRONG, Keys, keys_of
from auditor.identify.names import normalised
from auditor.identify.told import Told, told_of
from auditor.model.address import AddressSet
from auditor.model.coverage_note import NOTHING, read_note
from auditor.model.observation import Origin, Outcome, StoredAttempt

PROXY_ADDRESSES = 8  # IPv4 addresses behind one MAC in one run: a router answers for them
INTERFACES = 2  # registered hardware addresses of one recorder
SHARED = 4  # a key that ties together more of another key is no key (pasted, default)
# The doubt about what was said at an address for which two hardware addresses answer: of whom
# it was said is not known, or only by who was lent to the kernel.
TWO_STATIONS = "two_stations"
_ARP = frozenset({"arp", "ndp", "link"})  # who answers these speaks for itself
SWEEP_OF_ALL = "arp"  # the sweep whose silence tells that nobody is at an address


@dataclass(frozen=True)
class Records:
    """Parallel lists, one entry per record of a present device; and the silent questions.

    pairs: kind -> (record, earlier record with the same key). by_ip, by_host, by_local: only
    keys that several records share are worth a list.
    """

    keys: list[Keys] = field(default_factory=list)
    seqs: "array[int]" = field(default_factory=lambda: array("q"))
    times: "array[float]" = field(default_factory=lambda: array("d"))
    sites: list[str] = field(default_factory=list)
    runs: list[str] = field(default_factory=list)
    linked: bytearray = field(default_factory=bytearray)  # 1: a link-layer answer, no content
    details: dict[int, str] = field(default_factory=dict)
    firsts: dict[tuple[str, str], dict[str, int]] = field(default_factory=dict)
    more: dict[tuple[str, str], dict[str, list[int]]] = field(default_factory=dict)
    silent: list[tuple[int, str, str, str, float]] = field(default_factory=list)
    answered_for: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)
    noted: set[tuple[str, str, str]] = field(default_factory=set)  # MACs that a sweep called so
    _first_ip: dict[tuple[str, str, str], str] = field(default_factory=dict)
    claims: list[tuple[StoredAttempt, Keys]] = field(default_factory=list)
    astray: dict[int, str] = field(default_factory=dict)  # row -> address that it came from
    answered: bytearray = field(default_factory=bytearray)  # 1: an answer to a question of ours
    swept: dict[tuple[str, str], list[str]] = field(default_factory=dict)  # notes of ARP sweeps
    _first_mac: dict[tuple[str, str, str], str] = field(default_factory=dict)
    disputed: set[tuple[str, str, str]] = field(default_factory=set)  # site, run, address
    spoken: set[int] = field(default_factory=set)  # a conversation, with whom it was held
    doubts: dict[int, str] = field(default_factory=dict)  # row -> what speaks against it
    told: dict[int, Told] = field(default_factory=dict)  # record -> what a list's row says
    at_home: set[tuple[str, str]] = field(default_factory=set)  # lists that name their own site
    bare_rows: dict[int, BareRow] = field(default_factory=dict)
    officers: set[int] = field(default_factory=set)  # records that a named person stands for
    said: Said = field(default_factory=Said)  # how hosts presented themselves
    noticed: bytearray = field(default_factory=bytearray)  # 1: heard by us or others, no list

    def take(self, stored: StoredAttempt) -> None:
        """Remember one ledger row."""
        attempt = stored.attempt
        keys = keys_of(attempt)
        if keys.empty and not attempt.observations:
            if attempt.tool == SWEEP_OF_ALL:
                self.swept.setdefault((stored.site, stored.run), []).append(attempt.detail)
            return  # the summary of a sweep: coverage, no device
        started = attempt.started.timestamp()
        if not keys.present:
            if keys.ip:
                self.silent.append((stored.seq, stored.site, stored.run, keys.ip, started))
            return
        claims = attempt.origin is Origin.WIRE and attempt.endpoint.transport == "udp"
        if claims and keys.ip and (keys.hardware or is_claim(attempt)):
            self.claims.append((stored, keys))  # until it is known who answers where
            return
        self._add(stored, keys)

    def settle(self) -> None:
        """Place what replies claim of addresses, now that every row was taken; doubt what may."""
        if self.claims:
            self._place()
        for number, keys in enumerate(self.keys) if self.disputed else ():
            where = self.sites[number], self.runs[number], keys.ip or ""
            alone = not keys.hardware or number in self.spoken
            if alone and where in self.disputed and not self.linked[number]:
                self.doubts.setdefault(self.seqs[number], TWO_STATIONS)

    def _place(self) -> None:
        link = Link()
        runs = {(stored.site, stored.run) for stored, _ in self.claims}
        for number, keys in enumerate(self.keys):
            if self.linked[number] and (self.sites[number], self.runs[number]) in runs:
                link.saw((self.sites[number], self.runs[number]), keys)
        silent = self._nowhere()
        for stored, keys in self.claims:
            claim = Claim((stored.site, stored.run), keys, stored.attempt)
            nowhere = silent.get(claim.where, NOTHING)
            where = placed(claim, link, nowhere)
            if where != keys:
                self.astray[stored.seq] = where.ip or ""
            if why := doubt(claim, where, link, nowhere):
                self.doubts[stored.seq] = why
            self._add(stored, where)
        self.claims.clear()
        self.swept.clear()

    def _nowhere(self) -> dict[tuple[str, str], AddressSet]:
        """Give, per site and run, the claimed addresses that gave no answer to anything."""
        claimed: dict[tuple[str, str], set[str]] = {}
        for stored, keys in self.claims:
            where = (stored.site, stored.run)
            if keys.ip and where in self.swept and not self._there(where, keys.ip):
                claimed.setdefault(where, set()).add(keys.ip)
        return {
            where: AddressSet.single(ips).meet(nobody(self.swept[where]))
            for where, ips in claimed.items()
        }

    def _there(self, where: tuple[str, str], ip: str) -> bool:
        """Tell whether somebody at an address answered a question of a run that was put to it."""
        site, run = where
        first = self.firsts.get((site, "ip"), {}).get(ip)
        numbers = self.more.get((site, "ip"), {}).get(ip, [] if first is None else [first])
        return any(self.answered[n] and self.runs[n] == run for n in numbers)

    def _add(self, stored: StoredAttempt, keys: Keys) -> None:
        attempt, started = stored.attempt, stored.attempt.started.timestamp()
        number = len(self.keys)
        self.keys.append(keys)
        self.seqs.append(stored.seq)
        self.times.append(started)
        self.sites.append(stored.site)
        self.runs.append(stored.run)
        self.linked.append(attempt.endpoint.transport in _ARP)
        self.said.note(number, attempt)
        self.answered.append(attempt.origin is Origin.WIRE and not is_claim(attempt))
        self.noticed.append(attempt.origin is Origin.WIRE or attempt.origin is Origin.SIGHTING)
        if not (keys.macs or keys.serials or keys.ids):
            self.details[number] = f"{attempt.tool} {attempt.detail}"[:200]
        if attempt.origin is not Origin.WIRE:
            self._tell(number, stored)
        self._index(number, keys)
        if attempt.outcome is Outcome.GARBLED and keys.ip is None and keys.hardware:
            told = read_note(attempt.detail)
            named = keys.hardware if told and told.proxy else ()
            self.noted.update((stored.site, stored.run, mac) for mac in named)
        # who connects learns the hardware address as well: the kernel asked ARP for it
        met = attempt.origin is Origin.WIRE and attempt.endpoint.transport == "tcp"
        if keys.ip and ":" not in keys.ip and (self.linked[number] or met):
            if any(seen.field != "mac" for seen in attempt.observations):
                self.spoken.add(number)
            for mac in keys.hardware:
                self._behind(stored.site, stored.run, mac, keys.ip)
                place = stored.site, stored.run, keys.ip
                if self._first_mac.setdefault(place, mac) != mac:
                    self.disputed.add(place)

    def _tell(self, number: int, stored: StoredAttempt) -> None:
        """Remember what a row of a list says, besides its keys."""
        if stored.attempt.origin is Origin.OFFICER:
            self.officers.add(number)
        if self.keys[number].empty and (row := bare_row(stored.attempt)):
            self.bare_rows[number] = row
        told = told_of(stored.attempt)
        if told is None:
            return
        self.told[number] = told
        if told.place and told.place == normalised(stored.site):
            self.at_home.add((stored.site, stored.run))

    def _index(self, number: int, keys: Keys) -> None:
        site = self.sites[number]
        for kind, values in named_keys(keys):
            firsts = self.firsts.setdefault((site, kind), {})
            for value in values:
                first = firsts.setdefault(value, number)
                if first != number:
                    self.more.setdefault((site, kind), {}).setdefault(value, [first]).append(number)

    def _behind(self, site: str, run: str, mac: str, ip: str) -> None:
        key = (site, run, mac)
        first = self._first_ip.setdefault(key, ip)
        if first != ip:
            self.answered_for.setdefault(key, {first}).add(ip)

    def proxies(self) -> dict[str, frozenset[str]]:
        """Give, per site, the MACs that answer for many addresses."""
        found: dict[str, set[str]] = {}
        for (site, _, mac), ips in self.answered_for.items():
            if len(ips) >= PROXY_ADDRESSES:
                found.setdefault(site, set()).add(mac)
        for key in self.noted & self._first_ip.keys():
            found.setdefault(key[0], set()).add(key[2])  # some of them are hosts of their own
        return {site: frozenset(macs) for site, macs in found.items()}

    def bridged(self) -> frozenset[tuple[str, str]]:
        """Give (site, MAC) of those behind which different machines stand."""
        few = {key: ips for key, ips in self.answered_for.items() if len(ips) < PROXY_ADDRESSES}
        if not few:
            return frozenset()
        places = {(site, run, ip) for (site, run, _), ips in few.items() for ip in ips}
        wanted: dict[int, tuple[str, str, str]] = {}
        for number in self.said.records:
            where = (self.sites[number], self.runs[number], self.keys[number].ip or "")
            if where in places:
                wanted[number] = where
        return frozenset(bridged(few, self.said.at(wanted)))

    def shared(self, site: str, kind: str) -> frozenset[str]:
        """Give the values of a strong key that tie together too much to be a key."""
        found = set()
        for value, numbers in self.more.get((site, kind), {}).items():
            if kind == "serial" and len(numbers) > INTERFACES and self._worn(numbers):
                found.add(value)
            if len(numbers) <= SHARED:
                continue
            if kind != "mac" and self.scattered(numbers):
                found.add(value)
            for other in STRONG:
                if other == kind:
                    continue
                values = {v for n in numbers for v in dict(named_keys(self.keys[n])).get(other, ())}
                if len(values) > SHARED:
                    found.add(value)
        return frozenset(found)

    def _worn(self, numbers: Iterable[int]) -> bool:
        """Tell whether one run saw more hardware addresses with a serial than one device has."""
        macs: dict[str, set[str]] = {}
        for number in numbers:
            macs.setdefault(self.runs[number], set()).update(self.keys[number].macs)
        return any(len(several) > INTERFACES for several in macs.values())

    def scattered(self, numbers: Iterable[int]) -> bool:
        """Tell whether one run saw these records at many addresses."""
        ips: dict[str, set[str]] = {}
        for number in numbers:
            if ip := self.keys[number].ip:
                ips.setdefault(self.runs[number], set()).add(ip)
        return any(len(several) >= PROXY_ADDRESSES for several in ips.values())

    def name(self, number: int) -> str:
        """Write what a device that begins with this record is named after."""
        keys = self.keys[number]
        parts = [self.sites[number], f"{self.times[number]:.6f}"]
        for kind, values in named_keys(keys):
            parts += [f"{kind}={value}" for value in values]
        parts.append("" if keys.tags else self.details.get(number, ""))
        return "\n".join(parts)

    def full_name(self, number: int) -> str:
        """Write all that tells a record from others that are named alike."""
        return "\n".join([
            self.name(number), self.details.get(number, ""), *self.told.get(number, ()),
        ])  # fmt: skip


def named_keys(keys: Keys) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Give the keys of a record by kind, strong ones first."""
    if keys.bare:
        return (("ip", (keys.ip,)),) if keys.ip else ()
    return (
        ("mac", keys.macs),
        ("serial", keys.serials),
        ("sadp_id", keys.ids),
        ("asset_tag", keys.tags),
        ("serial_end", keys.serial_ends),
        ("discovery_id", keys.discovery_ids),
        ("local_mac", keys.local_macs),
        ("ip", (keys.ip,) if keys.ip else ()),
        ("hostname", keys.hostnames),
    )
