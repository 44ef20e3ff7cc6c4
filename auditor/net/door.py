"""One conversation of a probe with one port: TCP, TLS or UDP, limited in time and size.

A probe says what to send and reads what came; this module owns the socket. Three clocks end
every conversation (to connect, between bytes, in all), and a limit every reply.
"""

import asyncio
import socket
import ssl
from datetime import datetime

from auditor.errors import DataError, ScopeRefusal
from auditor.model.coverage_note import RESET
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.net.dial import Ended, dial, ending, open_socket
from auditor.net.guard import BudgetSpent, Guard, Kind
from auditor.net.line import DRAIN_S, Line, old_tls
from auditor.net.parting import part
from auditor.plugins import Heard, Peer, Probe, Say

TOTAL_S = 5.0
SLOW_S = 1.0  # a conversation that takes so long is trouble, whatever it brought
HANDSHAKE = 4  # frames after our first, with acknowledgements (RFC 5246, 7.3; RFC 8446, 2)
MOST_STEPS = 400  # observations and questions of one conversation


class _Talk:
    """One probe's conversation with one peer, over as many connections as it asks for."""

    def __init__(self, guard: Guard, peer: Peer, probe: Probe) -> None:
        self.guard, self.peer, self.probe = guard, peer, probe
        self.loop = asyncio.get_running_loop()
        self.line: Line | None = None
        # a second handle of the connection under a delicate pace: whatever closes the first, also
        # a failed TLS handshake, the connection itself ends as politely as any (see parting)
        self.held: socket.socket | None = None
        self.left_s = TOTAL_S
        self.heard: list[Heard] = []
        self.started: datetime | None = None

    async def ask(self, say: Say) -> Heard:
        """Put one question, on a new connection where that is asked for."""
        if self.line is None or say.fresh:
            await self.hang_up()
            if self._broke_off():
                return self._note(Heard(b"", Outcome.SILENT, b"", "not asked again"))
            found = await self._connect()
            if isinstance(found, Ended):
                return self._note(Heard(b"", found.outcome, b"", found.detail))
            self.line = found
        if say.data:
            self.guard.permit(self.peer.ip, self.peer.port, self.probe.transport)
        if say.data and self.probe.transport == "udp":
            await self.guard.turn(Kind.PACKET, self.peer.ip, self.peer.port, "udp")
        elif say.data:
            await self.guard.segment_turn()
            self.line.counted = True
        began = self.loop.time()
        waiting = self.line.exchange(say, began + self.left_s)
        if say.data:
            size, where = len(say.data), (self.probe.transport, self.peer.ip, self.peer.port)
            self.guard.sent(*where, size, self.probe.name)
        heard = await waiting
        self.left_s -= self.loop.time() - began
        return self._note(heard)

    def _note(self, heard: Heard) -> Heard:
        self.heard.append(heard)
        return heard

    def _broke_off(self) -> bool:
        """Tell whether a delicate peer has reset a connection in this conversation."""
        if not self.guard.scope.pace.delicate:
            return False
        return any(heard.detail.startswith(RESET) for heard in self.heard)

    async def hang_up(self) -> None:
        """Close the line politely, if there is one."""
        line, self.line = self.line, None
        held, self.held = self.held, None
        counted = False
        try:
            if line and not line.datagrams:
                # our FIN, and the word that theirs came, which may have gone before
                line.parting = True
                await self.guard.segment_turn(1 if line.farewell else 2)
                counted = True
            if line:
                await line.close()
        finally:
            if held:
                if line:  # TLS says goodbye first
                    await asyncio.wait([line.lost], timeout=DRAIN_S)
                await part(self.guard, held, max(DRAIN_S, self.left_s), counted=counted)

    async def _connect(self) -> Line | Ended:
        if self.left_s <= 0:
            return Ended(Outcome.SILENT, "no time was left for another connection")
        if self.probe.transport == "udp":
            self.guard.spend(self.peer.ip)
            self.started = self.started or self.guard.clock()
            return await self._datagrams()
        return await self._dial()

    async def _datagrams(self) -> Line | Ended:
        self.guard.permit(self.peer.ip, self.peer.port, "udp")
        place = self.guard.sockaddr(self.peer.ip, self.peer.port)
        sock = None
        try:
            sock = open_socket(self.peer.ip, socket.SOCK_DGRAM)
            sock.connect(place)  # sends nothing: it only keeps others' datagrams out
            _, line = await self.loop.create_datagram_endpoint(
                lambda: Line(self.loop, datagrams=True), sock=sock
            )
        except OSError as error:
            if sock:
                sock.close()
            return Ended(*ending(error))
        return line

    async def _dial(self) -> Line | Ended:
        ip, port = self.peer.ip, self.peer.port
        found = await dial(self.guard, ip, port, self.probe.name, self.left_s)
        self.started = self.started or self.guard.clock()
        self.left_s -= found.took_s
        if found.sock is None:
            return found.ended
        if self.guard.scope.pace.delicate:
            self.held = found.sock.dup()
        began = self.loop.time()
        try:
            return await self._speak(found.sock)
        except ssl.SSLError as error:
            found.sock.close()
            return Ended(Outcome.GARBLED, f"TLS handshake failed: {error.reason or error}")
        except ConnectionResetError:
            found.sock.close()
            return Ended(Outcome.GARBLED, "TLS handshake broken off")
        except (ConnectionAbortedError, TimeoutError):  # asyncio's word for the clock running out
            found.sock.close()
            return Ended(Outcome.SILENT, "connected, no TLS handshake")
        except OSError as error:
            found.sock.close()
            return Ended(*ending(error))
        finally:
            self.left_s -= self.loop.time() - began

    def _line(self) -> Line:
        counted = self.guard.followed if self.guard.wire else None
        return Line(self.loop, followed=counted)

    async def _speak(self, sock: socket.socket) -> Line:
        """Put the connected socket under a Line, inside TLS where the port wants it."""
        if not self.peer.tls:
            _, line = await self.loop.create_connection(self._line, sock=sock)
            return line
        patience_s = max(0.1, self.left_s)
        await self.guard.segment_turn()
        _, line = await self.loop.create_connection(
            self._line,
            sock=sock,
            ssl=old_tls(),
            server_hostname="",
            ssl_handshake_timeout=patience_s,
            ssl_shutdown_timeout=0.3,
        )
        self.guard.followed(HANDSHAKE)
        return line


