"""Acts of named persons: made only when whole, recorded beside what they change.

Each constructor refuses what an auditor would refuse. The id is a hash of the content, so the
same act recorded twice is one.
"""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from auditor.errors import UsageError
from auditor.model.decision import Decision, DecisionKind
from auditor.model.device import Assessed, Sighting
from auditor.model.identity import TRAITS, Evidence, Identity, Standing, Strength, Trait
from auditor.model.observation import Endpoint, Observation, Origin
from auditor.model.policy import Verdict
from auditor.policy.records import DAYS, read_day
from auditor.policy.subjects import IDENTIFIERS, KEYS, Register, standing, value_of
from auditor.policy.ties import NAME_UNKNOWN

Subject = Sequence[tuple[str, str]]
Named = Callable[[str], str | None]  # the canonical name that a name means; None: nobody knows it
_ID_DIGITS = 12
_RULE = "decision:"
# classes of device as rules know them; another word would fall out of every rule unseen
CLASSES = (
    "camera", "recorder", "intercom", "access-control", "alarm", "network", "server", "telecom", "other"
)  # fmt: skip


def as_given(name: str) -> str | None:
    """Take every name for the canonical one."""
    return name


def class_of(text: str) -> str | None:
    """Give the class of device that a word means; None where there is no such class."""
    code = "-".join(text.casefold().replace("_", " ").split())
    return code if code in CLASSES else None


def sealed(decision: Decision) -> Decision:
    """Give a decision its id, made of all that it says."""
    text = "\x1f".join(map(str, (
        decision.kind, decision.by, decision.at.isoformat(), decision.reason, decision.subject,
        decision.values, decision.requested_by, decision.expires, decision.zone,
        decision.controls, decision.document_sha256, decision.withdraws,
    )))  # fmt: skip
    digest = hashlib.sha256(text.encode()).hexdigest()[:_ID_DIGITS]
    return replace(decision, id=f"{decision.kind}-{digest}")


def refuse_unless(condition: object, what: str, hint: str) -> None:
    """Refuse an act that is not whole."""
    if not condition:
        raise UsageError(what, hint=hint)


def checked(by: str, at: datetime, reason: str, subject: Subject) -> tuple[tuple[str, str], ...]:
    """Check what every act needs: a person, a moment with a zone, a reason, a subject."""
    refuse_unless(by.strip(), "nobody is named as deciding", "say who decides with --by")
    refuse_unless(at.tzinfo, "the moment of the decision has no time zone", "give a zone")
    refuse_unless(reason.strip(), "no reason is given", "say why with --reason")
    unknown = sorted({key for key, _ in subject} - set(KEYS))
    refuse_unless(
        not unknown, f"a subject has no key {', '.join(unknown)}", f"use {', '.join(KEYS)}"
    )
    refuse_unless(
        all(value.strip() for _, value in subject), "a part of the subject is empty", "name it"
    )
    return tuple(subject)


def _checked_device(
    by: str, at: datetime, reason: str, subject: Subject
) -> tuple[tuple[str, str], ...]:
    whole = checked(by, at, reason, subject)
    named = {key for key, _ in whole}
    refuse_unless(
        named & set(IDENTIFIERS), "no device is named", f"name it by {', '.join(IDENTIFIERS)}"
    )
    return whole


def override_identity(
    *, by: str, at: datetime, reason: str, subject: Subject, trait: str, value: str
) -> Decision:
    """Record that a person established a trait: they looked, or they know."""
    whole = _checked_device(by, at, reason, subject)
    refuse_unless(trait in TRAITS, f"{trait!r} is no trait", f"use {', '.join(TRAITS)}")
    refuse_unless(value.strip(), "the value is empty", "say what was established")
    values = (("trait", trait), ("value", value.strip()))
    return sealed(Decision("", DecisionKind.IDENTITY, by, at, reason, whole, values))


def override_verdict(
    *, by: str, at: datetime, reason: str, subject: Subject, verdict: Verdict
) -> Decision:
    """Record that a person decided a device's case under one pack otherwise."""
    whole = _checked_device(by, at, reason, subject)
    packs = [value for key, value in whole if key == "pack"]
    refuse_unless(len(packs) == 1, "a verdict is overridden under exactly one pack", "add pack=ID")
    values = (("verdict", Verdict(verdict).value),)
    return sealed(Decision("", DecisionKind.VERDICT, by, at, reason, whole, values))


