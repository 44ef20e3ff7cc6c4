"""Assesses ledgers of any size: devices one by one, on all cores, nothing held but the answers.

The same rooms as in `audit`, fed row by row. Each worker reads the ledger for itself and
works out its share of the devices; what comes back is one line of text for each.
"""

import json
import multiprocessing
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from multiprocessing.connection import Connection, wait

from auditor.audit import When, relations_of
from auditor.errors import LedgerError
from auditor.identify.build import build
from auditor.identify.correlate import group
from auditor.identify.gathered import Group
from auditor.identify.identify import identify
from auditor.identify.knowledge import Knowledge
from auditor.identify.meant import meant
from auditor.inventory.coverage import coverage as covered
from auditor.model.decision import Decision, DecisionKind
from auditor.model.device import Assessed, Coverage
from auditor.model.observation import StoredAttempt
from auditor.policy.decisions import with_decisions
from auditor.policy.judge import World, findings_of, verdicts, world_of
from auditor.policy.pack import Pack
from auditor.store.ledger import Ledger

BATCH = 1_000  # lines that a worker sends at once
FEW = 5_000  # devices that one process does sooner than two


@dataclass(frozen=True, slots=True)
class Told:
    """What was concluded of one device. facts: which ledger rows it rests on."""

    device: str
    site: str
    name: str
    maker: str | None
    standing: str
    verdicts: tuple[tuple[str, str], ...]
    facts: str


@dataclass(frozen=True, slots=True)
class Task:
    """What is the same for all devices."""

    url: str
    knowledge: Knowledge
    packs: tuple[Pack, ...]
    world: World
    groups: tuple[Group, ...]


def prepare(
    ledger: Ledger,
    url: str,
    knowledge: Knowledge,
    packs: Sequence[Pack],
    when: When,
    presence: frozenset[str],
    organisation: Mapping[str, str],
) -> tuple[Task, Coverage]:
    """Group the ledger's rows by device and gather what all of them share."""
    runs, decisions = ledger.runs(), ledger.decisions()
    looked = any(run.kind in {"scan", "listen"} for run in runs)
    seen = covered(runs, ledger.attempts() if looked else (), presence)
    groups = group(ledger.attempts(), decisions)
    world = world_of(
        (),
        relations_of(knowledge),
        decisions,
        seen,
        when.as_of,
        when.zone,
        site_facts={site: ledger.site_facts(site) for site in ledger.sites()},
        organisation=dict(organisation) | ledger.organisation_facts(),
        now=when.moment(runs, decisions),
    )
    return Task(url, knowledge, tuple(packs), world, groups), seen


def fits(decisions: Iterable[Decision]) -> bool:
    """Tell whether devices can be judged one by one: an exemption's limit counts them all."""
    return not any(decision.kind is DecisionKind.EXEMPTION for decision in decisions)


def conclude(task: Task, workers: int = 0) -> Iterator[Told]:
    """Give what is concluded of every device, in no particular order."""
    count = workers or (os.cpu_count() or 1)
    if count == 1 or len(task.groups) < FEW:
        yield from _share(task, 0, 1)
        return
    context = multiprocessing.get_context("fork")  # groups and knowledge are not copied
    pipes: list[Connection] = []
    running = []
    for number in range(count):
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(target=_work, args=(task, number, count, theirs), daemon=True)
        worker.start()
        theirs.close()
        pipes.append(ours)
        running.append(worker)
    try:
        yield from _collected(pipes)
    finally:
        for worker in running:
            worker.kill() if pipes else worker.join()
    if any(worker.exitcode for worker in running):
        raise LedgerError("an assessment worker died", hint="run it again; nothing is lost")


def _collected(pipes: list[Connection]) -> Iterator[Told]:
    while pipes:
        for ready in wait(pipes):
            assert isinstance(ready, Connection)
            try:
                lines = json.loads(ready.recv_bytes())
            except EOFError:
                pipes.remove(ready)
                continue
            for device, site, name, maker, standing, worst, facts in lines:
                verdicts_said = tuple((pack, verdict) for pack, verdict in worst)
                yield Told(device, site, name, maker, standing, verdicts_said, facts)


def _work(task: Task, number: int, count: int, out: Connection) -> None:
    waiting: list[tuple[object, ...]] = []
    for told in _share(task, number, count):
        row = (told.device, told.site, told.name, told.maker, told.standing)
        waiting.append((*row, told.verdicts, told.facts))
        if len(waiting) == BATCH:
            out.send_bytes(json.dumps(waiting).encode())
            waiting = []
    out.send_bytes(json.dumps(waiting).encode())
    out.close()


def _share(task: Task, number: int, count: int) -> Iterator[Told]:
    """Work out every `count`th device; its rows are held only until the last has come."""
    mine = range(number, len(task.groups), count)
    owner = {seq: at for at in mine for seq in _rows(task.groups[at])}
    missing = {at: len(_rows(task.groups[at])) for at in mine}
    held: dict[int, list[StoredAttempt]] = {}
    with Ledger.open(task.url) as ledger:
        for stored in ledger.attempts():
            at = owner.get(stored.seq)
            if at is None:
                continue
            held.setdefault(at, []).append(stored)
            missing[at] -= 1
            if not missing[at]:
                yield _told(task, task.groups[at], held.pop(at))


def _rows(one: Group) -> tuple[int, ...]:
    return tuple(dict.fromkeys(chain(one.seqs, one.silent)))


def _told(task: Task, one: Group, rows: Sequence[StoredAttempt]) -> Told:
    by_seq = {stored.seq: stored for stored in rows}
    device = build(
        one.id,
        one.links,
        one.proxies,
        (by_seq[seq] for seq in one.seqs),
        (by_seq[seq] for seq in one.silent),
        one.astray,
        one.doubts,
    )
    assessed = Assessed(device, identify(device, task.knowledge))
    named = partial(meant, makers=task.knowledge.makers)
    assessed = with_decisions(assessed, task.world.register.about(assessed), named)
    found = verdicts(findings_of((assessed,), task.packs, task.world)).get(device.id, {})
    return Told(
        device.id,
        device.site,
        next(iter((*device.ips, *device.macs, *device.hostnames)), ""),
        assessed.identity.maker.value,
        str(assessed.identity.standing),
        tuple((pack, str(verdict)) for pack, verdict in found.items()),
        f"{len(rows)}:{max(by_seq)}",
    )
