"""Say in plain sentences why a device is held to be whose, in English or French.

The words stand in data/explain.toml. Whatever a device said is quoted with its control and
bidirectional characters escaped, and shortened. One thing seen is one sentence, however many
rules conclude something from it.
"""

import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from auditor.errors import DataError
from auditor.identify.knowledge import Knowledge
from auditor.model.address import Mac
from auditor.model.device import Assessed, Device
from auditor.model.identity import (
    Contradiction,
    Evidence,
    Identity,
    Inference,
    Standing,
    Strength,
)
from auditor.model.observation import Outcome
from auditor.model.observed import Observed, observed
from auditor.model.policy import Finding

Words = Mapping[str, str]
SHOWN_CHARS = 120
SHOWN_RULES = 20
NO_KIND = ("device_class", "other")  # says nothing that a sentence should say
_TRAITS = ("model", "serial", "firmware", "device_class")


def load_words(data_dir: Path) -> dict[str, Words]:
    """Read the sentences of each language."""
    path = data_dir / "explain.toml"
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"{path} does not hold the words of explain", why=str(error)) from error


def shown(text: str) -> str:
    """Make received text safe to show: no control, format or private character survives."""
    head = text[:SHOWN_CHARS] + ("…" if len(text) > SHOWN_CHARS else "")
    return "".join(
        c
        if unicodedata.category(c)[0] != "C" and unicodedata.category(c) not in {"Zl", "Zp"}
        else f"\\u{ord(c):04x}"
        for c in head
    )


def explain(assessed: Assessed, knowledge: Knowledge, language: str = "en") -> list[str]:
    """Give sentences: the maker first, then every reason, every doubt, what was not answered."""
    words = load_words(knowledge.folder)[language]
    speech = _Speech(words, knowledge)
    return [
        *speech.answer(assessed.identity),
        *speech.device(assessed.device),
        *speech.rules(assessed.identity),
    ]


def explain_finding(finding: Finding, words: Words, language: str) -> list[str]:
    """Give sentences: what an instrument says of the device, why, and what is missing."""
    verdict = words[f"verdict_{finding.verdict.value}"]
    head = words["verdict"].format(
        pack=finding.pack, version=finding.pack_version, rule=finding.rule, verdict=verdict
    )
    told = [finding.because.in_language(language), finding.consequence.in_language(language)]
    for question in finding.ask:
        ask, who = question.ask.in_language(language), question.who.in_language(language)
        told.append(words["missing"].format(ask=ask, who=who))
    if finding.citation:
        told.append(words["citation"].format(citation=finding.cited.in_language(language)))
    return [head, *(sentence for sentence in told if sentence)]


def phrase(words: Words, field: str) -> str:
    """Give the sentence that tells of an observation; of a stranger that of its family."""
    for key in (field, field.partition(".")[0]):
        if f"seen.{key}" in words:
            return words[f"seen.{key}"]
    return words["seen.other"]


