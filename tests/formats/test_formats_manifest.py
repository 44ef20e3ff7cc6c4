"""Whoever holds the folder can tell whether it is as it was written."""

import json
import shutil

import pytest

from auditor.errors import DataError, EnvironmentLack
from auditor.formats.manifest import NAME, verify_folder, write_folder
from auditor.plugins import Written


@pytest.fixture
def written(tmp_path, report):
    out = tmp_path / "out"
    files = [Written("a.txt", [b"one", b"two"]), Written("parts/b.txt", [b"three"])]
    paths = write_folder(files, out, report)
    assert [path.name for path in paths] == ["a.txt", "b.txt", NAME]
    return out


def test_an_untouched_folder_holds(written, report):
    assert verify_folder(written) == []
    said = json.loads((written / NAME).read_text())
    assert said["snapshot"] == report.snapshot.id
    assert said["chain_head"] == report.snapshot.chain_head


@pytest.mark.parametrize("name", ["a.txt", "parts/b.txt", NAME])
def test_any_flipped_byte_is_named(written, name):
    whole = (written / name).read_bytes()
    for at in range(0, len(whole), max(1, len(whole) // 60)):
        damaged = bytearray(whole)
        damaged[at] ^= 1
        (written / name).write_bytes(bytes(damaged))
        try:
            problems = verify_folder(written)
        except DataError:  # the manifest is no JSON any more: also noticed
            continue
        assert any(problem.startswith((name, "MANIFEST")) for problem in problems) or problems
    (written / name).write_bytes(whole)
    assert verify_folder(written) == []


def test_a_missing_and_an_added_file_are_named(written):
    (written / "a.txt").unlink()
    (written / "new.txt").write_text("x")
    problems = verify_folder(written)
    assert any("a.txt" in problem for problem in problems)
    assert any("new.txt: not listed" in problem for problem in problems)


def test_a_link_out_of_the_folder_is_not_followed(written, tmp_path):
    (tmp_path / "same").write_bytes(b"onetwo")
    (written / "a.txt").unlink()
    (written / "a.txt").symlink_to(tmp_path / "same")
    assert any("outside" in problem for problem in verify_folder(written))


def test_a_folder_without_a_manifest_is_refused_with_a_hint(tmp_path):
    with pytest.raises(DataError) as caught:
        verify_folder(tmp_path)
    assert caught.value.hint


def test_a_manifest_of_another_shape_is_refused(tmp_path):
    (tmp_path / NAME).write_text("[]")
    with pytest.raises(DataError, match="damaged"):
        verify_folder(tmp_path)


def test_a_file_that_breaks_off_leaves_no_half_file(tmp_path, report):
    def broken():
        yield b"half"
        raise OSError(28, "No space left on device")

    with pytest.raises(EnvironmentLack, match="cannot write") as caught:
        write_folder([Written("a.txt", broken())], tmp_path, report)
    assert "space" in caught.value.why
    assert list(tmp_path.iterdir()) == []


def test_the_whole_report_verifies_and_a_moved_copy_too(folder, tmp_path):
    copy = tmp_path / "elsewhere"
    shutil.copytree(folder, copy)
    assert verify_folder(copy) == []
