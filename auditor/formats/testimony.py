"""What a report says of evidence: one sentence for each thing seen, the bytes one click away."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from markupsafe import Markup

from auditor.formats.saying import given, known, trait_value
from auditor.formats.visible import dump, visible
from auditor.formats.words import Phrases
from auditor.model.device import Device
from auditor.model.identity import Contradiction, Evidence, Identity, Inference, Strength
from auditor.model.observation import Outcome
from auditor.model.observed import Observed, observed
from auditor.model.report import Report

MOST_TEXT = 1_200  # signs of a reply that a card shows; the whole stands in the ledger
MOST_BYTES = 256
NO_KIND = ("device_class", "other")  # says nothing that a sentence should say


def testimony(report: Report, phrases: Phrases) -> dict[str, Any]:
    """Give the functions by which a template tells of evidence."""
    raws = {raw.sha256: raw.data for raw in report.raws}
    return {
        "reasons": partial(reasons, phrases),
        "doubts": partial(doubts, phrases),
        "sentence": partial(sentence, phrases),
        "received": partial(received, raws),
        "conclusions": partial(conclusions, phrases),
        "asked_of": partial(asked_of, phrases),
        "contradiction": partial(contradiction, phrases),
        "inferred": partial(inferred, phrases),
    }


def phrase(phrases: Phrases, field: str) -> str:
    """Name the sentence that tells of an observation; of a stranger that of its family."""
    for key in (field, field.partition(".")[0]):
        if phrases.has(f"evidence.{key}"):
            return f"evidence.{key}"
    return "evidence.other"


def _grouped(phrases: Phrases, pieces: tuple[Evidence, ...]) -> tuple[Observed, ...]:
    return observed(pieces, lambda field: phrases.word(phrase(phrases, field)))


def reasons(phrases: Phrases, identity: Identity) -> tuple[Observed, ...]:
    """Give each thing seen that carries the maker, with all it shows; else whatever there is."""
    carried = {(e.field, e.value) for e in identity.maker.supporting}
    told = tuple(
        e
        for e in identity.evidence
        if (e.field, e.value) in carried and e not in identity.maker.against
    )
    return _grouped(phrases, told or identity.maker.supporting or identity.evidence)[:8]


def doubts(phrases: Phrases, identity: Identity) -> tuple[Observed, ...]:
    """Give each thing seen that speaks against the maker."""
    return _grouped(phrases, identity.maker.against)[:8]


def sentence(phrases: Phrases, one: Observed) -> Markup:
    """Say one thing seen, and what it shows, so that a layman understands."""
    said = phrases.say(phrase(phrases, one.field), value=given(one.quote))
    told = [pair for pair in one.claims if pair != NO_KIND] or one.claims
    parts = [
        phrases.say(f"trait_to.{trait}", claim=trait_value(phrases, trait, claim))
        for trait, claim in told
    ]
    claims = Markup(", ").join(parts[:-1])
    if claims:
        claims += Markup(" {} ").format(phrases.word("common.and"))
    claims += parts[-1]
    key = "fits" if one.strength is Strength.HINT else "points"
    return said + " " + phrases.say(f"evidence_word.{key}", claims=claims)


@dataclass(frozen=True, slots=True)
class Thing:
    """One value read from a reply. value: empty where the reply, shown with it, contains it."""

    field: str
    value: str
    pieces: tuple[Evidence, ...]


@dataclass(frozen=True, slots=True)
class Reply:
    """The bytes of one attempt, shown once, and everything that was read from them."""

    attempt: int
    sha256: str | None
    shown: Markup | None
    things: tuple[Thing, ...]


def received(raws: Mapping[str, bytes], identity: Identity) -> tuple[Reply, ...]:
    """Group evidence by the bytes that it rests on, so that the same bytes are shown once."""
    grouped: dict[str | None, dict[tuple[str, str], list[Evidence]]] = {}
    for e in identity.evidence:
        own = grouped.setdefault(e.raw_sha256, {})
        own.setdefault((e.field, e.value), []).append(e)
    told = []
    for sha256, things in grouped.items():
        raw = raws.get(sha256 or "", b"")
        text = _text(raw)
        told.append(
            Reply(
                min(e.attempt for pieces in things.values() for e in pieces),
                sha256,
                _shown(raw, text),
                tuple(
                    Thing(field, "" if value in (text or "") else value, tuple(pieces))
                    for (field, value), pieces in things.items()
                ),
            )
        )
    return tuple(told)


def _text(raw: bytes) -> str | None:
    """Read bytes as text where they are text, as most replies are."""
    try:
        text = raw[: 4 * MOST_TEXT].decode()
    except UnicodeDecodeError:
        return None
    legible = sum(sign.isprintable() or sign in "\r\n\t" for sign in text)
    return text[:MOST_TEXT] if text and legible == len(text) else None


def _shown(raw: bytes, text: str | None) -> Markup | None:
    if not raw:
        return None
    if text is not None:
        cut = "…" if len(raw) > len(text.encode()) else ""
        return _escaped("\n".join(visible(line) for line in text.split("\n")) + cut)
    rows = (f"{at}  {octets:<47}  {signs}" for at, octets, signs in dump(raw, MOST_BYTES))
    return _escaped("\n".join(rows))


def _escaped(text: str) -> Markup:
    """Escape what stands between two tags, where quotes are plain signs."""
    for sign, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(sign, name)
    return Markup(text)  # noqa: S704  just escaped


def conclusions(phrases: Phrases, thing: Thing) -> tuple[tuple[Markup, tuple[str, ...]], ...]:
    """Give what was concluded from a value, each with the rules that say so."""
    grouped: dict[tuple[str, str], list[str]] = {}
    for e in thing.pieces:
        grouped.setdefault((e.trait, e.claim), []).append(e.rule)
    return tuple(
        (
            phrases.say(f"trait_to.{trait}", claim=trait_value(phrases, trait, claim)),
            tuple(dict.fromkeys(rules)),
        )
        for (trait, claim), rules in grouped.items()
    )


def asked_of(phrases: Phrases, device: Device) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Group what a device was asked by how it ended, in the order of the outcomes."""
    grouped: dict[Outcome, dict[str, list[str]]] = {outcome: {} for outcome in Outcome}
    for one in device.asked:
        ports = grouped[one.outcome].setdefault(known(phrases, "tool", one.tool), [])
        ports += [str(one.port)] if one.port else []
    return tuple(
        (outcome.value, tuple(_ported(phrases, name, ports) for name, ports in told.items()))
        for outcome, told in grouped.items()
        if told
    )


def _ported(phrases: Phrases, name: str, ports: list[str]) -> str:
    if not ports:
        return name
    key = "card.port" if len(ports) == 1 else "card.ports"
    return f"{name}, {phrases.say(key, ports=phrases.listing(ports))}"


def contradiction(phrases: Phrases, one: Contradiction) -> Markup:
    """Say what does not fit together, and what it may mean."""
    key = f"contradiction.{one.code}"
    return phrases.say(
        key if phrases.has(key) else "contradiction.other",
        one=trait_value(phrases, one.trait, one.one),
        other=trait_value(phrases, one.trait, one.other),
        trait=phrases.word(f"trait.{one.trait}"),
    )


def inferred(phrases: Phrases, one: Inference) -> Markup:
    """Say what was derived and from what; a date as people write it."""
    source = given(one.source)
    for what in ("serial number", "firmware"):
        if one.source.startswith(f"{what} "):
            rest = given(one.source.removeprefix(f"{what} "))
            trait = "serial" if what == "serial number" else what
            source = phrases.say(f"trait_to.{trait}", claim=rest)
    name = known(phrases, "inference", one.name)
    value = phrases.dated(one.value)
    return phrases.say("card.inference", name=name, value=value, source=source)
