"""Read the public copies of the IEEE registries, compare them, write our own sorted form.

Three formats, told apart by content: IEEE's CSV (`Registry,Assignment,Organization Name,…`;
MA-L, MA-M, MA-S and IAB), Wireshark's manuf (`prefix[/bits] TAB short TAB long`), and our own
vendors.tsv. A copy that would lose prefixes of a covered vendor is refused: blocks are never
taken back, so a loss is a defect of the copy.
"""

import csv
import gzip
import hashlib
import io
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from auditor.errors import DataError
from auditor.identify.names import normalised

Rows = dict[tuple[int, int], str]  # (bits, prefix) -> registrant
LIMIT_BYTES = 64 << 20  # the largest public copy is 6 MB
_Parser = Callable[[str], tuple[tuple[int, int], str] | None]
_IEEE_BITS = {"MA-L": 24, "MA-M": 28, "MA-S": 36, "IAB": 36}
_MANUF = re.compile(r"([0-9A-Fa-f:.-]{6,17})(?:/(\d+))?\s*\t([^\t]*)\t?(.*)")
_TSV = re.compile(r"(24|28|36)\t([0-9A-F]{6,9})\t(\S.*)")
_HINT = "give IEEE's oui.csv, mam.csv or oui36.csv, or Wireshark's manuf"


@dataclass(frozen=True, slots=True)
class Copy:
    """What one file holds. widths: the prefix lengths that it is complete for."""

    kind: str  # ieee_csv | manuf | tsv
    rows: Rows
    widths: frozenset[int]
    refused: int = 0  # lines that are no assignment


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a new registry differs. lost: prefixes of covered vendors that it no longer has."""

    added: int
    removed: int
    renamed: int
    lost: tuple[str, ...]


def read(raw: bytes) -> Copy:
    """Read any of the three formats (also gzipped); DataError where it is none of them."""
    if raw[:2] == b"\x1f\x8b":
        raw = _unzip(raw)
    if len(raw) > LIMIT_BYTES:
        raise DataError("the registry file is too large", hint=_HINT)
    text = raw.decode("utf-8-sig", "replace")
    first = next((line for line in text.splitlines() if line and not line.startswith("#")), "")
    if first.startswith("Registry,Assignment,Organization Name"):
        copy = _ieee(text)
    elif _TSV.fullmatch(first):
        copy = _lines(text, "tsv", _tsv_line)
    elif _MANUF.fullmatch(first):
        copy = _lines(text, "manuf", _manuf_line)
    else:
        raise DataError("this is no registry of hardware addresses", why=first[:80], hint=_HINT)
    if not copy.rows:
        raise DataError("the registry file holds no assignment", hint=_HINT)
    return copy


def _unzip(raw: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(raw)) as stream:
            return stream.read(LIMIT_BYTES + 1)
    except (OSError, EOFError) as error:
        raise DataError("the registry file is damaged", why=str(error), hint=_HINT) from error


def _ieee(text: str) -> Copy:
    rows: Rows = {}
    refused = 0
    widths = set()
    try:
        for record in csv.DictReader(io.StringIO(text)):
            bits = _IEEE_BITS.get(record.get("Registry") or "", 0)
            key = _key(record.get("Assignment") or "", bits)
            if key is None:
                refused += 1
                continue
            widths.add(bits)
            if name := _name(record.get("Organization Name") or ""):
                rows[key] = name
    except csv.Error as error:
        raise DataError("the registry file is damaged", why=str(error), hint=_HINT) from error
    return Copy("ieee_csv", rows, frozenset(widths), refused)


def _lines(text: str, kind: str, parse: _Parser) -> Copy:
    rows: Rows = {}
    refused = 0
    for line in text.split("\n"):
        if not line.strip() or line.startswith("#"):
            continue
        found = parse(line.rstrip("\r"))
        if found is None:
            refused += 1
        else:
            rows[found[0]] = found[1]
    return Copy(kind, rows, frozenset({24, 28, 36}), refused)


def _manuf_line(line: str) -> tuple[tuple[int, int], str] | None:
    found = _MANUF.fullmatch(line)
    if not found:
        return None
    digits = re.sub(r"[:.-]", "", found[1])
    bits = int(found[2]) if found[2] else 24
    key = _key(digits, bits)
    name = _name(found[4] or found[3])
    return (key, name) if key and name else None


def _tsv_line(line: str) -> tuple[tuple[int, int], str] | None:
    found = _TSV.fullmatch(line)
    key = _key(found[2], int(found[1])) if found else None
    return (key, _name(found[3])) if found and key else None


def _key(digits: str, bits: int) -> tuple[int, int] | None:
    if bits not in {24, 28, 36} or len(digits) < bits // 4:
        return None
    try:
        return bits, int(digits[: bits // 4], 16)
    except ValueError:
        return None


def _name(text: str) -> str:
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def merge(old: Mapping[tuple[int, int], str], new: Copy) -> Rows:
    """Replace the prefix lengths that `new` is complete for; keep the others of `old`."""
    kept = {key: name for key, name in old.items() if key[0] not in new.widths}
    return {**kept, **new.rows}


def compare(
    old: Mapping[tuple[int, int], str], new: Mapping[tuple[int, int], str], covered: Iterable[str]
) -> Comparison:
    """Say how `new` differs from `old`. covered: normalised registrants that must lose nothing."""
    names = frozenset(covered)
    gone = [key for key in old if key not in new]
    lost = tuple(
        f"{key[1]:0{key[0] // 4}X}/{key[0]} {old[key]}"
        for key in sorted(gone)
        if normalised(old[key]) in names
    )
    renamed = sum(1 for key in new if key in old and old[key] != new[key])
    return Comparison(sum(1 for key in new if key not in old), len(gone), renamed, lost)


def render(rows: Mapping[tuple[int, int], str]) -> bytes:
    """Write vendors.tsv: sorted as text, so that a refresh is a readable diff."""
    lines = (
        f"{bits}\t{prefix:0{bits // 4}X}\t{rows[bits, prefix]}\n" for bits, prefix in sorted(rows)
    )
    return "".join(lines).encode()


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a copy was taken from. sha256: of the file as received."""

    source: str
    day: date
    sha256: str
    licence: str


