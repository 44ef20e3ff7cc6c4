"""What the columns of lists are called, and what they hold: data/headings.toml, read once.

Headings are compared by their letters and digits alone: case, accents, spaces, hyphens and
underscores differ from one export to the next.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from auditor.errors import DataError
from auditor.model.observation import Origin

SHIPPED = Path(__file__).parent.parent / "data"
# places of a record that are no field of an observation
PLACES = frozenset({"ip", "seen", "make_model", "client_id"})
HEADING_CHARS = 200
_NEITHER = re.compile(r"[^a-z0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def words(text: str) -> str:
    """Fold a text to its words in plain letters: `N° de série` is `n de serie`."""
    plain = unicodedata.normalize("NFKD", text[:HEADING_CHARS].replace("°", " "))
    letters = "".join(c for c in plain if not unicodedata.combining(c))
    return _NEITHER.sub(" ", _CAMEL.sub(" ", letters).casefold()).strip()


def folded(text: str) -> str:
    """Fold a heading to its letters and digits: `MAC Address` is `macaddress`."""
    return words(text).replace(" ", "")


@dataclass(frozen=True, slots=True)
class Dialect:
    """One tool's export. columns: folded heading -> field, empty where it holds nothing.

    filled: a row says something only where one of these columns does; empty for any column.
    only: headings of which a machine's own export has one; where it has none, the values of
    one column `begins` with those of another. No such export has a column of a register's.
    """

    tool: str
    says: str
    origin: Origin
    signature: frozenset[str]
    columns: Mapping[str, str]
    filled: frozenset[str] = frozenset()
    only: frozenset[str] = frozenset()
    begins: tuple[str, str] | None = None

    def is_shown_by(self, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> bool:
        """Tell whether a table with the signature has what nothing but this tool writes."""
        if not self.only or not self.only.isdisjoint(headings):
            return True
        if self.begins is None:
            return False
        long, short = (headings.index(name) for name in self.begins)
        wide = [row for row in rows if len(row) > max(long, short)]
        said = [(row[long], row[short]) for row in wide if row[long].strip() and row[short].strip()]
        return 2 * sum(a.strip().startswith(b.strip()) for a, b in said) > len(said)


@dataclass(frozen=True, slots=True)
class Headings:
    """The vocabulary of headings.

    aliases: folded heading -> field. ignored: headings that hold nothing of a device.
    kinds: field -> how its values are read. codes: field or `yesno` -> folded word -> code.
    fields: all that may be mapped to. spoken: every heading that anything above knows.
    sellers: headings of sellers that name the maker where nothing else does.
    """

    aliases: Mapping[str, str]
    ignored: frozenset[str]
    secret_parts: tuple[str, ...]
    secret_words: frozenset[str]
    kinds: Mapping[str, str]
    codes: Mapping[str, Mapping[str, str]]
    dialects: tuple[Dialect, ...]
    fields: frozenset[str]
    spoken: frozenset[str]
    sellers: frozenset[str] = frozenset()

    def is_secret(self, heading: str, more: Iterable[str] = ()) -> bool:
        """Tell whether a column is called like one that holds secrets."""
        plain = words(heading)
        whole = plain.replace(" ", "")
        return (
            any(part in whole for part in self.secret_parts)
            or bool(self.secret_words & set(plain.split()))
            or whole in self.secret_words
            or whole in {folded(text) for text in more}
        )

    def field_of(self, heading: str) -> str:
        """Give the field that a heading is an alias of, empty where it is of none."""
        return self.aliases.get(folded(heading), "")

    def known(self, heading: str) -> bool:
        """Tell whether a heading is one of the vocabulary's, a secret's included."""
        whole = folded(heading)
        return bool(whole) and (whole in self.spoken or self.is_secret(heading))

    def dialect(
        self, headings: Iterable[str], kind: str = "", rows: Sequence[Sequence[str]] = ()
    ) -> Dialect | None:
        """Give the tool whose export this is: the one that asks for most of the headings.

        kind: the tool that the user named. rows: the first ones behind the headings.
        """
        here = [folded(heading) for heading in headings]
        fitting = [d for d in self.dialects if d.signature.issubset(here) and kind in {"", d.tool}]
        if not kind:
            fitting = [
                d for d in fitting if d.is_shown_by(here, rows) and not self._is_register(d, here)
            ]
        return max(fitting, key=lambda d: len(d.signature), default=None)

    def _is_register(self, dialect: Dialect, headings: Iterable[str]) -> bool:
        """Tell a register that happens to have the headings of a machine's export."""
        others = (name for name in headings if name not in dialect.columns)
        return bool(dialect.only) and any(
            self.aliases.get(name, "").startswith("asset.") for name in others
        )


def load(folder: Path) -> Headings:
    """Read headings.toml and the names of the fields from a folder."""
    try:
        tables = tomllib.loads((folder / "headings.toml").read_text("utf-8"))
        fields = _field_names(tomllib.loads((folder / "fields.toml").read_text("utf-8")))
        return _headings(tables, fields)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{folder} holds no vocabulary of headings", why=repr(error)) from error


@lru_cache(maxsize=1)
def shipped() -> Headings:
    """Give the vocabulary that comes with the program."""
    return load(SHIPPED)


def _headings(tables: Mapping[str, Any], fields: frozenset[str]) -> Headings:
    aliases = {
        folded(alias): field
        for field, spelled in tables["fields"].items()
        for alias in (*spelled, *([field] if field in fields else ()))
    }
    aliases |= {folded(name): name for name in sorted(fields) if folded(name) not in aliases}
    dialects = tuple(
        Dialect(
            row["tool"],
            row["says"],
            Origin(row["origin"]),
            frozenset(map(folded, row["signature"])),
            {folded(heading): field for heading, field in row["columns"].items()},
            frozenset(map(folded, row.get("filled", ()))),
            frozenset(map(folded, row.get("only", ()))),
            _pair(row.get("begins")),
        )
        for row in tables["dialect"]
    )
    allowed = fields | PLACES
    named = {*tables["fields"], *(f for d in dialects for f in d.columns.values() if f)}
    if strange := sorted(named - allowed):
        raise DataError(f"headings.toml names fields that do not exist: {', '.join(strange)}")
    codes = {
        name: {folded(word): code for code, spelled in codes.items() for word in spelled}
        for name, codes in {**tables["codes"], "yesno": tables["yesno"]}.items()
    }
    return Headings(
        aliases,
        frozenset(map(folded, tables["ignored"]["headings"])),
        tuple(map(folded, tables["secrets"]["parts"])),
        frozenset(tables["secrets"]["words"]),
        tables["kinds"],
        codes,
        dialects,
        allowed,
        frozenset(aliases).union(*(d.signature.union(d.columns) for d in dialects)),
        frozenset(map(folded, tables["sellers"]["headings"])),
    )


def _pair(names: Sequence[str] | None) -> tuple[str, str] | None:
    if names is None:
        return None
    long, short = map(folded, names)
    return long, short


def _field_names(tables: Mapping[str, Any]) -> frozenset[str]:
    names = {
        f"{group}.{name}" if table.get("fields") else group
        for group, table in tables.items()
        for name in table.get("fields") or [""]
    }
    return frozenset(names)
