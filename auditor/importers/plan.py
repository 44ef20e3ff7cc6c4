"""Which column is what: by the user's word, the tool's own headings, aliases, near misses.

A near miss is used only when hardly a letter differs, and its score is always shown; below
that it is a suggestion, and the column stays unused until somebody confirms it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from auditor.errors import UsageError
from auditor.importers.headings import Dialect, Headings, folded
from auditor.model.observation import Origin
from auditor.plugins import Mapped, Options

USED_FROM = 92  # of 100: one letter in twelve
SUGGESTED_FROM = 75
MOST_NEAR_MISSES = 200  # headings that are compared with all aliases
THINGS = (
    "camera",
    "device",
    "equipment",
    "appareil",
    "equipement",
    "asset",
    "unit",
    "item",
    "actif",
)
SHORTEST = 5  # letters of a heading that a near miss may be looked for
MAKER, BRAND, MODEL = "asset.manufacturer", "asset.brand", "asset.model"
TEXT = "asset.description"
NAMES_MAKER = frozenset({MAKER, BRAND, "device.maker", "device.brand", "make_model"})
SELLER = "asset.supplier"
ALSO_MAKER = "and as asset.manufacturer: no other column names the maker"
ANOTHER_NAME = {"device.ip": "ip", "last_seen": "seen", "serial": "asset.serial"}


@dataclass(frozen=True, slots=True)
class Column:
    """A column that is used. kind: how its cells are read (see data/headings.toml)."""

    at: int
    heading: str
    field: str
    kind: str


@dataclass(frozen=True, slots=True)
class Plan:
    """How a table is read. secret: it has columns of secrets, so nothing of it is repeated.

    filled: places of the columns of which one must say something; empty for any.
    """

    tool: str
    origin: Origin
    says: str
    headings: tuple[str, ...]
    columns: tuple[Column, ...]
    mapped: tuple[Mapped, ...]
    secret: bool
    filled: tuple[int, ...] = ()

    @property
    def width(self) -> int:
        """Count the columns of the table."""
        return len(self.headings)


def plan(
    headings: Sequence[str],
    options: Options,
    vocabulary: Headings,
    tool: str,
    rows: Sequence[Sequence[str]] = (),
) -> Plan:
    """Decide about every column. tool: what the file is taken for when no dialect fits.

    rows: the first ones behind the headings, by which a tool's export may be told.
    """
    wanted = _wanted(options.mapping, headings, vocabulary)
    more = {folded(heading): field for heading, field in options.headings.items()}
    known = {d.tool for d in vocabulary.dialects}
    kind = options.kind if options.kind in known else ""
    dialect = vocabulary.dialect(headings, kind, rows)
    found: list[Mapped] = []
    misses: list[int] = []
    for at, heading in enumerate(headings):
        if vocabulary.is_secret(heading, options.secrets) and not _allowed(heading, dialect):
            found.append(Mapped(heading, None, 0, dropped=True, reason="a column of secrets"))
            continue
        said = _exact(heading, wanted, more, dialect, vocabulary)
        if said is None:
            misses.append(at)
            said = ""
        if said and heading:
            found.append(Mapped(heading, said, 100))
        else:
            found.append(Mapped(heading, None, 0, reason="" if heading else "no heading"))
    for at in misses[:MOST_NEAR_MISSES]:
        found[at] = _near(headings[at], vocabulary)
    if dialect is None:
        found = _with_makers(found, vocabulary)
    columns = tuple(
        Column(at, m.column, field, vocabulary.kinds.get(field, "text"))
        for at, m in enumerate(found)
        if m.field
        for field in ((m.field, MAKER) if m.reason == ALSO_MAKER else (m.field,))
    )
    return Plan(
        dialect.tool if dialect else (kind or tool),
        dialect.origin if dialect else Origin.FILE,
        dialect.says if dialect else "",
        tuple(headings),
        columns,
        tuple(found),
        any(m.dropped for m in found),
        tuple(at for at, h in enumerate(headings) if dialect and folded(h) in dialect.filled),
    )


def _with_makers(found: list[Mapped], vocabulary: Headings) -> list[Mapped]:
    """Take a `Vendor` for the maker as well, as lists of computers mean it, where no other column
    names one.
    """
    if any(column.field in NAMES_MAKER for column in found):
        return found
    return [
        replace(column, reason=ALSO_MAKER)
        if column.field == SELLER and folded(column.column) in vocabulary.sellers
        else column
        for column in found
    ]


def _wanted(
    mapping: Mapping[str, str], headings: Iterable[str], vocabulary: Headings
) -> dict[str, str]:
    """Check what the user wants, and give it by folded heading; empty: do not use."""
    here = {folded(heading) for heading in headings}
    wanted: dict[str, str] = {}
    for heading, said in mapping.items():
        field = ANOTHER_NAME.get(said, said)
        if field not in vocabulary.fields and field != "":
            raise UsageError(
                f"there is no field {said!r} to map {heading!r} to",
                hint=f"fields: ip, mac, seen, {', '.join(sorted(vocabulary.fields)[:60])}",
            )
        if vocabulary.is_secret(heading) and field:
            raise UsageError(
                f"column {heading!r} is not imported",
                why="its heading says that it holds secrets, and those are never stored",
                hint="rename the column if it holds something else",
            )
        if folded(heading) in here:
            wanted[folded(heading)] = field
    return wanted


def _allowed(heading: str, dialect: Dialect | None) -> bool:
    """Tell whether a tool's own column only sounds like a secret (`Partition Key` does not)."""
    return bool(dialect and dialect.columns.get(folded(heading)))


