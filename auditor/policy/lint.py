"""What a pack that reads well can still lack: cases, cover for each verdict, a fresh review."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from auditor.policy.cases import play
from auditor.policy.pack import ACTIONS, APPLIED, Pack
from auditor.policy.reading import Mistake
from auditor.policy.toml_lines import Path as KeyPath
from auditor.policy.toml_lines import key_lines, line_of


@dataclass(frozen=True, slots=True)
class Names:
    """Which companies are known. meant: a canonical name, or None. near: names that are alike."""

    meant: Callable[[str], str | None]
    near: Callable[[str], tuple[str, ...]]


def lint(pack: Pack, path: Path, today: date, names: Names | None = None) -> tuple[Mistake, ...]:
    """Give every mistake of a pack that could be read. names: None leaves companies unchecked."""
    lines = key_lines(path.read_text("utf-8"))
    return tuple(
        Mistake(str(path), line_of(at, lines), what, grave)
        for at, what, grave in (
            *_cases(pack),
            *_references(pack),
            *_dates(pack, today),
            *(_companies(pack, names) if names else ()),
        )
    )


def _companies(pack: Pack, names: Names) -> Iterator[tuple[KeyPath, str, bool]]:
    """Find companies that no device will ever be tied to, because nobody is called so."""
    told: list[tuple[KeyPath, str]] = [
        (("entity", at, "name"), entity.name) for at, entity in enumerate(pack.raw.entity)
    ]
    own = {name for _, name in told}
    for at, rule in enumerate(pack.rules):
        narrowed = getattr(rule.params, "entities", ())
        told += [(("rule", at, "entities"), name) for name in narrowed if name not in own]
    for place, name in told:
        meant = names.meant(name)
        if meant is None:
            alike = ", ".join(names.near(name))
            guess = f"; is {alike} meant?" if alike else ""
            yield (
                place,
                f"{name!r} is no maker or brand that is known: no device is its{guess}",
                False,
            )
        elif meant != name:
            yield place, f"{name!r} is called {meant!r} here; under another name it is nobody", True


def _cases(pack: Pack) -> Iterator[tuple[KeyPath, str, bool]]:
    covered = set()
    rules = {rule.id: rule for rule in pack.rules}
    for at, case in enumerate(pack.raw.case):
        place: KeyPath = ("case", at)
        if case.rule not in rules:
            yield place, f"speaks of a rule {case.rule!r} that the pack does not have", True
            continue
        answer = play(pack, case)
        covered.add((case.rule, answer.verdict))
        if answer.verdict is not case.expect or answer.reason != case.reason:
            yield (
                place,
                (
                    f"“{case.says}”: expected {case.expect} ({case.reason}), "
                    f"the rule says {answer.verdict} ({answer.reason})"
                ),
                True,
            )
    for at, rule in enumerate(pack.rules):
        able = frozenset().union(*rule.outcomes.values())
        for verdict in sorted(able):
            if (rule.id, verdict) not in covered:
                yield ("rule", at), f"rule {rule.id!r} has no case that comes to {verdict}", True


def _references(pack: Pack) -> Iterator[tuple[KeyPath, str, bool]]:
    raw = pack.raw
    ids = [rule.id for rule in pack.rules]
    for at, name in enumerate(ids):
        if name in ids[:at]:
            yield ("rule", at, "id"), f"there are two rules {name!r}", True
    reasons = {reason for rule in pack.rules for reason in rule.outcomes}
    duties = {duty.id for duty in raw.duty}
    for at, duty in enumerate(raw.duty):
        start = duty.start.removeprefix("submitted:")
        if duty.start != "identified" and (start == duty.start or start not in duties):
            yield ("duty", at, "start"), "write `identified` or `submitted:<id of a duty>`", True
        for reason in sorted(set(duty.on) - reasons):
            yield ("duty", at, "on"), f"no rule gives the reason {reason!r}", True
    for at, form in enumerate(raw.form):
        for reason in sorted(set(form.on) - reasons):
            yield ("form", at, "on"), f"no rule gives the reason {reason!r}", True
    actions = [action for action, _ in raw.actions]
    for action in sorted(set(actions) - set(ACTIONS)):
        yield ("actions", action), f"no such action; there are {', '.join(ACTIONS)}", True
    for action in (action for action in ACTIONS if action not in actions):
        yield ("actions",), f"{action} is not said: write not_addressed where that is so", True


def _dates(pack: Pack, today: date) -> Iterator[tuple[KeyPath, str, bool]]:
    raw = pack.raw
    if raw.review_by <= raw.as_of:
        yield ("review_by",), "must lie after as_of", True
    if today > raw.review_by:
        yield ("review_by",), f"the pack had to be reviewed by {raw.review_by}", False
    if raw.status in APPLIED and raw.dates.in_force is None:
        yield (
            ("dates",),
            f"status {raw.status} without a day in force: it would judge nothing",
            True,
        )
    for at, source in enumerate(raw.source):
        if source.confidence not in {"H", "M", "L"}:
            yield (
                ("source", at, "confidence"),
                "H, M or L; what is only remembered is no source",
                True,
            )
        if source.read > today:
            yield ("source", at, "read"), "was read on a day that has not come", True
