"""A /16 of simulated stations in a namespace: ARP and TCP handshakes answered frame by frame.

One process answers for every live address, with a hardware address of each host's own; the
kernel's TCP takes no part, so peers are compared on the network and not on a server. Loss and
delay are made here. Used by the sweep benches only.
"""

import argparse
import heapq
import time

import numpy as np

from auditor.net.bulk import checksum
from auditor.net.interfaces import interfaces, named
from auditor.net.rings import Rings

PORTS = (80, 443, 554, 8000, 8080, 37777)
# ARP requests, and TCP to anywhere (EtherType IPv4, protocol 6)
PROGRAM = (
    (0x28, 0, 0, 12), (0x15, 0, 2, 0x0806), (0x28, 0, 0, 20), (0x15, 3, 4, 1),
    (0x15, 0, 3, 0x0800), (0x30, 0, 0, 23), (0x15, 0, 1, 6), (0x06, 0, 0, 0x40000),
    (0x06, 0, 0, 0),
)  # fmt: skip


def mix(values):
    """Spread numbers evenly over 32 bits, the same way in every run."""
    x = values.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x ^= x >> np.uint64(29)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    return ((x >> np.uint64(32)) & np.uint64(0xFFFFFFFF)).astype(np.uint32)


class Farm:
    """Who is live, and what each of its ports does: open, refused or silent."""

    def __init__(self, first, size, live):
        self.first, self.size = first, size
        numbers = np.arange(size, dtype=np.uint32) + np.uint32(first)
        self.live = mix(numbers) < np.uint32(int(live * 0xFFFFFFFF))
        self.live[[0, 1, size - 1]] = False
        self.live_count = int(self.live.sum())

    def port_state(self, numbers, ports):
        """0 silent, 1 refused, 2 open."""
        dice = mix(numbers.astype(np.uint64) * np.uint64(65_536) + ports.astype(np.uint64)) % 100
        return np.where(dice < 52, 2, np.where(dice < 90, 1, 0))

    def truth(self):
        numbers = np.flatnonzero(self.live).astype(np.uint32) + np.uint32(self.first)
        states = [self.port_state(numbers, np.full(len(numbers), port)) for port in PORTS]
        return numbers, sum(int((state == 2).sum()) for state in states)

    def answer(self, frames):
        """Give the frames that answer these."""
        arp = (frames[:, 12] == 8) & (frames[:, 13] == 6)
        return [self.arp(frames[arp]), self.tcp(frames[~arp])]

    def _there(self, numbers):
        at = numbers.astype(np.int64) - self.first
        inside = (at >= 0) & (at < self.size)
        return inside & self.live[np.where(inside, at, 0)]

    def arp(self, frames):
        frames = frames[:, :60]
        ips = frames[:, 38:42].copy().view(">u4")[:, 0].astype(np.uint32)
        frames = frames[self._there(ips)]
        answer = np.zeros((len(frames), 60), np.uint8)
        answer[:, 12:22] = frames[:, 12:22]
        answer[:, 21] = 2
        answer[:, 0:6] = answer[:, 32:38] = frames[:, 6:12]
        answer[:, 38:42] = frames[:, 28:32]
        answer[:, 28:32] = frames[:, 38:42]
        answer[:, 22:28] = self.macs(frames[:, 38:42])
        answer[:, 6:12] = answer[:, 22:28]
        return answer

    def macs(self, ips):
        macs = np.empty((len(ips), 6), np.uint8)
        macs[:, 0], macs[:, 1] = 0x02, 0x77
        macs[:, 2:] = ips
        return macs

    def tcp(self, frames):
        frames = frames[frames[:, 47] == 2]  # SYN alone
        ips = frames[:, 30:34].copy().view(">u4")[:, 0].astype(np.uint32)
        ports = frames[:, 36:38].copy().view(">u2")[:, 0].astype(np.uint32)
        states = self.port_state(ips, ports)
        speaks = self._there(ips) & (states > 0)
        frames, states = frames[speaks], states[speaks]
        answer = np.zeros((len(frames), 60), np.uint8)
        answer[:, 0:6], answer[:, 12:14] = frames[:, 6:12], frames[:, 12:14]
        answer[:, 6:12] = self.macs(frames[:, 30:34])
        answer[:, 14], answer[:, 17], answer[:, 22], answer[:, 23] = 0x45, 40, 64, 6
        answer[:, 26:30], answer[:, 30:34] = frames[:, 30:34], frames[:, 26:30]
        answer[:, 34:36], answer[:, 36:38] = frames[:, 36:38], frames[:, 34:36]
        acked = frames[:, 38:42].copy().view(">u4")[:, 0].astype(np.uint32) + np.uint32(1)
        answer[:, 42:46] = acked.astype(">u4").view(np.uint8).reshape(-1, 4)
        answer[:, 46], answer[:, 48] = 0x50, 0xFA
        answer[:, 47] = np.where(states == 2, 0x12, 0x14)
        head = answer[:, 14:34].copy().view(">u2").astype(np.uint32)
        answer[:, 24:26] = checksum(head).astype(">u2").view(np.uint8).reshape(-1, 2)
        words = np.concatenate((answer[:, 26:34], answer[:, 34:54]), axis=1)
        pseudo = words.copy().view(">u2").astype(np.uint32)
        pseudo[:, 0] += 6 + 20
        answer[:, 50:52] = checksum(pseudo).astype(">u2").view(np.uint8).reshape(-1, 2)
        return answer


def serve(farm, interface, loss, delay_s):
    dice = np.random.default_rng(1)
    later, number = [], 0
    with Rings(named(interface, interfaces()), PROGRAM) as rings:
        chatter = time.monotonic()
        while True:
            wait = min(0.05, max(0.0, later[0][0] - time.monotonic())) if later else 0.05
            rings.wait(wait)
            frames, _ = rings.take(62, least=42)
            if len(frames):
                frames = frames[dice.random(len(frames)) >= loss]
                for answer in farm.answer(frames):
                    number += 1
                    heapq.heappush(later, (time.monotonic() + delay_s, number, answer))
            while later and later[0][0] <= time.monotonic():
                answer = heapq.heappop(later)[2]
                while len(answer):
                    answer = answer[rings.send(answer) :]
            if time.monotonic() - chatter > 0.05:  # libpcap can hang on a silent link
                chatter = time.monotonic()
                rings.send(np.full((1, 60), 0xFF, np.uint8))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--interface", default="v1")
    parser.add_argument("--first", default=0x0A4D0000, type=int)
    parser.add_argument("--size", default=65_536, type=int)
    parser.add_argument("--live", default=0.05, type=float)
    parser.add_argument("--loss", default=0.0, type=float)
    parser.add_argument("--delay", default=0.0, type=float)
    said = parser.parse_args()
    serve(Farm(said.first, said.size, said.live), said.interface, said.loss, said.delay)


if __name__ == "__main__":
    main()
