"""The samples in reports/samples are what the program writes today, byte by byte."""

from auditor.formats.manifest import verify_folder
from tests.formats.refresh_samples import SAMPLES, refresh

HINT = "run `python -m tests.formats.refresh_samples` and look at the difference"


def test_the_samples_are_up_to_date(tmp_path):
    refresh(tmp_path)
    fresh = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    kept = {path.name: path.read_bytes() for path in SAMPLES.iterdir()}
    assert sorted(fresh) == sorted(kept), HINT
    assert [name for name in fresh if fresh[name] != kept[name]] == [], HINT


def test_the_samples_verify():
    assert verify_folder(SAMPLES) == []
