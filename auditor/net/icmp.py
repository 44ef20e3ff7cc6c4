"""Who answers an echo (RFC 792), behind routers as well; silence tells nothing.

The payload is a keyed hash of the address asked, so that an answer proves whom it comes from.
Needs CAP_NET_RAW.
"""

import asyncio
import random
import secrets
import socket
import struct
from collections.abc import AsyncIterator, Callable
from hashlib import blake2s

from auditor.model.address import AddressSet
from auditor.model.coverage_note import Note
from auditor.model.observation import Attempt, Endpoint, Outcome
from auditor.net.arp import WAIT_S, stretches
from auditor.net.dial import ending
from auditor.net.guard import Guard, Kind
from auditor.net.interfaces import require_raw

ECHO, ECHO_REPLY = 8, 0
TOKEN = 16  # octets of the keyed hash
SOL_RAW, ICMP_FILTER = 255, 1
_HEAD = struct.Struct("!BBHHH")


def checksum(data: bytes) -> int:
    """Give the Internet checksum (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo(key: bytes, ip: str, number: int) -> bytes:
    """Write the echo request that only `ip` can answer rightly."""
    token = blake2s(ip.encode(), key=key, digest_size=TOKEN).digest()
    name = int.from_bytes(key[:2], "big")
    blank = _HEAD.pack(ECHO, 0, 0, name, number) + token
    return _HEAD.pack(ECHO, 0, checksum(blank), name, number) + token


def is_answer(key: bytes, ip: str, packet: bytes) -> bool:
    """Tell whether an IPv4 packet from `ip` answers the echo that we sent it."""
    start = (packet[0] & 15) * 4 if packet else 0
    token = blake2s(ip.encode(), key=key, digest_size=TOKEN).digest()
    return packet[start : start + 1] == bytes([ECHO_REPLY]) and packet[start + 8 :] == token


async def sweep_icmp(
    guard: Guard, targets: AddressSet, tick: Callable[[int], None] = lambda _: None
) -> AsyncIterator[list[Attempt]]:
    """Ask every IPv4 address of `targets` for an echo, stretch by stretch."""
    require_raw()
    for stretch in stretches(targets, guard.scope.pace.packets_per_s):
        with socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as sock:
            sock.settimeout(0)
            sock.setsockopt(
                SOL_RAW, ICMP_FILTER, struct.pack("=I", ~(1 << ECHO_REPLY) & 0xFFFFFFFF)
            )
            yield await _Asking(guard, sock, stretch).ask(tick)


class _Asking:
    """A stretch of addresses while echoes are asked for."""

    def __init__(self, guard: Guard, sock: socket.socket, asked: AddressSet) -> None:
        self.guard, self.sock, self.asked = guard, sock, asked
        self.key = secrets.token_bytes(16)
        self.answered: set[str] = set()
        self.unreachable: set[str] = set()
        self.started = guard.clock()

    async def ask(self, tick: Callable[[int], None]) -> list[Attempt]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        loop.add_reader(self.sock.fileno(), self._read)
        try:
            for number in range(self.guard.scope.pace.rounds):
                await self._round(number, tick)
                until = loop.time() + WAIT_S
                while len(self.answered) < self.asked.size and loop.time() < until:  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
        finally:
            loop.remove_reader(self.sock.fileno())
        return self._attempts(round(loop.time() - began, 3))

    async def _round(self, number: int, tick: Callable[[int], None]) -> None:
        waiting = [ip for ip in self.asked if ip not in self.answered | self.unreachable]
        random.shuffle(waiting)
        for ip in waiting:
            await self.guard.turn(Kind.PACKET, ip, 0, "icmp")
            data = echo(self.key, ip, number)
            try:
                self.sock.sendto(data, (ip, 0))
            except OSError as error:
                if ending(error)[0] is Outcome.NOT_TRIED:
                    self.unreachable.add(ip)
            self.guard.sent("icmp", ip, 0, len(data), "icmp", Kind.PACKET)
            tick(1 if number == 0 else 0)

    def _read(self) -> None:
        for _ in range(1_024):
            try:
                packet, (ip, _) = self.sock.recvfrom(2_048)
            except OSError:
                return
            if ip in self.asked and is_answer(self.key, ip, packet):
                self.answered.add(ip)

    def _attempts(self, elapsed_s: float) -> list[Attempt]:
        made = [
            Attempt(
                "icmp",
                Endpoint(ip, transport="icmp"),
                Outcome.ANSWERED,
                (),
                self.started,
                elapsed_s,
            )
            for ip in self.asked
            if ip in self.answered
        ]
        left = AddressSet.single(self.unreachable)
        silent = self.asked.minus(AddressSet.single(self.answered)).minus(left)
        why = (("why", "no route"),) if left else ()
        note = Note(self.asked, silent, left=left, told=(*why, ("answered", str(len(made)))))
        outcome = Outcome.SILENT if silent or left else Outcome.ANSWERED
        whole = Endpoint(transport="icmp")
        return [*made, Attempt("icmp", whole, outcome, (), self.started, elapsed_s, str(note))]
