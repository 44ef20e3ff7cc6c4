"""Which ports are open, asked with bare SYN segments (RFC 9293, 3.10.7) to hosts that are there.

Each goes to the hardware address that the host itself gave, or to that of the gateway in front of
it, so no neighbour table stands in the way. The sequence number is a keyed hash of address and port: an answer proves by its
acknowledgement that it answers us, and nothing is remembered per question. The kernel ends the
half-open connections with an RST; the gentle profile therefore connects instead.
"""

import asyncio
import math
import secrets
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from auditor.model.address import address
from auditor.model.coverage_note import Note
from auditor.model.observation import Attempt, Endpoint, Outcome
from auditor.net.bulk import Fence, Numbers, checksum, hashed, octets, set_of, words, written
from auditor.net.everything import OPEN, REFUSED
from auditor.net.filters import ETH_P_IP, TCP, segments
from auditor.net.guard import Guard, Kind
from auditor.net.interfaces import Interface
from auditor.net.rings import Frames
from auditor.net.routes import Way
from auditor.net.volley import Beat, Indices, fire

FRAME, LOOK = 60, 54  # octets that are sent, and looked at
# Above the ports that Linux gives to its own connections (ip_local_port_range).
FIRST_OWN_PORT, LAST_OWN_PORT = 61_000, 65_535
HOST_SECOND_S = 1.01  # between two waves to the same host
_SYN, _RST, _SYN_ACK = 0x02, 0x04, 0x12
_MSS = bytes.fromhex("020405b4")  # 1460, as every host sends it: a SYN without it stands out


class SynQuestions:
    """Is this port of this host open? state: per question 0 silent, 1 refused, 2 open."""

    def __init__(
        self,
        guard: Guard,
        interface: Interface,
        hosts: Mapping[int, bytes],
        ports: Sequence[int],
        way: Way | None = None,
    ) -> None:
        self.own_port = FIRST_OWN_PORT + secrets.randbelow(LAST_OWN_PORT - FIRST_OWN_PORT)
        self.hosts: Numbers = np.array(sorted(hosts), np.uint32)
        self.ports = np.array(sorted(ports), np.uint16)
        self.ips = np.repeat(self.hosts, len(self.ports))
        self.doors = np.tile(self.ports, len(self.hosts))
        macs = b"".join(hosts[int(ip)] for ip in self.hosts)
        self.macs = np.frombuffer(macs, np.uint8).reshape(-1, 6).repeat(len(self.ports), axis=0)
        self.state = np.zeros(len(self.ips), np.uint8)
        self.fence, self.followed = Fence(guard), guard.followed
        self.key = np.uint64(secrets.randbits(64))
        own = way.source if way else interface.source_for(address(4, int(self.hosts[0])))
        self.source = own or "0.0.0.0"  # noqa: S104
        self.template = _template(interface, socket.inet_aton(self.source), self.own_port)

    def __len__(self) -> int:
        return len(self.ips)

    def numbered(self, ips: Numbers, ports: NDArray[np.uint16]) -> NDArray[np.uint32]:
        """Give the sequence number for each address and port: a hash that only we can make."""
        pairs = ips.astype(np.uint64) << np.uint64(16) | ports.astype(np.uint64)
        return (hashed(pairs, self.key) >> np.uint64(32)).astype(np.uint32)

    def frames(self, which: Indices) -> Frames:
        """Write the segments with their checksums."""
        ips, ports = self.ips[which], self.doors[which]
        frames = np.repeat(self.template, len(which), axis=0)
        frames[:, 0:6] = self.macs[which]
        frames[:, 30:34] = octets(ips.astype(">u4"))
        frames[:, 36:38] = octets(ports.astype(">u2"))
        numbers = octets(self.numbered(ips, ports).astype(">u4"))
        frames[:, 38:42] = numbers
        frames[:, 18:20] = numbers[:, 2:]  # what a router sends back of it proves to be ours
        frames[:, 24:26] = octets(checksum(words(frames[:, 14:34])).astype(">u2"))
        sums = words(frames[:, 26:58])  # both addresses of the pseudo-header, then TCP
        sums[:, 0] += TCP + 24
        frames[:, 50:52] = octets(checksum(sums).astype(">u2"))
        return frames

    def permit(self, guard: Guard, which: Indices) -> None:
        """Let these segments pass the scope."""
        self.fence.permit(guard, self.ips[which], self.doors[which])

    def journal(self, guard: Guard, which: Indices) -> None:
        """Note these segments, one line per port."""
        if not guard.journal:
            return
        ips, doors = self.ips[which], self.doors[which]
        for port in self.ports:
            if (asked := ips[doors == port]).size:
                guard.sent("syn", written(asked), int(port), 0, "syn", None, len(asked))

    def read(self, frames: Frames, tags: NDArray[np.int32]) -> Indices:  # noqa: ARG002
        """Note the answers that prove to be ours."""
        which, states, _ = self.answers(frames)
        self.state[which] = states
        return which

    def answers(self, frames: Frames) -> tuple[Indices, NDArray[np.uint8], Frames]:
        """Give of the answers to us: which question, refused or open, and the frame."""
        frames = frames[frames[:, 14] == 0x45]  # a reply with IP options tells no more
        ips = frames[:, 26:30].copy().view(">u4")[:, 0].astype(np.uint32)
        ports = frames[:, 34:36].copy().view(">u2")[:, 0].astype(np.uint16)
        acked = frames[:, 42:46].copy().view(">u4")[:, 0].astype(np.uint32)
        flags = frames[:, 47]
        host = np.minimum(np.searchsorted(self.hosts, ips), len(self.hosts) - 1)
        door = np.minimum(np.searchsorted(self.ports, ports), len(self.ports) - 1)
        ours = (self.hosts[host] == ips) & (self.ports[door] == ports)
        ours &= acked - np.uint32(1) == self.numbered(ips, ports)
        refused = (flags & _RST) != 0
        ours &= refused | ((flags & _SYN_ACK) == _SYN_ACK)
        self.followed(int((~refused[ours]).sum()))  # the kernel ends each with a reset
        which: Indices = (host * len(self.ports) + door)[ours].astype(np.int64)
        return which, np.where(refused[ours], REFUSED, OPEN).astype(np.uint8), frames[ours]


