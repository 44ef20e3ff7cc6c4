"""Names and models among other words in a cell of a list: what it says plainly, what it mentions.

`Acme Inc. (OEM)` and `Acme AC-1234 dome` say who made it; `Initech (replaces Acme)` and `Acme
reseller` speak of others. Which words are which is data (data/cells.toml).
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from auditor.errors import DataError
from auditor.identify.grammar import Grammar
from auditor.identify.makers import Makers
from auditor.identify.names import normalised

MOST_WORDS = 48
CELL_CHARS = 4_096
_WORDS = re.compile(r"[^\s,;()\[\]|\"'<>]{1,64}|[,;()\[\]|]")
_PIECES = re.compile(r"[^\W_]+")
_ENDS = frozenset(";)]")
_PHRASE = 5  # words of the longest name
_SHORTEST, _SHORTEST_JOINED = 3, 5  # characters of a name, and of one that is made of pieces


@dataclass(frozen=True, slots=True)
class CellWords:
    """The words of data/cells.toml, folded."""

    beside: frozenset[str] = frozenset()
    turn_on: frozenset[str] = frozenset()
    turn_off: frozenset[str] = frozenset()
    turn_back: frozenset[str] = frozenset()
    first_only: frozenset[str] = frozenset()
    whole_only: frozenset[str] = frozenset()

    @classmethod
    def load(cls, path: Path) -> "CellWords":
        """Read cells.toml."""
        try:
            tables = tomllib.loads(path.read_text("utf-8"))
            return cls(**{name: frozenset(map(folded, words)) for name, words in tables.items()})
        except (OSError, tomllib.TOMLDecodeError, TypeError) as error:
            raise DataError(f"{path} does not say how to read cells", why=repr(error)) from error


@dataclass(frozen=True, slots=True)
class Cell:
    """plain: named without a doubt. leading: begins a cell of other words. mentioned: the rest.

    models: words that fit a grammar, and whether the cell says that it is something else.
    """

    plain: list[str] = field(default_factory=list)
    leading: list[str] = field(default_factory=list)
    mentioned: list[str] = field(default_factory=list)
    models: list[tuple[str, bool]] = field(default_factory=list)


class _Walk:
    """Where a walk through the words of a cell has come to."""

    __slots__ = ("names", "strange", "turned")

    def __init__(self) -> None:
        self.names: list[tuple[str, bool, bool]] = []  # and whether turned, first of the cell
        self.turned = False
        self.strange = 0


def folded(word: str) -> str:
    """Fold a word: no case, no accents."""
    apart = unicodedata.normalize("NFKD", word).casefold()
    return "".join(c for c in apart if not unicodedata.combining(c))


def read_cell(text: str, makers: Makers, models: Grammar, words: CellWords) -> Cell:
    """Read a cell that is neither a whole name nor a whole model."""
    found, walk = Cell(), _Walk()
    pieces: list[str] = []
    first = True
    for word in (*_words(text), ";"):
        model = word.strip(".:")
        is_model = len(model) > _SHORTEST and bool(models.match(model))
        if not is_model and (more := _PIECES.findall(word)):
            pieces += more
            continue
        _walked(pieces, makers.aliases, words, walk, first=first)
        first = first and not pieces and not is_model
        pieces = []
        if is_model:
            found.models.append((model, walk.turned))
        elif word in _ENDS:
            walk.turned = False
    for name, turned, leads in walk.names:
        if turned or (walk.strange and not leads):
            found.mentioned.append(name)
        else:
            (found.leading if walk.strange else found.plain).append(name)
    return found


def _words(text: str) -> Iterator[str]:
    for number, match in enumerate(_WORDS.finditer(text[:CELL_CHARS])):
        if number >= MOST_WORDS:
            return
        yield match[0]


def _walked(
    pieces: list[str], aliases: Mapping[str, str], words: CellWords, walk: _Walk, *, first: bool
) -> None:
    """Take in the pieces between two models, brackets or marks."""
    at, before = 0, len(walk.names)
    while at < len(pieces):
        name, length = _named(pieces, at, aliases, words, first=first and at == 0)
        if name:
            walk.names.append((name, walk.turned, first and at == 0))
            at += length
            continue
        word = folded(pieces[at])
        if word in words.turn_back and len(walk.names) > before:
            walk.names[-1] = (walk.names[-1][0], True, False)
        if word in words.turn_on or word in words.turn_off:
            walk.turned = word in words.turn_on
        elif not walk.turned and word not in words.turn_back and not _beside(word, words):
            walk.strange += 1
        at += 1


def _beside(word: str, words: CellWords) -> bool:
    return word in words.beside or any(c.isdigit() for c in word)


def _named(
    pieces: list[str], at: int, aliases: Mapping[str, str], words: CellWords, *, first: bool
) -> tuple[str | None, int]:
    """Find the longest name that begins at a piece; and how many pieces it has."""
    for length in range(min(_PHRASE, len(pieces) - at), 0, -1):
        key = normalised("".join(pieces[at : at + length]))
        name = aliases.get(key)
        if name is None or key in words.whole_only or (key in words.first_only and not first):
            continue
        shortest = _SHORTEST if length == 1 else _SHORTEST_JOINED
        if len(key) >= shortest or not key.isascii():
            return name, length
    return None, 0
