"""On which line of a TOML file each key stands, so that a mistake can be pointed at.

The grammar is read only as far as that takes (TOML 1.0: table headers, arrays of tables,
bare and quoted keys, values that run over several lines); tomllib has checked the file before.
"""

import re
from collections.abc import Mapping

Path = tuple[str | int, ...]

# header: [a.b] or [[a.b]], maybe with a comment after it
_HEADER = re.compile(r"\s*(?P<open>\[\[?)(?P<keys>[^\[\]]+)\]\]?\s*(?:#.*)?")
# key = value; a key is bare words or quoted strings joined by dots
_KEY = re.compile(
    r"""\s*(?P<keys>(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*'))*)\s*="""
)
_PART = re.compile(r"""[A-Za-z0-9_-]+|"[^"]*"|'[^']*'""")
# what may hold brackets without meaning them
_STRINGS = re.compile(r'"(?:\\.|[^"\\])*"|\'[^\']*\'|#.*')


def key_lines(text: str) -> Mapping[Path, int]:
    """Give the line (from 1) of every table and key; items of arrays of tables by index."""
    lines: dict[Path, int] = {}
    counts: dict[Path, int] = {}
    table: Path = ()
    quote, depth = "", 0
    for number, whole in enumerate(text.splitlines(), 1):
        line = whole
        if not quote and depth == 0:
            if header := _HEADER.fullmatch(line):
                table = _enter(header, counts)
                lines.setdefault(table, number)
                continue
            if key := _KEY.match(line):
                lines.setdefault((*table, *_parts(key["keys"])), number)
                line = line[key.end() :]
        quote, depth = _open_after(line, quote, depth)
    return lines


def line_of(path: Path, lines: Mapping[Path, int]) -> int:
    """Give the line of the nearest thing around `path` that stands in the file."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 1


def _parts(keys: str) -> tuple[str, ...]:
    return tuple(part.strip("\"'") for part in _PART.findall(keys))


def _enter(header: re.Match[str], counts: dict[Path, int]) -> Path:
    """Resolve a header: a name that is an array of tables means its newest item."""
    path: Path = ()
    parts = _parts(header["keys"])
    for at, part in enumerate(parts):
        path = (*path, part)
        last = at == len(parts) - 1
        if last and header["open"] == "[[":
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
    return path


def _open_after(line: str, quote: str, depth: int) -> tuple[str, int]:
    """Tell what a line leaves open: a multi-line string (its quotes) or brackets (how deep)."""
    while True:
        if quote:
            end = line.find(quote)
            if end < 0:
                return quote, depth
            line, quote = line[end + 3 :], ""
        starts = [(line.find(q), q) for q in ('"""', "'''") if q in line]
        if not starts:
            bare = _STRINGS.sub("", line)
            return "", max(0, depth + sum(map(bare.count, "[{")) - sum(map(bare.count, "]}")))
        start, quote = min(starts)
        bare = _STRINGS.sub("", line[:start])
        depth += sum(map(bare.count, "[{")) - sum(map(bare.count, "]}"))
        line = line[start + 3 :]
