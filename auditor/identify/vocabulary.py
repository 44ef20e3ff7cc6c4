"""What each field of an observation is worth: its kind of evidence, and who wrote the text.

Read from data/fields.toml. Two pieces of evidence of one kind count once; text that a person
can have typed into the device never confirms.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from auditor.errors import DataError


@dataclass(frozen=True)
class Vocabulary:
    """kinds: field -> kind. typed: fields that a person can have filled in.

    tools: kinds that are also names of plug-ins: what such a one parsed is of its kind.
    typed_kinds: kinds whose main text is typed.
    """

    kinds: Mapping[str, str]
    typed: frozenset[str]
    typed_kinds: frozenset[str]

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read fields.toml."""
        try:
            tables = tomllib.loads(path.read_text("utf-8"))
            return cls.of(tables)
        except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
            raise DataError(f"{path} is no vocabulary of fields", why=repr(error)) from error

    @classmethod
    def of(cls, tables: Mapping[str, Mapping[str, object]]) -> "Vocabulary":
        """Index the tables of fields.toml."""
        kinds: dict[str, str] = {}
        typed: set[str] = set()
        typed_kinds: set[str] = set()
        for group, table in tables.items():
            kind = str(table["kind"])
            fields = _texts(table.get("fields"))
            said = _texts(table.get("typed"))
            names = [f"{group}.{name}" for name in fields] or [group]
            kinds.update(dict.fromkeys(names, kind))
            typed |= set(names) if "*" in said else {f"{group}.{name}" for name in said}
            if fields and said and fields[0] in said:
                typed_kinds.add(kind)
        return cls(kinds, frozenset(typed), frozenset(typed_kinds))

    @cached_property
    def tools(self) -> frozenset[str]:
        """Give the kinds that an attempt's tool can be named after."""
        return frozenset(self.kinds.values()) - {"record", "registrant"}

    def kind(self, field: str, tool: str = "") -> str:
        """Give the kind of evidence; what was parsed (device.*) is of its attempt's kind."""
        kind = self.kinds.get(field, field.split(".", 1)[0])
        return tool if kind == "record" and tool in self.tools else kind

    def is_typed(self, field: str, kind: str) -> bool:
        """Tell whether a person can have typed what stands there."""
        return field in self.typed or (field.startswith("device.") and kind in self.typed_kinds)


def _texts(found: object) -> tuple[str, ...]:
    return tuple(map(str, found)) if isinstance(found, list) else ()
