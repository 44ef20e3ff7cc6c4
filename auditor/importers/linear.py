"""Expressions that strangers wrote, run in time linear in the line (RE2), as TextFSM asks for them.

RE2 is spoken to in bytes, and each name is looked up once: half the time of its own matches.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import re2

MOST_MEM_BYTES = 1 << 20  # of one expression

error = re2.error


@lru_cache(maxsize=1)
def _bounded() -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MOST_MEM_BYTES
    return options


class Said:
    """What the named groups of one match hold; None where a group had no part in it."""

    __slots__ = ("_said",)

    def __init__(self, said: Mapping[str, str | None]) -> None:
        self._said = said

    def groupdict(self) -> Mapping[str, str | None]:
        """Give all of them by name."""
        return self._said

    def group(self, name: str) -> str | None:
        """Give one of them."""
        return self._said[name]


class Linear:
    """One expression. Raises `error` for what RE2 does not know (look-around, references back)."""

    def __init__(self, pattern: str) -> None:
        self._run = re2.compile(pattern.encode(), _bounded())
        self._names = [(name.decode(), at) for name, at in self._run.groupindex.items()]
        self.groups: int = self._run.groups

    def match(self, line: str) -> Said | None:
        """Match at the beginning of a line."""
        found = self._run.match(line.encode("utf-8", "replace"))
        if found is None:
            return None
        parts = {name: found.group(at) for name, at in self._names}
        return Said({
            name: None if part is None else part.decode("utf-8", "replace")
            for name, part in parts.items()
        })  # fmt: skip