async def sweep_syn(
    guard: Guard,
    hosts: Mapping[int, bytes],
    ports: Sequence[int],
    interface: Interface,
    tick: Callable[[int], None] = lambda _: None,
    way: Way | None = None,
) -> AsyncIterator[list[Attempt]]:
    """Ask ports of hosts (IPv4 number -> hardware address that leads there).

    way: by which gateway, whose hardware address it is then; None on the link.

    Gives one ANSWERED or REFUSED attempt per port that answered, wave by wave, and at the end
    for each wave one whose note says under `scanned` which ports were asked of every host.
    """
    ports = sorted(p for p in ports if p in guard.scope.ports - guard.scope.never)
    if not hosts or not ports:
        return
    pace, started, began = guard.scope.pace, guard.clock(), time.monotonic()
    free = math.isinf(pace.host_connects_per_s)
    size = len(ports) if free else max(1, int(pace.host_connects_per_s))
    waves = [
        SynQuestions(guard, interface, hosts, ports[at : at + size], way)
        for at in range(0, len(ports), size)
    ]
    sent, beat = [0] * len(waves), None if free else Beat(len(hosts), HOST_SECOND_S)
    ended: list[Attempt] = []
    for number in range(rounds := 1 if free else pace.rounds):
        for at, questions in enumerate(waves):
            if not (questions.state > 0).all():
                told = await fire(
                    guard,
                    interface,
                    segments(questions.own_port),
                    questions,
                    Kind.PACKET,
                    LOOK,
                    tick if number == 0 else lambda _: None,
                    rounds=None if free else 1,
                    answered=questions.state > 0,
                    beat=beat,
                )
                sent[at] += told.sent
            if number == rounds - 1:  # thousands of rows are kept while the next wave waits
                took_s = round(time.monotonic() - began, 3)
                yield _attempts(questions, way or interface, started, took_s)
                ended.append(_whole(questions, sent[at], way or interface, started, took_s))
    yield ended  # while the hosts rest it is read: whom to ask what
    if beat:  # whoever speaks to them next keeps to it as well
        await host_second(float(beat.last.max()))


async def host_second(last: float) -> None:
    """Wait until a host may be asked again: each has its own cap, in any one second."""
    await asyncio.sleep(max(0.0, last + HOST_SECOND_S - time.monotonic()))


def _attempts(
    questions: SynQuestions, by: Interface | Way, started: datetime, elapsed_s: float
) -> list[Attempt]:
    doors, states = questions.ports.tolist(), questions.state.reshape(-1, len(questions.ports))
    macs = questions.macs[:: len(doors)].tobytes()
    there = [
        (address(4, number), None if isinstance(by, Way) else macs[6 * at : 6 * at + 6].hex(":"))
        for at, number in enumerate(questions.hosts.tolist())
    ]
    ends = {OPEN: Outcome.ANSWERED, REFUSED: Outcome.REFUSED}
    # port by port: the ledger writes rows that differ in the host alone four times as fast
    return [
        Attempt("syn", Endpoint(*there[host], door), end, (), started, elapsed_s)
        for at, door in enumerate(doors)
        for state, end in ends.items()
        for host in np.flatnonzero(states[:, at] == state).tolist()
    ]


def _whole(
    questions: SynQuestions, sent: int, by: Interface | Way, started: datetime, elapsed_s: float
) -> Attempt:
    """Say what was asked of all, and of whom nothing was heard."""
    said = (
        ("scanned", ",".join(map(str, questions.ports.tolist()))),
        ("open", str(int((questions.state == OPEN).sum()))),
        ("sent", str(sent)),
        ("by", by.vantage()),
    )
    heard = questions.state.reshape(-1, len(questions.ports)).any(axis=1)
    note = Note(set_of(questions.hosts), set_of(questions.hosts[~heard]), told=said)
    outcome = Outcome.SILENT if note.silent else Outcome.ANSWERED
    return Attempt("syn", Endpoint(transport="tcp"), outcome, (), started, elapsed_s, str(note))


def _template(interface: Interface, source: bytes, own_port: int) -> Frames:
    mac = bytes.fromhex(interface.mac.replace(":", ""))
    ethernet = struct.pack("!6s6sH", bytes(6), mac, ETH_P_IP)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 44, 0, 0x4000, 64, TCP, 0, source, bytes(4))
    tcp = struct.pack("!HHIIBBHHH", own_port, 0, 0, 0, 0x60, _SYN, 64_240, 0, 0) + _MSS
    return np.frombuffer((ethernet + ip + tcp).ljust(FRAME, b"\0"), np.uint8).reshape(1, FRAME)
