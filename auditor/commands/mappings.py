"""What the columns of a source mean, as somebody once said and wants kept."""

import json
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from auditor import wiring
from auditor.errors import DataError, UsageError
from auditor.importers.headings import folded
from auditor.plugins import Mapped

NEAR = 60  # of 100
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def spoken(texts: tuple[str, ...]) -> dict[str, str]:
    """Read `COLUMN=FIELD`; the last sign counts, as headings may hold one."""
    found: dict[str, str] = {}
    for text in texts:
        column, sign, field = text.rpartition("=")
        if not sign or not column.strip():
            raise UsageError(
                f"{text!r} maps nothing",
                hint='write COLUMN=FIELD, e.g. --map "Serial No=asset.serial"; '
                "an empty FIELD leaves the column out",
            )
        found[column.strip()] = field.strip()
    return found


def check(wanted: Iterable[str], columns: Iterable[Mapped], name: str) -> None:
    """Refuse a mapping that was just said of a column that the file does not have."""
    from rapidfuzz import fuzz, process

    here = {folded(column.column): column.column for column in columns if column.column}
    for heading in wanted:
        if folded(heading) in here:
            continue
        near = process.extract(
            folded(heading), list(here), scorer=fuzz.ratio, score_cutoff=NEAR, limit=3
        )
        like = ", ".join(repr(here[found]) for found, _, _ in near)
        raise UsageError(
            f"{name} has no column {heading!r}",
            why=f"the nearest are: {like}" if like else "none of its columns is called nearly so",
            hint="write --map with a column as its heading has it; --dry-run shows them all",
        )


def _path(name: str) -> Path:
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} names no mapping", hint="use letters, digits, dots, hyphens, underscores"
        )
    return wiring.user_data() / "maps" / f"{name}.json"


def saved(name: str) -> dict[str, str]:
    """Read a mapping that was kept."""
    path = _path(name)
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError as error:
        names = ", ".join(sorted(p.stem for p in path.parent.glob("*.json"))) or "none yet"
        raise UsageError(f"there is no mapping {name!r}", why=f"kept: {names}") from error
    except ValueError as error:
        raise DataError(f"{path} is no mapping", why=str(error)) from error
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise DataError(f"{path} is no mapping", why="it is not a table of headings and fields")
    return {str(column): str(field) for column, field in found.items()}


def keep(name: str, mapping: Mapping[str, str]) -> Path:
    """Keep a mapping under a name; what was kept under it before is replaced."""
    path = _path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(f".{os.getpid()}.part")
    part.write_text(json.dumps(dict(mapping), ensure_ascii=False, indent=1) + "\n", "utf-8")
    part.replace(path)
    return path
