"""The nmap program as another engine: hosts, hardware addresses and open ports, by python-nmap.

python-nmap finds the program and says whether it is fit; it cannot end a run at once when the
authority ends, and its parser wants whole XML. So the program is started and its report read
here, as far as it goes: a run that was killed still tells what it had found. Nmap only sweeps; what
a device is, our own probes ask. Needs the nmap program; scanning by ARP and SYN needs root.
"""

import asyncio
import contextlib
import os
import re
import shutil
import signal
import socket
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime
from io import BytesIO
from xml.etree.ElementTree import Element, ParseError

from auditor.errors import DataError, EnvironmentLack
from auditor.model.address import AddressSet, Mac, Range, canonical_ip
from auditor.model.coverage_note import NOTHING, Note, notes
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.model.scope import Pace
from auditor.net import neighbours
from auditor.net.arp import proxies, stretches
from auditor.net.behind import common
from auditor.net.everything import OPEN, REFUSED, differs, noise, suspects
from auditor.net.guard import Guard, Kind

HOST_TIMEOUT_S = 60
MOST_OUTPUT = 256 << 20
NAME = "nmap"
AT_MOST = "handed to nmap: at most so many"
MARGIN = 0.8  # of the pace: nmap keeps a rate on average, and we owe it in any one second
_PORT_STATES = {"open": Outcome.ANSWERED, "closed": Outcome.REFUSED}
_STATES = {"open": OPEN, "closed": REFUSED}
# Characters that XML 1.0 forbids, bare or as a reference: nmap has written both.
_ILLEGAL = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f]"
    r"|&#(?:0*(?:[0-8]|1[124-9]|2[0-9]|3[01])|[xX]0*(?:[0-8bcefBCEF]|1[0-9a-fA-F]));"
)


Boxes = Mapping[str, AddressSet]  # hardware address, "" behind routers: what it answers for


@dataclass(frozen=True, slots=True)
class Spoken:
    """One host of nmap's report. ports: number -> state."""

    ip: str
    mac: str | None
    ports: tuple[tuple[int, str], ...]


def arguments(pace: Pace, ports: Sequence[int], *, raw: bool) -> list[str]:
    """Give the options of a run that keeps to the pace. No scripts, no versions, no guessing.

    Without ports it only finds out who is there, by ARP and echoes. With ports, those are also
    what hosts behind routers are first asked: nmap's own choice may not be authorised.
    """
    rate = min(pace.packets_per_s, pace.arp_per_s) if raw else pace.connects_per_s
    rate *= MARGIN if pace.delicate else 1.0
    named = ",".join(map(str, sorted(ports)))
    options = ["-n", "-sn", "-PE"] if not ports else ["-n", "-sS" if raw else "-sT", "-p", named]
    if ports:
        options += ["-PE", f"-PS{named}"] if raw else [f"-PS{named}"]
    if not raw:
        options += ["--unprivileged"]
    if rate < float("inf"):
        options += ["--max-rate", f"{max(rate, 0.1):g}"]
    options += ["--max-retries", str(max(0, pace.rounds - 1))]
    return [*options, "--host-timeout", f"{HOST_TIMEOUT_S}s", "-oX", "-"]


