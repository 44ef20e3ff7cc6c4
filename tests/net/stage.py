"""Scopes, servers on 127.0.0.0/8, and a pair of namespaces joined by a cable."""

import asyncio
import ctypes
import multiprocessing
import os
import subprocess
import uuid
from dataclasses import replace
from datetime import UTC, datetime

from auditor.model.address import AddressSet
from auditor.model.scope import Authority, Pace, Scope
from auditor.net.guard import Guard

FAST = Pace(
    profile="test",
    arp_per_s=float("inf"),
    packets_per_s=float("inf"),
    connects_per_s=float("inf"),
    host_connects_per_s=float("inf"),
    host_open=4,
    host_total=1_000,
    rounds=2,
    discovery_per_30s=float("inf"),
)
NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def scope(*networks, excluded=(), ports=range(1, 65_536), never=(9100,), pace=FAST, **more):
    authority = more.pop("authority", Authority("tester", NOON))
    return Scope(
        site="TEST",
        networks=AddressSet.parse(networks),
        excluded=AddressSet.parse(excluded),
        ports=frozenset(ports),
        never=frozenset(never),
        pace=pace,
        authority=authority,
        **more,
    )


def guard(*networks, journal=None, clock=lambda: datetime.now(UTC), **more):
    return Guard(scope(*networks, **more), clock=clock, journal=journal)


def paced(**caps):
    return replace(FAST, **caps)


class Server:
    """A TCP server that plays one behaviour and keeps what it was told."""

    def __init__(self, behave):
        self.behave, self.told, self.connections = behave, [], 0
        self.server = None

    async def __aenter__(self):
        self.server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_):
        self.server.close()

    async def _serve(self, reader, writer):
        self.connections += 1
        try:
            await self.behave(self, reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def inside(namespace, play, pipe=None):
    """Play in a child process that lives in a network namespace; give what it returns."""
    if pipe is None:
        fork = multiprocessing.get_context("fork")
        mine, its = fork.Pipe()
        child = fork.Process(target=inside, args=(namespace, play, its), daemon=True)
        child.start()
        its.close()
        try:
            answer = mine.recv() if mine.poll(120) else EOFError("the scene took too long")
        finally:
            child.kill()
            child.join()
        if isinstance(answer, BaseException):
            raise answer
        return answer
    with open(f"/var/run/netns/{namespace}") as net:
        assert ctypes.CDLL(None, use_errno=True).setns(net.fileno(), 0) == 0
    try:
        pipe.send(play())
    except BaseException as error:
        pipe.send(error)
    os._exit(0)


class Aside:
    """A child process that plays in a namespace until it is dismissed.

    alone: it keeps nothing of ours open. A pipe that another thread has just made for a command
    would stay open in it, and whoever waits for its end would wait for the end of the play.
    """

    def __init__(self, namespace, play, *, alone=False):
        self.alone = alone
        fork = multiprocessing.get_context("fork")
        self.ready = fork.Event()
        self.child = fork.Process(target=self._play, args=(namespace, play), daemon=True)

    def _play(self, namespace, play):
        if self.alone:
            os.closerange(3, os.sysconf("SC_OPEN_MAX"))
        with open(f"/var/run/netns/{namespace}") as net:
            assert ctypes.CDLL(None, use_errno=True).setns(net.fileno(), 0) == 0
        play(self.ready)

    def __enter__(self):
        self.child.start()
        assert self.ready.wait(10)
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.join()


class Cable:
    """Two namespaces joined by a veth pair: `here` 10.9.0.1/24 looks, `there` answers."""

    def __init__(self):
        mark = uuid.uuid4().hex[:6]
        self.here, self.there = f"nh{mark}", f"nt{mark}"

    def run(self, *command, where=None, check=True, text=None):
        prefix = ["ip", "netns", "exec", where] if where else []
        return subprocess.run(
            [*prefix, *command], check=check, capture_output=True, timeout=60, text=True, input=text
        )

    def lay(self):
        for name in (self.here, self.there):
            self.run("ip", "netns", "add", name)
            self.run("ip", "link", "set", "lo", "up", where=name)
        self.ip(f"link add v0 netns {self.here} type veth peer name v1 netns {self.there}")
        self.ip("link set v0 up", self.here)
        self.ip("link set v1 up", self.there)
        self.ip("addr add 10.9.0.1/24 dev v0", self.here)
        for last in (10, 11, 12):
            self.ip(f"addr add 10.9.0.{last}/24 dev v1", self.there)

    def ip(self, said, where=None):
        self.run("ip", *said.split(), where=where)

    def cut(self):
        for name in (self.here, self.there):
            self.run("ip", "netns", "del", name, check=False)
