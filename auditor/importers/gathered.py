"""What the columns of a table say of its rows, gathered column by column."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from auditor.importers.headings import folded
from auditor.importers.makes import parted
from auditor.importers.plan import BRAND, MAKER, MODEL, TEXT
from auditor.model.observation import Observation


@dataclass(frozen=True, slots=True)
class Found:
    """What the columns of a chunk say. more: further observations of a row, by its place."""

    fields: dict[str, list[str | None]] = field(default_factory=dict)
    more: dict[int, list[Observation]] = field(default_factory=dict)
    problems: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))
    started: dict[int, datetime] = field(default_factory=dict)

    def put(self, name: str, texts: list[str | None]) -> None:
        """Add a column; where two are of one field, the first that says anything counts."""
        before = self.fields.get(name)
        if before is not None:
            texts = [old or new for old, new in zip(before, texts, strict=True)]
        self.fields[name] = texts

    def put_maker(self, texts: list[str | None]) -> None:
        """Add a column of makers; who else is named is the brand, and is not lost."""
        before = self.fields.get(MAKER)
        if before is not None:
            others = [
                new if old and new and folded(old) != folded(new) else None
                for old, new in zip(before, texts, strict=True)
            ]
            if any(others):
                self.put_or_also(BRAND, others)
        self.put(MAKER, texts)

    def put_make_model(self, cells: Iterable[str]) -> None:
        """Add a column of both in one; where they were parted by a guess, the whole text as well."""
        makes, models, wholes = zip(*map(parted, cells), strict=True)
        self.put_maker(list(makes))
        self.put(MODEL, list(models))
        if any(wholes):
            self.put_or_also(TEXT, wholes)

    def put_or_also(self, name: str, texts: Sequence[str | None]) -> None:
        """Add a column of a field that a row may have several of."""
        before = self.fields.get(name)
        for at, text in enumerate(texts if before else ()):
            if text and before and before[at] and before[at] != text:
                self.also(at, name, text)
        self.put(name, list(texts))

    def put_address(self, name: str, texts: list[str | None]) -> None:
        """Add a column of addresses; a device may well have two."""
        self.put_or_also(name, texts)

    def also(self, at: int, name: str, text: str) -> None:
        """Add one more value to a row."""
        seen = Observation("device.ip" if name == "ip" else name, text)
        if seen not in self.more.setdefault(at, []):
            self.more[at].append(seen)
