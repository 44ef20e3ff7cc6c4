"""All that is known about makers, loaded once and frozen; every part says which version it is."""

import hashlib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from pathlib import Path

from auditor.errors import DataError
from auditor.identify.cells import CellWords
from auditor.identify.fingerprints import Dialect, Fingerprint, Library, understood
from auditor.identify.grammar import Grammar
from auditor.identify.makers import Makers
from auditor.identify.recog import Element, read_folder
from auditor.identify.registry import Registry
from auditor.identify.shapes import Claimed, Shape, Template
from auditor.identify.vocabulary import Vocabulary
from auditor.model.data_version import DataVersion
from auditor.model.identity import Evidence, Strength
from auditor.model.observation import Observation


@dataclass(frozen=True)
class Knowledge:
    """Fingerprints, makers, registry and vocabulary. folder: where the data stands."""

    folder: Path
    vocabulary: Vocabulary
    library: Library
    makers: Makers
    registry: Registry
    dialect: Dialect
    extra: tuple[Path, ...] = ()
    words: CellWords = field(default_factory=CellWords, repr=False)
    # what was worked out lately: identity by shape of evidence, claims by field and value
    resolved: dict[Shape, Template] = field(default_factory=dict, repr=False, compare=False)
    claimed: dict[tuple[str, str, bool], tuple[Claimed, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @classmethod
    def load(
        cls, data_dir: Path, oui_path: Path, extra_fingerprints: Sequence[Path] = ()
    ) -> "Knowledge":
        """Read data/ and oui_data/; extra_fingerprints: the user's own Recog folders."""
        makers = Makers.load(data_dir / "entities")
        dialect = _dialect(data_dir / "recog.toml")
        vocabulary = Vocabulary.load(data_dir / "fields.toml")
        library = _library(
            data_dir / "fingerprints", extra_fingerprints, dialect, makers, vocabulary
        )
        extra = tuple(extra_fingerprints)
        registry, words = Registry(oui_path), CellWords.load(data_dir / "cells.toml")
        return cls(data_dir, vocabulary, library, makers, registry, dialect, extra, words)

    def match(self, observation: Observation, tool: str = "") -> tuple[Evidence, ...]:
        """Give what one observation claims. tool: the plug-in that made it."""
        from auditor.identify.evidence import of_observation

        return tuple(of_observation(observation, self, tool))

    @cached_property
    def models(self) -> Grammar:
        """Give the model grammars of all entities."""
        return Grammar.of((n, row) for n, e in self.makers.entities.items() for row in e.model)

    @cached_property
    def serials(self) -> Grammar:
        """Give the serial number grammars of all entities."""
        return Grammar.of((n, row) for n, e in self.makers.entities.items() for row in e.serial)

    @cached_property
    def firmwares(self) -> Grammar:
        """Give the firmware grammars of all entities."""
        return Grammar.of((n, row) for n, e in self.makers.entities.items() for row in e.firmware)

    @cached_property
    def lifecycles(self) -> Grammar:
        """Give the models that their makers have ended."""
        return Grammar.of((n, row) for n, e in self.makers.entities.items() for row in e.lifecycle)

    def versions(self, today: date | None = None) -> tuple[DataVersion, ...]:
        """Give name, day, rows and hash of each body of knowledge; age when `today` is given."""
        status = self.registry.status
        day = self._read_day
        age = status.age_days(today) if today else 0
        stale = status.stale(today) if today else False
        rows = {
            "fingerprints": len(self.library.fingerprints),
            "entities": len(self.makers.entities),
        }
        found = [
            DataVersion(
                "oui", status.day.isoformat(), status.day, status.sha256, status.rows, age, stale
            )
        ]
        for name, pattern in (("fingerprints", "*.xml"), ("entities", "*.toml")):
            digest = _digest((self.folder / name).glob(pattern))
            found.append(DataVersion(name, digest[:12], day, digest, rows[name]))
        digest = _digest(self.folder / f"{name}.toml" for name in ("fields", "recog", "cells"))
        found.append(DataVersion("fields", digest[:12], day, digest, len(self.vocabulary.kinds)))
        for folder in self.extra:
            digest = _digest(folder.rglob("*.xml"))
            found.append(DataVersion(f"recog:{folder.name}", digest[:12], day, digest))
        return tuple(found)

    @cached_property
    def stamp(self) -> tuple[tuple[str, str], ...]:
        """Give name and version of each body of knowledge, as identities carry them."""
        return tuple((version.name, version.version) for version in self.versions())

    @cached_property
    def _read_day(self) -> date:
        entities = self.makers.entities.values()
        days = [row.source.read for entity in entities for row in entity.relationship]
        days += [row.source.read for entity in entities for row in entity.lifecycle]
        return max(days, default=self.registry.status.day)


def _dialect(path: Path) -> Dialect:
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
        traits = {name: tuple(params) for name, params in tables["traits"].items()}
        return Dialect(tables["matches"], traits, tables["device_class"])
    except (OSError, tomllib.TOMLDecodeError, KeyError, AttributeError) as error:
        raise DataError(f"{path} does not say how to read Recog", why=repr(error)) from error


def _library(
    own: Path, extra: Sequence[Path], dialect: Dialect, makers: Makers, vocabulary: Vocabulary
) -> Library:
    mistakes: list[str] = []
    found = []
    for element in read_folder(own, mistakes):
        wrong = _wrong(element, dialect, makers, vocabulary)
        mistakes += wrong
        if not wrong:
            found.append(understood(element, dialect, ours=True))
    mistakes += _twice(found)
    if mistakes:
        raise DataError(
            f"{len(mistakes)} mistake(s) in {own}",
            why="\n       ".join(mistakes[:200]),
            hint="correct the lines named above",
        )
    skipped: list[str] = []
    for folder in extra:
        if not folder.is_dir():
            raise DataError(f"{folder} is no folder of fingerprints", hint="give a Recog checkout")
        elements = list(read_folder(folder, skipped))
        if not elements:
            raise DataError(f"{folder} holds no fingerprints", hint="give a Recog checkout")
        for element in elements:
            fingerprint = understood(element, dialect, ours=False)
            if fingerprint.field in vocabulary.kinds and fingerprint.claims:
                found.append(fingerprint)
    return Library(tuple(found), len(skipped))


def _wrong(element: Element, dialect: Dialect, makers: Makers, vocabulary: Vocabulary) -> list[str]:
    where = f"{element.file}:{element.line}: {element.id or 'fingerprint'}"
    said = []
    if not element.id or not element.version.isdigit():
        said.append(f"{where}: needs an id and a version number")
    if element.strength not in {*Strength.__members__} - {Strength.OFFICER}:
        said.append(f"{where}: strength {element.strength!r} is no rung of the ladder")
    if dialect.field(element.matches) not in vocabulary.kinds:
        said.append(f"{where}: matches {element.matches!r}, which is no field")
    if not element.description or not element.examples:
        said.append(f"{where}: needs a description and an example")
    for param in element.params:
        fixed = param.name in {"auditor.maker", "auditor.brand"} and not param.pos
        if fixed and param.value not in makers.entities:
            said.append(f"{where}: {param.value!r} is no entity")
    return said


def _twice(found: Iterable[Fingerprint]) -> list[str]:
    seen: dict[str, str] = {}
    said = []
    for print_ in found:
        name = print_.rule.split("@")[0]
        if name in seen:
            said.append(f"{print_.file}:{print_.line}: {name} stands in {seen[name]} as well")
        seen[name] = f"{print_.file}:{print_.line}"
    return said


def _digest(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(paths):
        digest.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
