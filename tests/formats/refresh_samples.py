"""Writes reports/samples anew: `python -m tests.formats.refresh_samples`.

A small made-up department in every format whose bytes depend on nothing but the program.
PDF depends on the fonts of the machine, a workbook on its compression library; they are left
out here and are tested by what they contain.
"""

import shutil
from pathlib import Path

from auditor.formats.manifest import write_folder
from auditor.formats.template import template_formats
from auditor.formats.words import LANGUAGES, load_words
from auditor.plugins import Format, load
from tests.formats.sample_report import sample

RESOURCES = Path(__file__).parents[2] / "reports"
SAMPLES = RESOURCES / "samples"
LEFT_OUT = frozenset({"pdf", "xlsx"})


def refresh(out: Path) -> None:
    report, words = sample(most=1), load_words(RESOURCES)
    made = (*load("auditor.formats", "FORMAT", Format), *template_formats(RESOURCES))
    files = (
        written
        for one in made
        if one.name not in LEFT_OUT
        for written in one.render(report, words, LANGUAGES, RESOURCES)
    )
    write_folder(files, out, report)


if __name__ == "__main__":
    shutil.rmtree(SAMPLES, ignore_errors=True)
    refresh(SAMPLES)
