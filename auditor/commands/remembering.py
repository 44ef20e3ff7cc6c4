"""`assess`: concludes anew, remembers what it concluded, and says what changed and why."""

import gc
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor import audit, mass, wiring
from auditor.commands.setting import Setting
from auditor.commands.terminal import safe
from auditor.model.data_version import DataVersion
from auditor.model.policy import SEVERITY, Verdict
from auditor.policy.pack import Pack
from auditor.store.ledger import Ledger
from auditor.store.values import Opinion

VERSION = "assess/1"
BASIS = "!basis"  # in place of a device: what the opinions rest on; sorts before all
JUDGING = 2  # goes up when this program judges the same facts otherwise than before
SHOWN = 50  # changes printed; the rest is counted


@dataclass(frozen=True, slots=True)
class Basis:
    """What a conclusion rested on, besides the facts. snapshot: name of all of it."""

    snapshot: str
    data: tuple[tuple[str, str], ...]
    packs: tuple[tuple[str, str], ...]
    as_of: str
    judging: int = JUDGING

    @classmethod
    def of(
        cls, snapshot: str, versions: tuple[DataVersion, ...], packs: tuple[Pack, ...], as_of: str
    ) -> "Basis":
        """Gather it from what is loaded."""
        data = tuple((version.name, version.sha256) for version in versions)
        return cls(snapshot, data, tuple((pack.id, pack.sha256) for pack in packs), as_of)

    def text(self) -> str:
        """Write it as the ledger keeps it."""
        return json.dumps([self.snapshot, self.data, self.packs, self.as_of, self.judging])

    @classmethod
    def read(cls, text: str) -> "Basis":
        """Read it back."""
        snapshot, data, packs, as_of, *more = json.loads(text)
        judging = more[0] if more else 1
        return cls(snapshot, tuple(map(tuple, data)), tuple(map(tuple, packs)), as_of, judging)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an assessment came to. moved: lines on what changed since the last one."""

    devices: int
    verdicts: tuple[tuple[Verdict, int], ...]
    not_assessed: int
    whole: bool | None  # None where no network was scanned
    moved: tuple[str, ...] = ()
    more: int = 0
    again: bool = field(default=False)


def assess(
    setting: Setting, ledger: Ledger, packs: tuple[Pack, ...], when: audit.When, extra: Path | None
) -> Answer:
    """Conclude, unless nothing at all has changed since the last time."""
    known = wiring.knowledge((extra,) if extra else ())
    versions = known.versions(when.as_of)
    basis = Basis.of(
        audit.snapshot_of(ledger, packs, versions, when).id,
        versions,
        packs,
        when.as_of.isoformat(),
    )
    before = _basis(ledger)
    if before and (before[0].snapshot, before[0].judging) == (basis.snapshot, JUDGING):
        return _read(before[1])
    kind = setting.text("organisation_kind")
    gc.disable()  # millions of small values without cycles: looking for some costs a third
    task, seen = mass.prepare(
        ledger,
        setting.db,
        known,
        packs,
        when,
        wiring.presence(),
        {"kind": kind} if kind else {},
    )
    old = _Memory(o for o in ledger.opinions(VERSION) if before)
    counted: Counter[Verdict] = Counter()
    moved: list[str] = []
    total = _Counts()

    def opinions() -> Iterator[Opinion]:
        for told in mass.conclude(task):
            total.devices += 1
            worst = min((Verdict(v) for _, v in told.verdicts), key=SEVERITY.index, default=None)
            counted[worst or Verdict.UNDETERMINED] += 1
            new = Opinion(told.device, told.facts, _doc(told))
            line = _moved(told, old.of(told), before[0], basis) if before else ""
            if line:
                total.moved += 1
                moved.append(line) if len(moved) < SHOWN else None
            yield new

    fresh = list(opinions()) if before else opinions()
    if before:
        ledger.forget_opinions(VERSION)
    ledger.save_opinions(VERSION, fresh)
    answer = Answer(
        total.devices,
        tuple((verdict, counted[verdict]) for verdict in SEVERITY),
        seen.not_assessed,
        seen.complete if seen.subnets else None,
        tuple(moved),
        total.moved - len(moved),
    )
    ledger.save_opinions(VERSION, [Opinion(BASIS, basis.text(), _written(answer))])
    return answer


class _Memory:
    """Finds what was last concluded of a device, which an older record may have renamed."""

    def __init__(self, opinions: Iterable[Opinion]) -> None:
        self._by_id: dict[str, Opinion] = {}
        self._by_place: dict[tuple[str, str], Opinion] = {}
        for opinion in opinions:
            if opinion.device != BASIS:
                self._by_id[opinion.device] = opinion
                site, name = json.loads(opinion.doc)[3:5]
                self._by_place[site, name] = opinion

    def of(self, told: mass.Told) -> Opinion | None:
        """Give the last opinion by the device's id, else by its site and first address."""
        return self._by_id.get(told.device) or self._by_place.get((told.site, told.name))


