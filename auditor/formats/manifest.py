"""MANIFEST.json: what an output folder holds, so that anybody can check it offline.

`verify_folder` needs the folder and nothing else: no database, no network.
"""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from auditor.errors import DataError, EnvironmentLack
from auditor.model.report import Report
from auditor.plugins import Written

NAME = "MANIFEST.json"
PART = ".part"
SCHEMA = "urn:legacy-equipment-auditor:manifest:1"
BLOCK_BYTES = 1 << 20
LIMIT_BYTES = 64 << 20  # a manifest larger than this is not ours


def write_folder(files: Iterable[Written], out: Path, report: Report) -> tuple[Path, ...]:
    """Write the files of a report and the manifest that pins them; give their paths.

    Each file appears whole or not at all, and files of an earlier report that this one does
    not write again are left alone (`verify` names them as not listed).
    """
    listed: dict[str, dict[str, Any]] = {}
    try:
        for old in out.glob(f".*{PART}"):  # of a report that was killed
            old.unlink(missing_ok=True)
        for written in files:
            listed[written.name] = _write(out / written.name, written.pieces)
        body = _manifest(report, listed)
        _write(out / NAME, (body,))
    except OSError as error:
        raise EnvironmentLack(
            f"cannot write the report to {out}",
            why=error.strerror or str(error),
            hint="choose another folder with --out, or make room",
        ) from error
    return tuple(out / name for name in (*listed, NAME))


def _write(path: Path, pieces: Iterable[bytes]) -> dict[str, Any]:
    path.parent.mkdir(parents=True, exist_ok=True)
    waiting = path.with_name(f".{path.name}{PART}")
    digest, size = hashlib.sha256(), 0
    try:
        with waiting.open("wb") as file:
            for piece in pieces:
                file.write(piece)
                digest.update(piece)
                size += len(piece)
            file.flush()
            os.fsync(file.fileno())  # a name that outlives a loss of power has its bytes
        waiting.replace(path)
    finally:
        waiting.unlink(missing_ok=True)
    return {"sha256": digest.hexdigest(), "bytes": size}


def _manifest(report: Report, listed: dict[str, dict[str, Any]]) -> bytes:
    said = {
        "schema": SCHEMA,
        "generated": report.generated.isoformat(),
        "tool": {"name": "auditor", "version": report.tool_version},
        "snapshot": report.snapshot.id,
        "chain_head": report.snapshot.chain_head,
        "chain_rows": report.snapshot.rows,
        "as_of": report.snapshot.as_of.isoformat(),
        "marking": report.marking,
        "files": dict(sorted(listed.items())),
    }
    said["seal"] = _seal(said)
    return (json.dumps(said, indent=1, ensure_ascii=True) + "\n").encode()


def _seal(said: dict[str, Any]) -> str:
    """Hash the manifest itself, so that a byte flipped in it is noticed as well."""
    rest = {key: value for key, value in said.items() if key != "seal"}
    canonical = json.dumps(rest, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read the manifest of `folder`; refuse what is none."""
    path = folder / NAME
    try:
        if path.stat().st_size > LIMIT_BYTES:
            raise DataError(f"{path} is too large to be a manifest")
        said = json.loads(path.read_bytes())
        if not isinstance(said, dict) or not isinstance(said.get("files"), dict):
            raise ValueError("it lists no files")
    except OSError as error:
        raise DataError(
            f"{folder} holds no readable {NAME}",
            why=error.strerror or str(error),
            hint="give the folder that `report` or `audit` wrote",
        ) from error
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is damaged", why=str(error), hint="get the folder anew") from error
    return said


def verify_folder(folder: Path) -> list[str]:
    """Name everything in `folder` that is not as its manifest says; nothing when all is well."""
    said = read_manifest(folder)
    return [*_problems(folder, said)]


def _problems(folder: Path, said: dict[str, Any]) -> Iterator[str]:
    if said.get("seal") != _seal(said):
        yield f"{NAME}: its own seal does not hold; it was changed after it was written"
    listed = said["files"]
    for name, entry in sorted(listed.items()):
        yield from _file_problems(folder, name, entry if isinstance(entry, dict) else {})
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if (path.is_file() or path.is_symlink()) and name not in listed and name != NAME:
            yield f"{name}: not listed in {NAME}"


def _file_problems(folder: Path, name: str, entry: dict[str, Any]) -> Iterator[str]:
    path = folder / name
    if Path(name).is_absolute() or ".." in Path(name).parts or path.is_symlink():
        yield f"{name}: points outside the folder"
        return
    try:
        found, size = _digest(path)
    except OSError as error:
        yield f"{name}: {error.strerror or error}"
        return
    if size != entry.get("bytes"):
        yield f"{name}: holds {size} bytes instead of {entry.get('bytes')}"
    if found != entry.get("sha256"):
        yield f"{name}: SHA-256 is {found} instead of {entry.get('sha256')}"


def _digest(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK_BYTES):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size
