"""A pack's cases, played: each describes a made-up device and what its rule must say of it."""

from datetime import UTC, date, datetime, time

from auditor.model.device import Asked, Assessed, Coverage, Device, Sighting
from auditor.model.identity import Identity, Standing, Trait
from auditor.model.observation import Endpoint, Observation, Origin, Outcome
from auditor.model.policy import Relation, Relations
from auditor.plugins import Answer, Case
from auditor.policy.pack import Pack, PackCase

_NOON = time(12, tzinfo=UTC)


def play(pack: Pack, case: PackCase) -> Answer:
    """Ask the rule of the case about the device of the case."""
    rule = next(rule for rule in pack.rules if rule.id == case.rule)
    today = case.today or pack.raw.as_of
    assessed = _assessed(case, today)
    situation = Case(
        assessed,
        Coverage(),
        today,
        site_facts=dict(case.site),
        identified=assessed.device.first_seen,
    )
    answer: Answer = rule.check.examine(situation, rule.params, _relations(case))
    return answer


def _relations(case: PackCase) -> Relations:
    found: dict[str, tuple[Relation, ...]] = {}
    for told in case.relations:
        row = Relation(told.name, told.to, told.type, told.since, told.until)
        found[told.name] = (*found.get(told.name, ()), row)
    return found


def _assessed(case: PackCase, today: date) -> Assessed:
    seen = datetime.combine(case.seen or today, _NOON)
    endpoint = Endpoint(ip="192.0.2.10", port=80)
    sightings = tuple(
        Sighting(Observation(f"asset.{name}", value), "case", endpoint, seen, Origin.FILE, at)
        for at, (name, value) in enumerate(case.records, 1)
    )
    asked = (Asked("http", 80, Outcome.ANSWERED, seen),) if case.looked else ()
    device = Device(
        id="case",
        site="case",
        ips=("192.0.2.10",),
        macs=(),
        hostnames=(),
        sightings=sightings,
        asked=asked,
        first_seen=seen,
        last_seen=seen,
        sources=("case",),
        on_wire=case.looked,
    )
    standing = Standing(case.standing)
    maker = Trait(case.maker, standing) if case.maker else Trait()
    brand = Trait(case.brand, Standing.CONFIRMED) if case.brand else Trait()
    model = Trait(case.model, Standing.CONFIRMED) if case.model else Trait()
    kind = Trait(case.device_class, Standing.CONFIRMED) if case.device_class else Trait()
    return Assessed(device, Identity(maker, brand, model, device_class=kind))
