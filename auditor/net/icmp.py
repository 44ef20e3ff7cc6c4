"""Who answers an echo (RFC 792), behind routers as well; silence tells nothing.

The payload is a keyed hash of the address asked, so that an answer proves whom it comes from.
What routers say cannot be reached is kept as their word. Needs CAP_NET_RAW.
"""

import asyncio
import random
import secrets
import socket
import struct
from collections.abc import AsyncIterator, Callable

from auditor.model.address import AddressSet, Range, address
from auditor.model.coverage_note import Note
from auditor.model.observation import Attempt, Endpoint, Outcome
from auditor.net import barred
from auditor.net.arp import BULK_PER_S, BULK_SIZE, WAIT_S, stretches
from auditor.net.dial import ending
from auditor.net.echo import ECHO, ECHO_REPLY, echo, is_answer
from auditor.net.everything import suspects
from auditor.net.filters import ECHOES_OR_ERRORS
from auditor.net.guard import Guard, Kind
from auditor.net.interfaces import require_raw
from auditor.net.routes import Way

SOL_RAW, ICMP_FILTER = 255, 1
_UNREACHABLE = 3
_PROTOCOL_ICMP = 1


async def sweep_icmp(
    guard: Guard,
    targets: AddressSet,
    tick: Callable[[int], None] = lambda _: None,
    way: Way | None = None,
    mac: bytes = b"",
) -> AsyncIterator[list[Attempt]]:
    """Ask every IPv4 address of `targets` for an echo, stretch by stretch.

    way, mac: by which gateway all of them are reached; without, the kernel finds it.
    """
    require_raw()
    pace = guard.scope.pace.packets_per_s
    for stretch in stretches(targets, pace):
        asking = _Asking(guard, stretch, way)
        if way and mac and pace >= BULK_PER_S and stretch.size >= BULK_SIZE:
            yield await asking.ask_in_bulk(way, mac, tick)
            continue
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
            sock.settimeout(0)
            heard = ~(1 << ECHO_REPLY | 1 << _UNREACHABLE) & 0xFFFFFFFF
            sock.setsockopt(SOL_RAW, ICMP_FILTER, struct.pack("=I", heard))
            yield await asking.ask(sock, tick)