async def converse(
    guard: Guard, peer: Peer, probe: Probe, seen: list[Observation] | None = None
) -> Attempt | None:
    """Let `probe` speak with `peer`; None when the probe had nothing to ask.

    seen: is filled as the probe observes, so that a probe which fails leaves what it saw.
    """
    seen = [] if seen is None else seen
    talk = _Talk(guard, peer, probe)
    began = guard.clock()
    verdict: Ended | None = None
    try:
        async with guard.seat(peer.ip):
            try:
                await _drive(talk, seen)
            except asyncio.CancelledError:
                talk.left_s = 0.0  # nobody waits for us to hear the peer out
                raise
            finally:
                await talk.hang_up()
    except DataError as error:
        verdict = Ended(Outcome.GARBLED, str(error))
    except (ScopeRefusal, BudgetSpent) as error:
        verdict = Ended(Outcome.NOT_TRIED, f"{error.what}: {error.why}")
    if not talk.heard and not seen and verdict is None:
        return None
    ended = _conclude(talk.heard, seen, verdict)
    elapsed_s = round(max(0.0, TOTAL_S - talk.left_s), 4)
    if probe.transport == "tcp" and (not ended.outcome.is_knowledge or elapsed_s > SLOW_S):
        guard.troubled(peer.ip)
    return Attempt(
        tool=probe.name,
        endpoint=Endpoint(ip=peer.ip, port=peer.port, transport=probe.transport),
        outcome=ended.outcome,
        observations=tuple(seen),
        started=talk.started or began,
        elapsed_s=elapsed_s,
        detail=ended.detail,
    )


async def _drive(talk: _Talk, seen: list[Observation]) -> None:
    speaking = talk.probe.speak(talk.peer)
    heard: Heard | None = None
    try:
        for _ in range(MOST_STEPS):
            step = speaking.send(heard)
            if isinstance(step, Observation):
                seen.append(step)
                heard = None
            elif step.tells and talk.peer.needless and talk.peer.needless(seen, step.tells):
                return
            else:
                heard = await talk.ask(step)
    except StopIteration:
        return
    finally:
        speaking.close()


def _conclude(heard: list[Heard], seen: list[Observation], verdict: Ended | None) -> Ended:
    """Say how the whole conversation ended: by the best that any question of it brought."""
    broken = next((h for h in heard if h.detail.startswith(RESET)), None)
    if any(h.data or h.certificate for h in heard):
        if verdict and verdict.outcome is Outcome.GARBLED:
            return verdict
        answered = any(h.outcome is Outcome.ANSWERED or h.certificate for h in heard)
        outcome = Outcome.ANSWERED if answered and seen else Outcome.GARBLED
        note = verdict.detail if verdict else "" if seen else "not this protocol"
        return Ended(outcome, broken.detail if broken else note)
    if verdict or not heard:
        return verdict or Ended(Outcome.ANSWERED, "")
    ranks = (Outcome.GARBLED, Outcome.REFUSED, Outcome.SILENT, Outcome.NOT_TRIED, Outcome.CRASHED)
    best = min(heard, key=lambda h: ranks.index(h.outcome))
    return Ended(best.outcome, best.detail)