def record(
    *, by: str, at: datetime, subject: Subject, field: str, value: str, reason: str = "recorded"
) -> Decision:
    """Record an officer's fact: `asset.…` of a device, `site.…` of a site, `organisation.…`.

    Facts of sites and of the organisation are kept by their bare name under a subject of the
    site alone, or of nothing.
    """
    whole = checked(by, at, reason, subject)
    room, _, name = field.partition(".")
    refuse_unless(value.strip(), f"no value for {field}", "leave the row out instead")
    if field in DAYS:
        _refuse_unless_past(value, at)
    if room == "asset" and name:
        _checked_device(by, at, reason, subject)
        values = ((field, value.strip()),)
    else:
        keys = [key for key, _ in whole]
        fits = {"site": ["site"], "organisation": []}.get(room) == keys
        refuse_unless(
            fits and name, f"{field!r} is no fact of this subject", "use asset.… of a device"
        )
        values = ((name, value.strip()),)
    return sealed(Decision("", DecisionKind.RECORD, by, at, reason, whole, values))


def _refuse_unless_past(value: str, at: datetime) -> None:
    """Refuse what is no day, and a day that has not come anywhere on earth."""
    when = read_day(value)
    refuse_unless(
        when,
        f"{value!r} is no day",
        "write it as YYYY-MM-DD, or YYYY-MM or YYYY where that is all that is known",
    )
    tomorrow = (at + timedelta(days=1)).date()  # UTC+14 is less than a day ahead
    refuse_unless(
        when and when.first <= tomorrow, f"{value} has not come yet", "record it when it has"
    )


def withdraw(decision: Decision, *, by: str, at: datetime, reason: str) -> Decision:
    """Take a decision back; it stays in the log, and so does this."""
    whole = checked(by, at, reason, decision.subject)
    refuse_unless(
        decision.kind is not DecisionKind.WITHDRAWN,
        "a withdrawal cannot be withdrawn",
        "decide again instead",
    )
    return sealed(
        Decision("", DecisionKind.WITHDRAWN, by, at, reason, whole, withdraws=decision.id)
    )


def decided_by_persons(
    assessed: Iterable[Assessed], decisions: Iterable[Decision], named: Named = as_given
) -> tuple[Assessed, ...]:
    """Put what persons recorded and established into every device that they spoke of."""
    register = Register.of(standing(decisions))
    return tuple(with_decisions(one, register.about(one), named) for one in assessed)


def with_decisions(
    assessed: Assessed, decisions: Sequence[Decision], named: Named = as_given
) -> Assessed:
    """Put recorded facts and established traits into one device.

    Recorded facts become officers' sightings; an established trait stands first, and what it
    replaces stays as evidence against it. Doing it twice changes nothing. named: knows makers
    and brands; a decision may be older than that knowledge, or come from another program.
    """
    device, identity = assessed.device, assessed.identity
    told = [
        seen
        for decision in decisions
        if decision.kind is DecisionKind.RECORD
        for seen in _sightings(decision)
        if seen not in device.sightings
    ]
    for decision in decisions:
        if decision.kind is DecisionKind.IDENTITY:
            identity = _with_trait(identity, decision, named)
    if not told and identity is assessed.identity:
        return assessed
    device = replace(device, sightings=(*device.sightings, *told)) if told else device
    return replace(assessed, device=device, identity=identity)


def _sightings(decision: Decision) -> tuple[Sighting, ...]:
    return tuple(
        Sighting(Observation(key, value), _RULE + decision.id, Endpoint(transport="file"),
                 decision.at, Origin.OFFICER)
        for key, value in decision.values
        if key.startswith("asset.")
    )  # fmt: skip


def _with_trait(identity: Identity, decision: Decision, named: Named) -> Identity:
    name, value = value_of(decision, "trait"), value_of(decision, "value")
    rule = f"{_RULE}{decision.id}"
    if name not in TRAITS or not value or any(e.rule == rule for e in identity.evidence):
        return identity
    meant = _meant(name, value, named)
    if meant is None and name == "device_class":
        return identity  # a word that no rule knows: shown with the decisions, applied never
    doubt = "" if meant else NAME_UNKNOWN
    claim = meant or value
    old: Trait = getattr(identity, name)
    field = f"decision.{doubt}" if doubt else "decision"
    said = Evidence(name, claim, rule, field, f"{decision.by}: {decision.reason}",
                    Strength.OFFICER, "officer", doubt=doubt)  # fmt: skip
    before = (*old.supporting, *old.against)
    agree = tuple(e for e in before if e.claim == claim)
    differ = tuple(e for e in before if e.claim != claim)
    found = Standing.PROBABLE if doubt else Standing.CONFIRMED
    trait = Trait(claim, found, (said, *agree), differ)
    changed: dict[str, object] = {name: trait, "evidence": (*identity.evidence, said)}
    return replace(identity, **changed)  # type: ignore[arg-type]


def _meant(trait: str, value: str, named: Named) -> str | None:
    """Give what rules call that which a person established; None where they know no such name."""
    if trait == "device_class":
        return class_of(value)
    return named(value) if trait in {"maker", "brand"} else value
