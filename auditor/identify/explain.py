"""Say in plain sentences why a device is held to be whose, in English or French.

The words stand in data/explain.toml. Whatever a device said is quoted with its control and
bidirectional characters escaped, and shortened.
"""

import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from auditor.errors import DataError
from auditor.identify.knowledge import Knowledge
from auditor.model.address import Mac
from auditor.model.device import Assessed, Device, Link
from auditor.model.identity import Contradiction, Evidence, Identity, Standing, Strength
from auditor.model.observation import Outcome

Words = Mapping[str, str]
SHOWN_CHARS = 120
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
    ]


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
        for evidence in identity.maker.supporting:
            yield self.say("for", reason=self.reason(evidence))
        for evidence in identity.maker.against:
            yield self.say("against", reason=self.reason(evidence))
        for evidence in identity.brand.supporting:
            if evidence not in identity.maker.supporting:
                yield self.say("for", reason=self.reason(evidence))
        for clash in identity.contradictions:
            yield self._clash(clash)
        for trait in _TRAITS:
            found = getattr(identity, trait)
            if found.value:
                value = self.words.get(f"class_{found.value}", shown(found.value))
                standing = self.words[f"standing_{found.standing.value}"]
                yield self.say(trait, value=value, standing=standing)
        for inference in identity.inferences:
            key = f"inferred_{inference.name}"
            yield self.say(key, value=inference.value, source=shown(inference.source))

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
            for found in rows:
                yield self.say(
                    "relation" if maker else "relation_alone",
                    brand=brand,
                    maker=found.to,
                    type=self.words[f"type_{found.type}"],
                    url=found.source.url,
                    read=found.source.read.isoformat(),
                    confidence=found.source.confidence,
                )

    def reason(self, evidence: Evidence) -> str:
        said = self.say(
            f"reason_{evidence.strength.value}",
            field=evidence.field,
            value=shown(evidence.value),
            claim=shown(evidence.claim),
        )
        listed = evidence.strength is Strength.RECORD
        typed = self.knowledge.vocabulary.is_typed(evidence.field, evidence.kind) and not listed
        parts = [said, self.words["typed"] if typed else "", self.say("rule", rule=evidence.rule)]
        return " ".join(part for part in parts if part)

    def _clash(self, clash: Contradiction) -> str:
        key = f"clash_{clash.code}"
        key = key if key in self.words else "clash_two_makers"
        return self.say(key, one=shown(clash.one), other=shown(clash.other))

    def device(self, device: Device) -> Iterator[str]:
        for mac in device.macs:
            if Mac.parse(mac).is_local:
                yield self.say("local_mac", mac=mac)
        for link in device.links:
            yield self._link(link)
        silent = sorted({a.tool for a in device.asked if a.outcome is Outcome.SILENT})
        if silent:
            yield self.say("asked_silent", tools=", ".join(silent))

    def _link(self, link: Link) -> str:
        if link.key == "proxy_arp":
            return self.say("proxy_arp", value=shown(link.value))
        because = self.words.get(f"because_{link.key}", shown(link.because))
        return self.say("link", because=because, value=shown(link.value))
