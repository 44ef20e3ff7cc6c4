"""One datagram to a group on one segment, and everybody's answers to it.

Camera discovery works by multicast: a device answers whatever its own address is, so one that
still has its factory address on a foreign network is found as well. Its endpoint is recorded;
nothing here, and nothing later, contacts an address outside the scope.
"""

import asyncio
import contextlib
import secrets
import socket
import struct
from collections.abc import AsyncIterator

from auditor.model.coverage_note import DEAF, DROPPED, NOTHING, SEGMENT, Note
from auditor.model.observation import Attempt, Endpoint, Outcome
from auditor.net.arrivals import RECEIVE_BUFFER, Arrivals
from auditor.net.guard import Guard
from auditor.net.interfaces import Interface
from auditor.net.link import widen
from auditor.net.replies import Replies
from auditor.net.way_back import deaf
from auditor.plugins import Found, Sweep

LISTEN_S = 3.0
NO_WAY_BACK = "without CAP_NET_RAW rp_filter keeps replies from other networks away"


async def ask_group(
    guard: Guard, sweep: Sweep, interface: Interface, listen_s: float = LISTEN_S
) -> AsyncIterator[list[Attempt]]:
    """Ask the group of `sweep` on the segment of `interface`, as often as the pace allows.

    Gives, round by round, one ANSWERED attempt per device that the replies speak of, and at the
    end one for the segment (endpoint without an address) that says what was asked and how many
    replies came. Between the rounds, which may lie a minute apart, it goes on listening.
    """
    started, loop = guard.clock(), asyncio.get_running_loop()
    began = loop.time()
    replies = Replies(interface.on_link)
    arrivals = Arrivals(replies.add)
    with contextlib.ExitStack() as stack:
        asking = stack.enter_context(_socket(sweep.group, interface, 0))
        ears = [asking]
        if sweep.also_port:
            ears.append(stack.enter_context(_socket(sweep.group, interface, sweep.also_port)))
            guard.reports()  # by which the kernel joins the group, and later leaves it
            stack.callback(guard.reports)
        stack.enter_context(arrivals.listening(interface, sweep.group, ears))
        rounds = sweep.times(guard.scope.pace)
        # one id for all rounds (SOAP-over-UDP 1.1, appendix A): who answers twice says the same
        message = secrets.randbits(128)
        reading = asyncio.ensure_future(replies.read(sweep))
        stack.callback(reading.cancel)
        told: set[Found] = set()
        for number in range(rounds):
            await _ask(guard, sweep, interface, asking, message)
            await asyncio.sleep(listen_s / rounds)
            if reading.done():  # a reader that fails ends the sweep
                reading.result()
            if number == rounds - 1:
                reading.cancel()
                await arrivals.settle()
                await replies.read_rest(sweep)
            news = [one for one in replies.found if one not in told]
            told.update(news)
            elapsed_s = round(loop.time() - began, 3)
            yield [
                Attempt(
                    sweep.name, n.endpoint, Outcome.ANSWERED, n.observations, started, elapsed_s
                )
                for n in news
            ]
    unread = replies.dropped + arrivals.unread
    notes = (
        ("group", f"{sweep.group}:{sweep.port}"),
        ("devices", str(len(told))),
        ("replies", str(replies.counts["came"] + arrivals.unread)),
        *((DROPPED, str(unread)),) * bool(unread),
        ("rounds", str(rounds)),
        *((DEAF, NO_WAY_BACK),) * (":" not in sweep.group and deaf(interface)),
        (SEGMENT, ",".join(interface.on_link.texts())),
        ("by", interface.vantage()),
    )
    note = Note(asked=NOTHING, told=notes)  # a group is no question to each address
    outcome = Outcome.ANSWERED if told else Outcome.SILENT
    whole = Endpoint(port=sweep.port, transport="udp")
    yield [Attempt(sweep.name, whole, outcome, (), started, elapsed_s, str(note))]


async def _ask(
    guard: Guard, sweep: Sweep, interface: Interface, asking: socket.socket, message: int
) -> None:
    assert sweep.request, f"sweep {sweep.name} has nothing to ask"
    data = sweep.request(message)
    segment = interface.on_link.of_version(6) if ":" in sweep.group else interface.on_link
    await guard.group_turn(sweep.group, sweep.port, interface.name, segment)
    zone = (0, interface.index) if ":" in sweep.group else ()
    asking.sendto(data, (sweep.group, sweep.port, *zone))
    guard.sent("udp", sweep.group, sweep.port, len(data), sweep.name)


def _socket(group: str, interface: Interface, port: int) -> socket.socket:
    """Open a socket that sends to a group by one interface only, and never past a router."""
    family = socket.AF_INET6 if ":" in group else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(0)
    widen(sock, RECEIVE_BUFFER)
    if port:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        membership = socket.inet_pton(family, group) + struct.pack("=I", interface.index)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, interface.index)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_HOPS, 1)
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_LOOP, 0)
        sock.bind(("::", port))
        if port:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, membership)
        return sock
    source = socket.inet_aton(interface.ipv4 or "0.0.0.0")  # noqa: S104 any, on that interface
    request = struct.pack("=4s4si", socket.inet_aton(group), source, interface.index)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, request)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 1)
    sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 0)
    sock.bind(("", port))
    sock.setsockopt(socket.IPPROTO_IP, 49, 0)  # IP_MULTICAST_ALL: only groups joined here
    if port:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, request)
    with contextlib.suppress(PermissionError):  # older kernels let only root say so
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, interface.name.encode())
    return sock
