"""One sweep of the shadow farm, ARP and then SYN, as a process of its own; prints one line."""

import asyncio
import sys
import time
from datetime import UTC, datetime

from auditor.model.address import AddressSet
from auditor.model.observation import Outcome
from auditor.model.scope import Authority, Pace, Scope
from auditor.net.arp import sweep_arp
from auditor.net.guard import Guard
from auditor.net.interfaces import for_target, interfaces
from auditor.ourselves import seldom_tidied, tidied_seldom

PORTS = (80, 443, 554, 8000, 8080, 37777)


async def sweep(network, rounds, pace_per_s, arp_only):
    cap = float(pace_per_s or "inf")
    free = Pace("bench", cap, cap, cap, float("inf"), 100, 10_000, rounds)
    targets, nothing = AddressSet.parse([network]), AddressSet()
    now = datetime.now(UTC)
    scope = Scope(
        "BENCH", targets, nothing, frozenset(PORTS), frozenset({9100}), free,
        Authority("bench", now),
    )  # fmt: skip
    guard = Guard(scope, clock=lambda: datetime.now(UTC))
    interface = for_target(network.split("/")[0], interfaces())
    hosts = {}
    sent = 0
    async for batch in sweep_arp(guard, targets, interface):
        for attempt in batch:
            if attempt.endpoint.ip:
                ip = int.from_bytes(bytes(map(int, attempt.endpoint.ip.split("."))), "big")
                hosts[ip] = bytes.fromhex(attempt.endpoint.mac.replace(":", ""))
            elif "sent=" in attempt.detail:
                sent += int(attempt.detail.split("sent=")[1].split(";")[0])
    asked_s = time.monotonic()
    opened = 0
    if arp_only:
        return len(hosts), 0, sent, 0.0
    from auditor.net.syn import sweep_syn

    async for batch in sweep_syn(guard, hosts, PORTS, interface):
        opened += sum(a.outcome is Outcome.ANSWERED and a.endpoint.ip is not None for a in batch)
        told = (a.detail for a in batch if "sent=" in a.detail)
        sent += sum(int(detail.split("sent=")[1].split(";")[0]) for detail in told)
    return len(hosts), opened, sent, time.monotonic() - asked_s


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2
    pace = sys.argv[3] if len(sys.argv) > 3 else None
    tidied_seldom()  # as every command of the program
    with seldom_tidied():  # as every scan
        live, opened, sent, syn_s = asyncio.run(sweep(sys.argv[1], rounds, pace, "arp" in sys.argv))
    print(
        f"live={live} open={opened} sent={sent} syn_s={syn_s:.3f} cpu_s={time.process_time():.2f}"
    )


if __name__ == "__main__":
    main()