async def sweep_nmap(
    guard: Guard,
    targets: AddressSet,
    ports: Sequence[int],
    *,
    raw: bool,
    tick: Callable[[int], None] = lambda _: None,
    again: Callable[[AddressSet], AsyncIterator[list[Attempt]]] | None = None,
) -> AsyncIterator[list[Attempt]]:
    """Let nmap look at `targets`, a thousand addresses at a time.

    again: asks ARP for those for which a router answers: nmap keeps one hardware address each,
    and it may be the router's where a device answers as well.
    """
    program = find_program()
    ports = [port for port in ports if port in guard.scope.ports - guard.scope.never]
    if guard.scope.pace.delicate:  # nmap ends every connection with a reset
        ports = []
    four = AddressSet(tuple(piece for piece in targets.ranges if piece.version == 4))
    for piece in _thousands(four):
        started = guard.clock()
        await guard.meters[Kind.PACKET].turn()
        for ip in piece:
            guard.permit(ip, 0, "nmap")
        for port in ports:
            guard.permit(next(iter(piece)), port)
        _hand_over(guard, piece, ports, raw=raw)
        text = await _run(guard, [program, *arguments(guard.scope.pace, ports, raw=raw)], piece)
        # those to whom it made connections, the kernel asked for their hardware addresses
        known = {n.ip: n.mac for n in neighbours.known() if not n.state & neighbours.FAILED}
        made = attempts(text, piece, ports, started, known)
        yield made
        routers = (note.proxy for a, note in notes(made) if a.endpoint.mac)
        near = AddressSet.of(p for away in routers for p in away.ranges)
        if again and near:
            async for batch in again(near):
                yield batch
        tick(piece.size)


def _hand_over(guard: Guard, piece: AddressSet, ports: Sequence[int], *, raw: bool) -> None:
    """Write down what nmap may send at most, before it does: it does not say what it has sent."""
    rounds, where = max(1, guard.scope.pace.rounds), ",".join(piece.texts())
    asked = {"arp": 1, "icmp": 1, "syn": 2 * len(ports)} if raw else {"tcp": 2 * len(ports)}
    for transport, each in asked.items():
        if each:
            count = piece.size * each * rounds
            guard.sent(transport, where, 0, 0, NAME, count=count, note=AT_MOST)


def find_program() -> str:
    """Give the path of nmap as python-nmap finds it."""
    import nmap

    found = shutil.which("nmap")
    try:
        nmap.PortScanner(nmap_search_path=(found or "nmap",))
    except nmap.PortScannerError as error:
        raise EnvironmentLack(
            "the nmap program is not installed",
            why=str(error),
            hint="install nmap, or leave out --engine nmap: the built-in engine needs it not",
        ) from error
    return found or "nmap"


async def _run(guard: Guard, command: Sequence[str], piece: AddressSet) -> str:
    """Run nmap in a process group of its own; it is killed with us, and when the scope ends."""
    running = await asyncio.create_subprocess_exec(
        *_dying_with_us(),
        *command,
        "-iL",
        "-",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
        limit=1 << 20,
    )
    try:
        assert running.stdin
        assert running.stdout
        running.stdin.write("\n".join(piece.cidrs()).encode())
        running.stdin.close()
        text = bytearray()
        while len(text) < MOST_OUTPUT and (more := await running.stdout.read(1 << 16)):
            text += more
            if guard.revoked:
                break
    finally:
        if running.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            await running.wait()
    return text.decode("utf-8", "replace")


def _dying_with_us() -> list[str]:
    """Begin a command by which the kernel ends it when we are killed (prctl(2), PR_SET_PDEATHSIG).

    No pace, hour or exclusion would hold for it any more. setpriv is of util-linux; empty without it.
    """
    found = shutil.which("setpriv")
    return [found, "--pdeathsig", "KILL"] if found else []


def _thousands(targets: AddressSet) -> Iterator[AddressSet]:
    yield from stretches(targets, 1_024 / 30)


def read(text: str) -> tuple[list[Spoken], bool]:
    """Read a report as far as it goes; True when it was whole."""
    from defusedxml.common import DefusedXmlException
    from defusedxml.ElementTree import iterparse

    found: list[Spoken] = []
    try:
        for _, element in iterparse(BytesIO(_ILLEGAL.sub("?", text).encode())):
            spoken = _host(element) if element.tag == "host" else None
            found += [spoken] if spoken else []
            if element.tag == "host":
                element.clear()
    except (ParseError, DefusedXmlException):
        return found, False
    return found, True


