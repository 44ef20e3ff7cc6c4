"""The shape of data/entities/*.toml, checked at the edge; inside nothing is checked twice.

All mistakes of all files are reported at once, each with its file and line.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auditor.errors import DataError
from auditor.identify.names import normalised
from auditor.model.identity import Strength

RelationType = Literal[
    "listed", "subsidiary", "affiliate", "oem_rebrand", "divested", "component_only"
]
DeviceClass = Literal[
    "camera", "recorder", "intercom", "access-control", "alarm", "network", "server",
    "telecom", "other",
]  # fmt: skip
CLASSES = frozenset(get_args(DeviceClass))


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SourceRow(_Row):
    """Where a statement stands, how sure we are (H M L), and when it was read."""

    url: str = Field(min_length=1)
    confidence: Literal["H", "M", "L"]
    read: date
    note: str = ""


class RelationshipRow(_Row):
    """What the entity is to another one, from `valid_from` until `valid_to`."""

    to: str = Field(min_length=1)
    type: RelationType
    source: SourceRow
    valid_from: date | None = None
    valid_to: date | None = None
    note: str = ""


class ModelRow(_Row):
    """One line of the model grammar: the whole model text must match `pattern`.

    strength: how far such a model names the maker; PLATFORM where nobody else's models look
    so, HINT where others' do. brand: where the grammar is that of one brand of the maker.
    """

    pattern: str = Field(min_length=1)
    device_class: DeviceClass | None = None
    strength: Strength = Strength.HINT
    trait: Literal["maker", "brand"] = "maker"
    brand: str | None = None
    examples: tuple[str, ...] = Field(min_length=1)
    counterexamples: tuple[str, ...] = ()
    note: str = ""


class SerialRow(_Row):
    """A serial number grammar; group `build` holds a date as `build_format` says (strptime)."""

    pattern: str = Field(min_length=1)
    strength: Strength = Strength.HINT
    build_format: str | None = None
    examples: tuple[str, ...] = Field(min_length=1)
    counterexamples: tuple[str, ...] = ()
    note: str = ""


class FirmwareRow(_Row):
    """A firmware version grammar; group `build` holds a date as `build_format` says."""

    pattern: str = Field(min_length=1)
    build_format: str | None = None
    examples: tuple[str, ...] = Field(min_length=1)
    counterexamples: tuple[str, ...] = ()
    note: str = ""


class LifecycleRow(_Row):
    """Models whose maker has ended sale or support: dated and sourced."""

    pattern: str = Field(min_length=1)
    status: str = Field(min_length=1)
    source: SourceRow
    since: date | None = None
    generation: str = ""
    examples: tuple[str, ...] = ()
    note: str = ""


class EntityFile(_Row):
    """One file of data/entities."""

    id: str = Field(pattern=r"[a-z0-9][a-z0-9-]*")
    name: str = Field(min_length=1)
    kind: Literal["maker", "brand", "group"]
    legal_name: str = ""
    country: str = ""
    aliases: tuple[str, ...] = ()
    registrants: tuple[str, ...] = ()
    default_class: DeviceClass | None = None
    registrant_strength: Literal["REGISTRANT", "HINT"] = "REGISTRANT"
    website: str = ""
    note: str = ""
    source: SourceRow | None = None
    relationship: tuple[RelationshipRow, ...] = ()
    model: tuple[ModelRow, ...] = ()
    serial: tuple[SerialRow, ...] = ()
    firmware: tuple[FirmwareRow, ...] = ()
    lifecycle: tuple[LifecycleRow, ...] = ()


def read_entities(folder: Path) -> tuple[tuple[Path, EntityFile], ...]:
    """Read every file of the folder; DataError lists all mistakes of all files."""
    found: list[tuple[Path, EntityFile]] = []
    mistakes: list[str] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            text = path.read_text("utf-8")
            found.append((path, EntityFile.model_validate(tomllib.loads(text))))
        except tomllib.TOMLDecodeError as error:
            mistakes.append(f"{path.name}: {error}")
        except ValidationError as error:
            mistakes += _said(path.name, text, error)
        except (OSError, UnicodeDecodeError) as error:
            mistakes.append(f"{path.name}: {error}")
    mistakes += _collisions(found)
    if mistakes:
        raise DataError(
            f"{len(mistakes)} mistake(s) in {folder}",
            why="\n       ".join(mistakes[:200]),
            hint="correct the lines named above",
        )
    return tuple(found)


def _said(name: str, text: str, error: ValidationError) -> Iterator[str]:
    for mistake in error.errors(include_url=False):
        where = ".".join(map(str, mistake["loc"]))
        yield f"{name}:{line_of(text, mistake['loc'])}: {where}: {mistake['msg']}"


def line_of(text: str, place: Iterable[Any]) -> int:
    """Find the line of `("model", 2, "pattern")` in a TOML text; 1 where it is not written."""
    line, lines = 0, text.splitlines()
    parts = list(place)
    for at, part in enumerate(parts):
        if isinstance(part, int):
            continue
        nth = parts[at + 1] if at + 1 < len(parts) and isinstance(parts[at + 1], int) else 0
        table = re.compile(rf"\s*\[\[?\s*(?:[\w.]+\.)?{re.escape(str(part))}\s*\]")
        key = re.compile(rf"\s*(?:.*[{{,]\s*)?{re.escape(str(part))}\s*=")
        heads = [n for n in range(line, len(lines)) if table.match(lines[n])]
        keys = [n for n in range(line, len(lines)) if key.match(lines[n])]
        if len(heads) > nth:
            line = heads[nth]
        elif keys:
            line = keys[0]
    return line + 1


def _collisions(found: list[tuple[Path, EntityFile]]) -> Iterator[str]:
    names = {entity.name for _, entity in found}
    owners: dict[tuple[str, str], str] = {}
    for path, entity in found:
        yield from _taken(path.name, entity, owners)
        for relation in entity.relationship:
            if relation.to not in names:
                yield f"{path.name}: relationship to {relation.to!r}, which is no entity"
        rows = (entity.model, entity.serial, entity.firmware, entity.lifecycle)
        for pattern in (row.pattern for group in rows for row in group):
            try:
                re.compile(pattern)
            except re.error as error:
                yield f"{path.name}: pattern {pattern!r}: {error}"


def _taken(file: str, entity: EntityFile, owners: dict[tuple[str, str], str]) -> Iterator[str]:
    """Say which names and registrants belong to another entity already."""
    keys = [("name", normalised(text)) for text in (entity.name, *entity.aliases)]
    keys += [("registrant", normalised(text)) for text in entity.registrants]
    for key in dict.fromkeys(keys):
        owner = owners.setdefault(key, entity.name)
        if owner != entity.name:
            yield f"{file}: {key[0]} {key[1]!r} belongs to {owner} as well"