class _Counts:
    def __init__(self) -> None:
        self.devices = self.moved = 0


def _doc(told: mass.Told) -> str:
    said = [told.maker, told.standing, dict(told.verdicts), told.site, told.name]
    return json.dumps(said, ensure_ascii=False)


def _moved(told: mass.Told, old: Opinion | None, before: Basis, now: Basis) -> str:
    """Say in one line what changed of a device and why; empty where nothing did."""
    if old is None:
        return ""
    was: tuple[Any, Any, Mapping[str, str]] = tuple(json.loads(old.doc))
    said = []
    if was[0] != told.maker or was[1] != told.standing:
        said.append(
            f"was {was[0] or 'unknown'} ({was[1]}), now {told.maker or 'unknown'} ({told.standing})"
        )
    said += [
        f"{pack}: was {was[2][pack]}, now {verdict}"
        for pack, verdict in told.verdicts
        if pack in was[2] and was[2][pack] != verdict
    ]
    if not said:
        return ""
    return f"{told.site} {told.name} ({told.device}): {'; '.join(said)}; {_why(told, old, before, now)}"


def _why(told: mass.Told, old: Opinion, before: Basis, now: Basis) -> str:
    if old.facts != told.facts:
        return "because of new facts"
    data = [name for name, _ in set(now.data) ^ set(before.data)]
    packs = [name for name, _ in set(now.packs) ^ set(before.packs)]
    reasons = [f"new {name}" for name in sorted(set(data))]
    reasons += [f"another version of {name}" for name in sorted(set(packs))]
    reasons += [f"judged as of {now.as_of}"] if now.as_of != before.as_of else []
    reasons += ["another version of this program"] if now.judging != before.judging else []
    return "same facts, " + (", ".join(reasons) or "an officer's decision")


def _basis(ledger: Ledger) -> tuple[Basis, Opinion] | None:
    found = next(iter(ledger.opinions(VERSION)), None)
    held = found is not None and found.device == BASIS
    return (Basis.read(found.facts), found) if found and held else None


def _written(answer: Answer) -> str:
    counts = [[str(verdict), count] for verdict, count in answer.verdicts]
    return json.dumps([answer.devices, counts, answer.not_assessed, answer.whole])


def _read(kept: Opinion) -> Answer:
    devices, counts, not_assessed, whole = json.loads(kept.doc)
    verdicts = tuple((Verdict(verdict), count) for verdict, count in counts)
    return Answer(devices, verdicts, not_assessed, whole, again=True)


def tell(setting: Setting, answer: Answer) -> None:
    """Say on stderr what changed."""
    if answer.again:
        setting.say("nothing has changed since the last assessment")
    for line in answer.moved:
        setting.say(safe(line, 1000))
    if answer.more:
        setting.say(f"and {answer.more} more changes; see auditor diff")
