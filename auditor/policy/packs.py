"""The packs: reading many with all mistakes at once, and what a report says of one."""

from collections.abc import Iterable
from datetime import date
from pathlib import Path

from auditor.errors import DataError
from auditor.model.policy import PackSummary
from auditor.policy.lint import Names, lint
from auditor.policy.pack import Pack
from auditor.policy.reading import Mistake, checks, read


def load_packs(paths: Iterable[Path]) -> tuple[Pack, ...]:
    """Read packs from files and from folders of `*.toml`, sorted by id; later files win nothing.

    Every mistake of every file is in the one error that is raised.
    """
    known = checks()
    packs: dict[str, Pack] = {}
    mistakes: list[Mistake] = []
    for path in _files(paths):
        pack, wrong = read(path, known)
        mistakes += wrong
        if pack and pack.id in packs:
            twin = packs[pack.id].path
            mistakes.append(Mistake(str(path), 1, f"the pack {pack.id!r} stands in {twin} already"))
        elif pack:
            packs[pack.id] = pack
    if mistakes:
        count = len(mistakes)
        raise DataError(
            f"{count} mistake{'s' if count > 1 else ''} in policy packs",
            why="\n       ".join(map(str, sorted(mistakes))),
            hint="correct the lines, then run `auditor packs check FILE`",
        )
    return tuple(packs[key] for key in sorted(packs))


def check_pack(path: Path, today: date, names: Names | None = None) -> tuple[Mistake, ...]:
    """Lint one file for `packs check`: what is wrong with it, and what is only doubtful."""
    pack, mistakes = read(path, checks())
    return mistakes if pack is None else tuple(sorted((*mistakes, *lint(pack, path, today, names))))


def _files(paths: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in paths:
        files += sorted(path.glob("*.toml")) if path.is_dir() else [path]
    return files


def summary(pack: Pack, today: date) -> PackSummary:
    """Give what a report says of a pack; overdue: past the day by which it had to be reviewed."""
    raw, cited = pack.raw, pack.raw.instrument.citation
    return PackSummary(
        id=raw.id,
        version=raw.version,
        title=raw.title,
        jurisdiction=raw.jurisdiction,
        status=raw.status,
        as_of=raw.as_of,
        review_by=raw.review_by,
        citation=cited.en if cited else None,
        citation_fr=cited.fr if cited else None,
        binds=raw.binds.says,
        prohibits=raw.prohibits,
        unconfirmed=raw.unconfirmed,
        sources=raw.source,
        sha256=pack.sha256,
        overdue=today > raw.review_by,
        actions=raw.actions,
        legacy=raw.legacy.says,
    )
