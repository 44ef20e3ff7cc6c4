"""A run ends when the file that authorises it is not what it was, whatever came in its place."""

import asyncio
import hashlib
import os
import shutil
import time
from datetime import UTC, datetime

import pytest

from auditor.errors import ScopeRefusal
from auditor.model.scope import Authority
from auditor.net.seal import READ_S, Seal
from tests.net.stage import guard

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
WORDS = b'networks = ["10.9.0.0/24"]\n'


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "folder" / "scope.toml"
    path.parent.mkdir()
    path.write_bytes(WORDS)
    return path


def sealed(path, **more):
    digest = hashlib.sha256(WORDS).hexdigest()
    return Authority("an operator", NOON, source=str(path), sha256=digest, **more)


def broken(path, **more):
    return asyncio.run(Seal(sealed(path, **more)).broken())


def test_a_file_that_is_as_it_was_is_authority(file):
    assert broken(file) is None


def test_words_of_a_command_line_have_no_file():
    assert asyncio.run(Seal(Authority("an operator", NOON)).broken()) is None


def test_a_file_is_watched_whatever_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "command line"
    path.write_bytes(WORDS + b"# and more")
    assert "was changed" in broken("command line")


def swap_for_a_pipe(file):
    file.unlink()
    os.mkfifo(file)


def swap_for_a_folder(file):
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.write_bytes(WORDS + b"\n"), "was changed"),
        (lambda file: file.unlink(), "cannot be read any more"),
        (lambda file: shutil.rmtree(file.parent), "cannot be read any more"),
        (swap_for_a_folder, "cannot be read any more"),
        (swap_for_a_pipe, "cannot be read any more"),
    ],
    ids=["changed", "gone", "folder-gone", "a-folder", "a-pipe"],
)
def test_whatever_else_stands_there_ends_the_run(file, change, said):
    change(file)
    assert said in broken(file)


def test_a_pipe_in_its_place_keeps_nobody_waiting(file):
    swap_for_a_pipe(file)
    began = time.monotonic()
    broken(file)
    assert time.monotonic() - began < READ_S


def test_a_signature_that_goes_or_changes_ends_the_run(file):
    beside = file.with_name("scope.toml.sig")
    assert "the signature" in broken(file, signed_by="a-key")
    beside.write_text("{}")
    seal = Seal(sealed(file, signed_by="a-key"))

    async def scene():
        first = await seal.broken()
        beside.write_text("{ }")
        return first, await seal.broken()

    assert asyncio.run(scene()) == (None, f"the signature {beside} was changed during the run")


def test_nothing_passes_after_the_first_look_at_a_changed_file(file):
    file.write_bytes(b"other words")
    gate = guard("10.9.0.0/24", authority=sealed(file))

    async def scene():
        with pytest.raises(ScopeRefusal):
            await gate.look()
        with pytest.raises(ScopeRefusal):
            gate.permit("10.9.0.1", 80)

    asyncio.run(scene())