@dataclass(frozen=True, slots=True)
class _Speech:
    """The words of one language and the knowledge that fills them."""

    words: Words
    knowledge: Knowledge

    def say(self, key: str, **blanks: str) -> str:
        return self.words[key].format(**blanks)

    def answer(self, identity: Identity) -> Iterator[str]:
        yield self._maker(identity)
        yield from self._brand(identity)
        doubts = identity.maker.against
        reasons = [e for e in _telling(identity) if e not in doubts]
        weighed: set[Strength] = set()
        for key, pieces in (("for", reasons), ("against", doubts)):
            for one in observed(pieces, partial(phrase, self.words)):
                weight = "" if one.strength in weighed else f"weight_{one.strength.value}"
                weighed.add(one.strength)
                yield self.say(key, reason=self.reason(one, weight))
        for clash in identity.contradictions:
            yield self._clash(clash)
        for trait in _TRAITS:
            found = getattr(identity, trait)
            if found.value:
                standing = self.words[f"standing_{found.standing.value}"]
                yield self.say(trait, value=self._value(trait, found.value), standing=standing)
        for inference in identity.inferences:
            yield self._inferred(inference)

    def rules(self, identity: Identity) -> Iterator[str]:
        """Name the rules at the end, where they disturb nobody."""
        told = (*_telling(identity), *identity.maker.against)
        rules = list(dict.fromkeys(e.rule for e in told))
        if rules:
            more = "…" if len(rules) > SHOWN_RULES else ""
            yield self.say("rules", rules=", ".join(rules[:SHOWN_RULES]) + more)

    def _maker(self, identity: Identity) -> str:
        maker = identity.maker
        if maker.value:
            return self.say(f"maker_{maker.standing.value}", maker=maker.value)
        names = sorted({e.claim for e in maker.supporting if e.strength is not Strength.HINT})
        if len(names) > 1:
            return self.say("maker_two", names=", ".join(names))
        return self.say("maker_hint" if maker.standing is Standing.HINT else "maker_unknown")

    def _brand(self, identity: Identity) -> Iterator[str]:
        brand, maker = identity.brand.value, identity.maker.value
        if brand and brand != maker:
            yield self.say("brand_other", brand=shown(brand))
            makers = self.knowledge.makers
            row = makers.relationship(brand, maker) if maker else None
            rows = [row] if row else list(makers.relations(brand)) if not maker else []
            for found in (row for row in rows if row.to != brand):  # itself listed: no resale
                yield self.say(
                    "relation" if maker else "relation_alone",
                    brand=brand,
                    maker=found.to,
                    type=self.words[f"type_{found.type}"],
                    url=found.source.url,
                    read=found.source.read.isoformat(),
                    confidence=self.words[f"confidence_{found.source.confidence}"],
                )

    def reason(self, one: Observed, weight: str) -> str:
        """Say what was seen, what it shows, and how much that is worth, unless just said."""
        said = phrase(self.words, one.field).format(value=shown(one.quote))
        claims = [
            self.say(f"to_{trait}", claim=self._value(trait, claim))
            for trait, claim in ([pair for pair in one.claims if pair != NO_KIND] or one.claims)
        ]
        listed = claims[0] if len(claims) == 1 else self._listing(claims)
        hint = one.strength is Strength.HINT
        shows = self.say("shows_hint" if hint else "shows", claims=listed)
        return " ".join(part for part in (said, shows, weight and self.words[weight]) if part)

    def _listing(self, parts: list[str]) -> str:
        return f"{', '.join(parts[:-1])} {self.words['and']} {parts[-1]}"

    def _value(self, trait: str, value: str) -> str:
        known = self.words.get(f"class_{value}") if trait == "device_class" else None
        return known or shown(value)

    def _inferred(self, inference: Inference) -> str:
        source, value = shown(inference.source), shown(inference.value)
        for what in ("serial number", "firmware"):
            if source.startswith(f"{what} "):
                source = self.say(f"source_{what}", value=source.removeprefix(f"{what} "))
        if inference.name == "lifecycle":
            status, _, day = value.partition(" since ")
            since = self.say("life_since", day=day) if day else ""
            value = f"{self.words.get(f'life_{status}', status)} {since}".strip()
        return self.say(f"inferred_{inference.name}", value=value, source=source)

    def _clash(self, clash: Contradiction) -> str:
        key = f"clash_{clash.code}"
        key = key if key in self.words else "clash_two_makers"
        return self.say(key, one=shown(clash.one), other=shown(clash.other))

    def device(self, device: Device) -> Iterator[str]:
        for known in device.mac_sources:
            if Mac.parse(known.mac).is_local:
                yield self.say("local_mac", mac=known.mac)
            sources = [self.words[f"mac_{source}"] for source in known.sources]
            yield self.say("mac_known", mac=known.mac, sources="; ".join(sources))
            if not known.on_segment:
                yield self.say("mac_told", mac=known.mac, tools=", ".join(known.tools))
        joined: dict[str, list[str]] = {}
        for link in device.links:
            if link.key in {"proxy_arp", "shared_mac"}:
                yield self.say(link.key, value=shown(link.value))
            elif link.weight:  # what joins nothing is told among the contradictions
                because = self.words.get(f"because_{link.key}", shown(link.because))
                joined.setdefault(because, []).append(shown(link.value))
        for because, values in joined.items():
            yield self.say("link", because=because, value=", ".join(dict.fromkeys(values)))
        silent = sorted({a.tool for a in device.asked if a.outcome is Outcome.SILENT})
        if silent:
            yield self.say("asked_silent", tools=", ".join(silent))


def _telling(identity: Identity) -> list[Evidence]:
    """Give everything that was received in the replies that carry the maker or the brand."""
    carried = {(e.field, e.value) for e in (*identity.maker.supporting, *identity.brand.supporting)}
    told = [e for e in identity.evidence if (e.field, e.value) in carried]
    return told or [*identity.maker.supporting, *identity.brand.supporting, *identity.evidence]