def _host(element: Element) -> Spoken | None:
    status = element.find("status")
    if status is None or status.get("state") != "up":
        return None
    told = {a.get("addrtype"): a.get("addr", "") for a in element.findall("address")}
    try:
        ip = canonical_ip(told.get("ipv4") or told.get("ipv6") or "")
        mac = str(Mac.parse(told["mac"])) if told.get("mac") else None
    except DataError:
        return None
    ports = []
    for port in element.iter("port"):
        state = port.find("state")
        if port.get("portid", "").isdigit() and state is not None:
            ports.append((int(port.get("portid", "0")), state.get("state", "")))
    return Spoken(ip, mac, tuple(ports))


def _boxes(
    hosts: Sequence[Spoken], asked: AddressSet, ports: Sequence[int], sure: Set[str]
) -> Boxes:
    """Find who answers for addresses at which nobody is, by the rules of our own sweeps.

    sure: hardware addresses that nmap told.
    """
    states = {
        _number(host.ip): {p: _STATES[state] for p, state in host.ports if state in _STATES}
        for host in hosts
        if ":" not in host.ip
    }

    macs = {_number(h.ip): bytes.fromhex(h.mac.replace(":", "")) for h in hosts if h.mac}
    found = {}
    for mac, ips in proxies(asked, macs.items()).items():
        noisy = common(asked, ips, [states[ip] for ip in ips], ports)
        # ARP will be asked again for those of whom nmap itself told the hardware address
        again = mac.hex(":") in sure
        if hidden := [Range(4, i, i) for i in ips if again or not differs(states[i], noisy)]:
            found[mac.hex(":")] = AddressSet.of(hidden)
    far: list[Range] = []
    for suspect in suspects(asked, {ip: 0 for ip in states if ip not in macs}):
        noisy = noise(suspect, [states[ip] for ip in suspect.members], ports)
        alike = (ip for ip in suspect.members if noisy and not differs(states[ip], noisy))
        far += [Range(4, ip, ip) for ip in alike]
    return found | ({"": AddressSet.of(far)} if far else {})


def attempts(
    text: str,
    asked: AddressSet,
    ports: Sequence[int],
    started: datetime,
    known: Mapping[str, str] = {},
) -> list[Attempt]:
    """Turn a report into attempts; what was not reported is left when the report was cut short.

    known: hardware addresses by address, for hosts of which nmap tells none.
    """
    found, whole = read(text)
    sure = {host.mac for host in found if host.mac}
    found = [host if host.mac else replace(host, mac=known.get(host.ip)) for host in found]
    boxes = _boxes(found, asked, ports, sure)
    proxy = AddressSet.of(piece for away in boxes.values() for piece in away.ranges)
    made = []
    for host in (h for h in found if h.ip in asked and h.ip not in proxy):
        seen = (Observation("mac", host.mac),) if host.mac else ()
        where = Endpoint(host.ip, host.mac, transport="arp" if host.mac else "icmp")
        made.append(Attempt(NAME, where, Outcome.ANSWERED, seen, started))
        for port, state in host.ports:
            outcome = _PORT_STATES.get(state)
            if outcome:
                made.append(Attempt(NAME, Endpoint(host.ip, host.mac, port), outcome, (), started))
    for mac, away in boxes.items():
        seen = (Observation("mac", mac),) if mac else ()
        where = Endpoint(None, mac or None, 0, "arp" if mac else "icmp")
        note = str(Note(away, proxy=away, told=(("router", mac or "answers for all"),)))
        made.append(Attempt(NAME, where, Outcome.GARBLED, seen, started, detail=note))
    rest = asked.minus(AddressSet.single(h.ip for h in found))
    told: tuple[tuple[str, str], ...] = (
        ("scanned", ",".join(map(str, sorted(ports)))),
        ("answered", str(asked.minus(rest).minus(proxy).size)),
    )
    if not whole:
        told = (("why", "nmap was cut short"), *told)
    left = NOTHING if whole else rest
    note = str(Note(asked, rest if whole else NOTHING, proxy, left, told))
    outcome = Outcome.SILENT if rest else Outcome.ANSWERED
    return [*made, Attempt(NAME, Endpoint(), outcome, (), started, detail=note)]


def _number(ip: str) -> int:
    return int.from_bytes(socket.inet_aton(ip), "big")