class _Asking:
    """A stretch of addresses while echoes are asked for."""

    def __init__(self, guard: Guard, asked: AddressSet, way: Way | None) -> None:
        self.guard, self.asked = guard, asked
        self.by = way.vantage() if way else "routed"
        self.key = secrets.token_bytes(16)
        self.answered: dict[str, int] = {}  # with the time to live of the answer
        self.unreachable: set[str] = set()
        self.barred: dict[str, str] = {}
        self.started = guard.clock()

    async def ask(self, sock: socket.socket, tick: Callable[[int], None]) -> list[Attempt]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        loop.add_reader(sock.fileno(), self._read, sock)
        try:
            for number in range(self.guard.scope.pace.rounds):
                await self._round(sock, number, tick)
                until = loop.time() + WAIT_S
                while len(self.answered) < self.asked.size and loop.time() < until:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        finally:
            loop.remove_reader(sock.fileno())
        return self._attempts(round(loop.time() - began, 3))

    async def ask_in_bulk(self, way: Way, mac: bytes, tick: Callable[[int], None]) -> list[Attempt]:
        """Ask with frames of our own making through the gateway, all in one volley."""
        from auditor.net.icmp_bulk import LEAST, EchoQuestions
        from auditor.net.unreachable import LOOK
        from auditor.net.volley import fire

        began = asyncio.get_running_loop().time()
        questions = EchoQuestions(self.guard, way, mac, self.asked)
        await fire(
            self.guard,
            way.interface,
            ECHOES_OR_ERRORS,
            questions,
            Kind.PACKET,
            LOOK,
            tick,
            least=LEAST,
        )
        pairs = zip(questions.numbers.tolist(), questions.lives.tolist(), strict=True)
        self.answered = {address(4, ip): ttl for ip, ttl in pairs if ttl}
        said = questions.complaints.said
        self.barred = {address(4, ip): barred.words(*told) for ip, told in said.items()}
        return self._attempts(round(asyncio.get_running_loop().time() - began, 3))

    async def _round(self, sock: socket.socket, number: int, tick: Callable[[int], None]) -> None:
        done = self.answered.keys() | self.unreachable
        waiting = [ip for ip in self.asked if ip not in done]
        random.shuffle(waiting)
        for ip in waiting:
            await self.guard.turn(Kind.PACKET, ip, 0, "icmp")
            data = echo(self.key, ip, number)
            try:
                sock.sendto(data, (ip, 0))
            except OSError as error:
                if ending(error)[0] is Outcome.NOT_TRIED:
                    self.unreachable.add(ip)
            self.guard.sent("icmp", ip, 0, len(data), "icmp", Kind.PACKET)
            tick(1 if number == 0 else 0)

    def _read(self, sock: socket.socket) -> None:
        for _ in range(1_024):
            try:
                packet, (ip, _) = sock.recvfrom(2_048)
            except OSError:
                return
            if ip in self.asked and is_answer(self.key, ip, packet):
                self.answered[ip] = packet[8]
            elif (told := self._complaint(packet)) and told[0] in self.asked and told[0] != ip:
                self.barred.setdefault(told[0], barred.words(ip, told[1]))

    def _complaint(self, packet: bytes) -> tuple[str, int] | None:
        """Read what a router says of an echo of ours: the address and its code (RFC 792)."""
        start = (packet[0] & 15) * 4 if packet else 0
        inner = packet[start + 8 :]
        if packet[start : start + 1] != bytes([_UNREACHABLE]) or len(inner) < 28:
            return None
        at = (inner[0] & 15) * 4
        mine = inner[9] == _PROTOCOL_ICMP and inner[at] == ECHO
        ourselves = packet[12:16] == inner[12:16]  # of a neighbour that our kernel does not find
        if not mine or ourselves or inner[at + 4 : at + 6] != self.key[:2]:
            return None
        return socket.inet_ntoa(inner[16:20]), packet[start + 1]

    def _attempts(self, elapsed_s: float) -> list[Attempt]:
        signs = {_number(ip): ttl for ip, ttl in self.answered.items()}
        boxes = suspects(self.asked, signs)
        hidden = AddressSet.of(Range(4, ip, ip) for box in boxes for ip in box.members)
        started, asked, told = self.started, self.asked, ("by", self.by)
        whole = Endpoint(transport="icmp")
        made = [
            Attempt(
                "icmp", Endpoint(ip, transport="icmp"), Outcome.ANSWERED, (), started, elapsed_s
            )
            for ip in sorted(self.answered, key=_number)
            if ip not in hidden
        ]
        count = str(len(made))
        said = {ip: why for ip, why in self.barred.items() if ip not in self.answered}
        made += barred.attempts("icmp", said, self.by, started, elapsed_s)
        if hidden:
            # a host among them gives its own answers to the sweeps that knock
            note = str(Note(hidden, proxy=hidden, told=(("router", "answers for all"), told)))
            made.append(Attempt("icmp", whole, Outcome.GARBLED, (), started, elapsed_s, note))
        left = AddressSet.single(self.unreachable)
        silent = asked.minus(AddressSet.single((*self.answered, *said))).minus(left)
        why = (("why", "no route"),) if left else ()
        note = str(Note(asked, silent, hidden, left, (*why, ("answered", count), told)))
        outcome = Outcome.SILENT if silent or left else Outcome.ANSWERED
        return [*made, Attempt("icmp", whole, outcome, (), started, elapsed_s, note)]


def _number(ip: str) -> int:
    return int.from_bytes(socket.inet_aton(ip), "big")
