"""A file that somebody wants to import: opened once, hashed, recognised by its content."""

import hashlib
import os
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader, FileIO
from pathlib import Path

from auditor.errors import DataError, UsageError
from auditor.plugins import Importer, Sample

SAMPLE_BYTES = 64 << 10
READ_BYTES = 256 << 10
MANIFEST_BYTES = 64 << 10
BUNDLE_MARK = b"auditor-bundle"
RECOGNISED_FROM = 25  # of 100


@dataclass(frozen=True, slots=True)
class Source:
    """An open file. sha256: of its content; stamp: how it looked when it was opened."""

    path: Path
    file: BufferedReader = field(repr=False)
    size: int
    stamp: tuple[int, ...]
    sha256: str
    sample: Sample

    def is_bundle(self) -> bool:
        """Tell whether this is a bundle of this program: an archive that says so."""
        if not self.sample.head.startswith(b"PK"):
            return False
        try:
            with zipfile.ZipFile(self.file) as archive, archive.open("manifest.json") as said:
                return BUNDLE_MARK in said.read(MANIFEST_BYTES)
        except (
            zipfile.BadZipFile,
            zlib.error,
            KeyError,
            OSError,
            NotImplementedError,
            RuntimeError,
        ):
            return False
        finally:
            self.file.seek(0)

    def check_unchanged(self) -> None:
        """Refuse a file that somebody wrote to while it was read."""
        if _stamp(os.fstat(self.file.fileno())) != self.stamp:
            raise DataError(
                f"{self.path} changed while it was read",
                why="somebody wrote to it; nothing of it was imported",
                hint="wait until it is written, or copy it, and repeat",
            )


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


@contextmanager
def opened(path: Path) -> Iterator[Source]:
    """Open a plain file for reading, its content hashed."""
    with _plain(path) as file:
        stamp = _stamp(os.fstat(file.fileno()))
        try:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            file.seek(0)
            head = file.read(SAMPLE_BYTES)
            file.seek(0)
        except OSError as error:
            raise DataError(f"cannot read {path}", why=error.strerror or "") from error
        size = stamp[2]
        yield Source(path, file, size, stamp, digest, Sample(path.name, head, size))


def _plain(path: Path) -> BufferedReader:
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if path.is_symlink():
            raise UsageError(
                f"{path} is a symbolic link",
                why="what it leads to may change, and may not be what its name says",
                hint="name the file itself",
            ) from error
        raise UsageError(
            f"cannot read {path}",
            why=(error.strerror or str(error)).lower(),
            hint="check the name and your right to read it",
        ) from error
    mode = os.fstat(number).st_mode
    if not stat.S_ISREG(mode):
        os.close(number)
        kind = "a folder" if stat.S_ISDIR(mode) else "no plain file"
        raise UsageError(f"{path} is {kind}", hint="name the files, e.g. FOLDER/*.csv")
    return BufferedReader(FileIO(number), READ_BYTES)


def kind_of(
    source: Source,
    importers: Sequence[Importer],
    asked: str,
    tools: Sequence[str] = (),
    *,
    mapped: bool = False,
) -> Importer:
    """Give the importer for a file: the one asked for, else the one that knows it best.

    tools: kinds of tables that the importers with columns know by name. mapped: the user said
    what the columns hold, so it is a table, whatever its headings.
    """
    by_name = {importer.name: importer for importer in importers}
    ranked = sorted(importers, key=_rank(source.sample), reverse=True)
    if asked in by_name:
        return by_name[asked]
    if asked and asked not in tools:
        known = ", ".join(sorted({*by_name, *tools}))
        raise UsageError(f"there is no kind of file {asked!r}", hint=f"choose among {known}")
    sure = bool(asked or mapped)
    if sure:
        ranked = [importer for importer in ranked if importer.columns]
    best = ranked[0] if ranked else None
    if best is None or (best.recognise(source.sample) < RECOGNISED_FROM and not sure):
        raise DataError(
            f"{source.path} is of no kind that is known here",
            why="neither its beginning nor its headings are those of a known format"
            if source.size
            else "it is empty",
            hint="say what it is with --as KIND, or name its columns with --map COLUMN=FIELD",
        )
    return best


def _rank(sample: Sample) -> Callable[[Importer], tuple[int, bool]]:
    def rank(importer: Importer) -> tuple[int, bool]:
        stem = importer.name.split("_", 1)[0]
        return importer.recognise(sample), stem in sample.name.lower()

    return rank