def sources_toml(tsv: bytes, made_of: Iterable[Provenance], day: date) -> str:
    """Write SOURCES.toml: the registry as shipped, then each input it was made of."""
    inputs = tuple(made_of)
    lines = [
        "# Where the registry comes from; `auditor oui status` and every report print it.",
        "[registry]",
        f"source = {_quoted('; '.join(p.source for p in inputs))}",
        f"day = {day.isoformat()}",
        f"rows = {tsv.count(10)}",
        f"sha256 = {_quoted(hashlib.sha256(tsv).hexdigest())}",
        f"licence = {_quoted(inputs[0].licence if inputs else '')}",
    ]
    for made in inputs:
        lines += [
            "",
            "[[input]]",
            f"source = {_quoted(made.source)}",
            f"day = {made.day.isoformat()}",
            f"sha256 = {_quoted(made.sha256)}",
            f"licence = {_quoted(made.licence)}",
        ]
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else " " for c in escaped) + '"'


def _inputs(folder: Path) -> tuple[Provenance, ...]:
    try:
        told = tomllib.loads((folder / "SOURCES.toml").read_text("utf-8"))["input"]
        return tuple(Provenance(t["source"], t["day"], t["sha256"], t["licence"]) for t in told)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError):
        return ()


@dataclass(frozen=True, slots=True)
class Updated:
    """What `update` did."""

    kind: str
    rows: int
    comparison: Comparison
    folder: Path


def update(
    raw: bytes,
    made: Provenance,
    before: Path,
    into: Path,
    covered: Iterable[str],
    *,
    force: bool = False,
) -> Updated:
    """Write into `into` the registry of `before` refreshed with one downloaded file.

    A file of one prefix length keeps the others as they were, and the day of the oldest.
    Refuses (DataError) a file that loses prefixes of covered vendors, unless forced.
    """
    old = read((before / "vendors.tsv").read_bytes()).rows
    copy = read(raw)
    rows = merge(old, copy)
    comparison = compare(old, rows, covered)
    if comparison.lost and not force:
        raise DataError(
            f"the new registry lacks {len(comparison.lost)} blocks of covered vendors",
            why="; ".join(comparison.lost[:5]),
            hint="blocks are not taken back: take a newer or complete copy",
        )
    tsv = render(rows)
    whole = copy.widths >= {24, 28, 36}
    earlier = () if whole else _inputs(before)
    oldest = min([made.day, *(source.day for source in earlier)])
    into.mkdir(parents=True, exist_ok=True)
    for name, data in (
        ("vendors.tsv", tsv),
        ("SOURCES.toml", sources_toml(tsv, (made, *earlier), oldest).encode()),
    ):
        part = into / f"{name}.part"
        part.write_bytes(data)
        part.replace(into / name)
    return Updated(copy.kind, len(rows), comparison, into)
