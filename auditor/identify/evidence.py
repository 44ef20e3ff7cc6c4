"""Facts to claims: what each observation says, by which rule, and how strongly.

Nothing is weighed here; auditor.identify.resolve does that.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from auditor.errors import DataError
from auditor.identify.current import current
from auditor.identify.knowledge import Knowledge
from auditor.identify.schema import CLASSES
from auditor.identify.shapes import CLAIMS_REMEMBERED, Claimed
from auditor.identify.spoken import Fact, of_cell, of_free_text, of_grammar, of_name
from auditor.model.address import Mac
from auditor.model.device import Asked, Sighting
from auditor.model.identity import Evidence, Strength
from auditor.model.observation import Observation, Origin

_NAMES = frozenset({"mdns.hostname", "dhcp.hostname", "device.hostname"})
_STRENGTHS = {strength.value: strength for strength in Strength}
VALUE_CHARS = 512  # of an observation's value that evidence repeats; `raw` keeps all

# fields whose value is itself the trait; what a list says of it is a record
_DIRECT = {
    "device.maker": "maker",
    "device.brand": "brand",
    "device.model": "model",
    "device.serial": "serial",
    "device.firmware": "firmware",
    "device.class": "device_class",
    "asset.manufacturer": "brand",
    "asset.brand": "brand",
    "asset.class": "device_class",
    "asset.model": "model",
    "asset.model_number": "model",
    "asset.serial": "serial",
    "asset.firmware": "firmware",
    "asset.category": "device_class",
}
# free text of a list, in which a model designation may stand
_FREE = frozenset({"asset.name", "asset.description", "asset.notes", "asset.vms_driver"})
_TELLING = frozenset({"mac", *_DIRECT, *_FREE})  # besides those that fingerprints are of
# scheme://host of an absolute or network-path reference (RFC 3986, 4.2)
_HOST = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//(?P<host>\[[^\]]*\]|[^/:?#]*)", re.IGNORECASE)


def telling(trait: str, knowledge: Knowledge) -> frozenset[str]:
    """Give the fields that can say something of a trait: maker, model or device_class."""
    wanted = {"model": {"model"}, "device_class": {"device_class", "model"}}.get(trait)
    direct = {field for field, told in _DIRECT.items() if wanted is None or told in wanted}
    printed = {
        field for field, prints in knowledge.library.by_field.items()
        for claim in (claim for one in prints for claim in one.claims)
        if wanted is None or claim.trait in wanted
    }  # fmt: skip
    return frozenset({*direct, *_FREE, *printed, *(("mac",) if wanted is None else ())})


def of_sightings(
    sightings: Iterable[Sighting], knowledge: Knowledge, asked: Iterable[Asked] = ()
) -> tuple[Evidence, ...]:
    """Give all claims of a device's observations, each once (the first sighting of it).

    What the wire said is superseded by what the same question hears later: firmware is
    updated, and a camera is replaced behind an address. asked: the device's questions.
    """
    found: dict[tuple[str, str, str, str, str], Evidence] = {}
    done: set[tuple[str, str, str]] = set()
    kept = tuple(sightings)
    made = _makers_of_rows(kept, knowledge)
    names = frozenset(_names(kept))
    # what is not in doubt first: the first sighting of a thing speaks for all
    for sighting in sorted(current(kept, asked), key=lambda s: bool(s.doubt)):
        seen = (sighting.observation.field, sighting.observation.value, sighting.tool)
        if seen in done or _elsewhere(sighting, names):
            continue
        done.add(seen)
        claims = of_observation(
            sighting.observation, knowledge, sighting.tool, sighting.origin, sighting.seq
        )
        if made:
            claims = [_weakened(claim, made, knowledge) for claim in claims]
        for evidence in claims:
            key = (evidence.trait, evidence.claim, evidence.rule, evidence.field, evidence.value)
            found.setdefault(
                key, replace(evidence, doubt=sighting.doubt) if sighting.doubt else evidence
            )
    return tuple(found.values())


def _makers_of_rows(
    sightings: Iterable[Sighting], knowledge: Knowledge
) -> dict[int, frozenset[str]]:
    """Give whom the cells for maker and model name, of every listed row that has notes as well."""
    listed = [s for s in sightings if s.origin is Origin.FILE]
    noted = {s.seq for s in listed if s.observation.field in _FREE}
    if not noted:
        return {}
    named: dict[int, set[str]] = {}
    for s in listed:
        seen = s.observation
        if s.seq in noted and _DIRECT.get(seen.field) in {"maker", "brand", "model"}:
            claims = claims_of(seen.field, seen.value, knowledge, s.origin)
            named.setdefault(s.seq, set()).update(
                c.claim
                for c in claims
                if c.trait in {"maker", "brand"} and c.strength is Strength.RECORD
                and c.claim in knowledge.makers.entities
            )  # fmt: skip
    return {seq: frozenset(names) for seq, names in named.items() if names}


def _weakened(
    evidence: Evidence, made: Mapping[int, frozenset[str]], knowledge: Knowledge
) -> Evidence:
    """Make a hint of a note that fits another maker than its own row: "replaces an AC-1"."""
    names = made.get(evidence.attempt)
    if not names or evidence.field not in _FREE:
        return evidence
    makers = knowledge.makers
    if evidence.trait == "model":
        told = {n.entity for w in evidence.claim.split() for n in knowledge.models.match(w)}
    else:
        told = {evidence.claim} if evidence.claim in makers.entities else set()
    own = any(
        makers.same_house(one, name) or makers.sold_as(name, one) for one in told for name in names
    )
    return evidence if own else replace(evidence, strength=Strength.HINT)


def _elsewhere(sighting: Sighting, names: Collection[str]) -> bool:
    """Tell whether a redirect leads to another host: it says nothing of who sent it.

    names: by which the device calls itself; any other name could be anybody's.
    """
    if sighting.observation.field != "http.location" or sighting.endpoint.ip is None:
        return False
    named = _HOST.match(sighting.observation.value)
    if named is None:
        return False
    host = named["host"].strip("[]")
    return host != sighting.endpoint.ip and host.casefold().rstrip(".") not in names


def _names(sightings: Iterable[Sighting]) -> Iterator[str]:
    """Give the host names by which a device calls itself, whole and without their domain."""
    for sighting in sightings:
        if sighting.observation.field in _NAMES:
            name = sighting.observation.value.strip().casefold().rstrip(".")
            yield from (name, name.removesuffix(".local"))


def of_observation(
    observation: Observation,
    knowledge: Knowledge,
    tool: str = "",
    origin: Origin = Origin.WIRE,
    seq: int = 0,
) -> list[Evidence]:
    """Give what one observation claims. tool: the plug-in that made it."""
    claims = claims_of(observation.field, observation.value, knowledge, origin)
    if not claims:
        return []  # as of most fields of a reply
    field, value, raw = observation.field, observation.value[:VALUE_CHARS], observation.raw_sha256
    kind = knowledge.vocabulary.kind(field, tool)
    return [
        Evidence(trait, claim, rule, field, value, strength, kind, seq, raw)
        for trait, claim, rule, strength in claims
    ]


def claims_of(
    field: str, value: str, knowledge: Knowledge, origin: Origin = Origin.WIRE
) -> tuple[Claimed, ...]:
    """Give what a value of a field claims; what was asked lately is remembered.

    Many devices say the same, and each is weighed several times while it is asked.
    """
    if field not in _TELLING and field not in knowledge.library.by_field:
        return ()
    listed = origin is Origin.FILE or origin is Origin.OFFICER
    if len(value) > VALUE_CHARS:
        return tuple(_claims(Fact(field, value, listed), knowledge))
    known, key = knowledge.claimed, (field, value, listed)
    found = known.get(key)
    if found is None:
        if len(known) >= CLAIMS_REMEMBERED:
            known.clear()
        found = known[key] = tuple(_claims(Fact(*key), knowledge))
    return found


def _claims(fact: Fact, knowledge: Knowledge) -> Iterator[Claimed]:
    if fact.field == "mac":
        yield from _of_registrant(fact, knowledge)
    elif fact.field in _DIRECT:
        yield from _of_direct(fact, knowledge)
    elif fact.field in _FREE:
        yield from of_free_text(fact, knowledge)
    yield from _of_fingerprints(fact, knowledge)


def _of_registrant(fact: Fact, knowledge: Knowledge) -> Iterator[Claimed]:
    try:
        mac = Mac.parse(fact.value)
    except DataError:
        return
    block = knowledge.registry.block(mac.value)
    name = knowledge.makers.of_registrant(block.registrant) if block else None
    if name is None:
        return
    rule = f"oui:{block}@{knowledge.registry.status.day.isoformat()}"
    entity = knowledge.makers.entities[name]
    trait = "brand" if entity.kind == "brand" else "maker"
    yield Claimed(trait, name, rule, _STRENGTHS[entity.registrant_strength])


def _of_direct(fact: Fact, knowledge: Knowledge) -> Iterator[Claimed]:
    trait, value = _DIRECT[fact.field], fact.value.strip()
    if not value:
        return
    listed = fact.field.startswith("asset.") or fact.listed
    strength = Strength.RECORD if listed else Strength.BRAND
    rule = f"field:{fact.field}@1"
    if trait == "device_class":
        word = value.casefold()
        value = word if word in CLASSES else knowledge.dialect.device_class.get(word, "")
        if value:
            yield Claimed(trait, value, rule, strength)
        return
    if trait in {"maker", "brand"}:
        yield from of_name(fact, trait, value, strength, knowledge)
        return
    said: tuple[Claimed, ...] = ()
    if trait == "model" and strength is Strength.RECORD and not knowledge.models.match(value):
        said = of_cell(fact, value, knowledge)
        yield from said
    if not any(c.trait == "model" and c.strength is Strength.RECORD for c in said):
        yield Claimed(trait, value, rule, strength)
    yield from of_grammar(fact, trait, value, knowledge)


def _of_fingerprints(fact: Fact, knowledge: Knowledge) -> Iterator[Claimed]:
    for hit in knowledge.library.match(fact.field, fact.value):
        rule, strength = hit.fingerprint.rule, hit.fingerprint.strength
        traits = {trait for trait, _ in hit.claims}
        for trait, value in hit.claims:
            if trait in {"maker", "brand"}:
                yield from _of_claimed_name(trait, value, hit.fingerprint.rule, strength, knowledge)
            else:
                yield Claimed(trait, value, rule, strength)
            if trait == "maker" and strength is Strength.SELF_DECLARED and "brand" not in traits:
                yield from _of_claimed_name("brand", value, rule, Strength.BRAND, knowledge)
            yield from of_grammar(fact, trait, value, knowledge)


def _of_claimed_name(
    trait: str, value: str, rule: str, strength: Strength, knowledge: Knowledge
) -> Iterator[Claimed]:
    name = knowledge.makers.named(value)
    if trait == "maker" and (name is None or knowledge.makers.kind(name) == "brand"):
        trait = "brand"
    yield Claimed(trait, name or value, rule, strength)