def _exact(
    heading: str,
    wanted: Mapping[str, str],
    more: Mapping[str, str],
    dialect: Dialect | None,
    vocabulary: Headings,
) -> str | None:
    """Give the field of a heading, empty for "not used", None when nobody knows it."""
    whole = folded(heading)
    for names in (wanted, more, dialect.columns if dialect else {}):
        if whole in names:
            return names[whole]
    if not whole or whole in vocabulary.ignored:
        return ""
    # what stands in brackets is a unit or a choice: `Sensitive (Y/N)`
    return vocabulary.aliases.get(whole) or vocabulary.aliases.get(folded(heading.split("(", 1)[0]))


def _core(whole: str) -> str:
    """Take off the word for the thing itself: `cameramake` is `make`."""
    for word in THINGS:
        if whole.startswith(word) and whole != word:
            return whole.removeprefix(word)
        if whole.endswith(word) and whole != word:
            return whole.removesuffix(word)
    return whole


def _near(heading: str, vocabulary: Headings) -> Mapped:
    from rapidfuzz import fuzz, process

    whole = folded(heading)
    if len(whole) < SHORTEST:
        return Mapped(heading, None, 0, reason="unknown heading")
    found = process.extract(
        whole, list(vocabulary.aliases), scorer=fuzz.ratio, score_cutoff=SUGGESTED_FROM, limit=20
    )
    # `camera make` is no `camera mac`: without the word that all have it must be alike as well
    choices = [c for c in found if fuzz.ratio(_core(whole), _core(c[0])) >= SUGGESTED_FROM]
    if not choices and (field := vocabulary.aliases.get(_core(whole), "")):
        wish = f'perhaps {field}: --map "{heading[:60]}={field}"'
        return Mapped(heading, None, SUGGESTED_FROM, reason=wish)
    if not choices:
        return Mapped(heading, None, 0, reason="unknown heading")
    alias, score, _ = choices[0]
    field = vocabulary.aliases[alias]
    rivals = {vocabulary.aliases[a] for a, s, _ in choices if s == score}
    whole_score = min(99, int(score))
    if whole_score >= USED_FROM and len(rivals) == 1:
        return Mapped(heading, field, whole_score, reason=f"nearly {alias}")
    wish = f'perhaps {field}: --map "{heading[:60]}={field}"'
    return Mapped(heading, None, whole_score, reason=wish)
