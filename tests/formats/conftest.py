from pathlib import Path

import pytest

from auditor.formats.html import FORMAT as HTML
from auditor.formats.manifest import write_folder
from auditor.formats.template import template_formats
from auditor.formats.words import LANGUAGES, load_words
from auditor.plugins import Format, load
from tests.formats.browser import chromium
from tests.formats.sample_report import sample

RESOURCES = Path(__file__).parents[2] / "reports"


@pytest.fixture(scope="session")
def resources():
    return RESOURCES


@pytest.fixture(scope="session")
def words():
    return load_words(RESOURCES)


@pytest.fixture(scope="session")
def report():
    return sample()


@pytest.fixture(scope="session")
def every_format():
    return (*load("auditor.formats", "FORMAT", Format), *template_formats(RESOURCES))


@pytest.fixture(scope="session")
def render(words):
    def rendered(report, made: Format = HTML, languages=LANGUAGES) -> dict[str, bytes]:
        return {
            one.name: b"".join(one.pieces)
            for one in made.render(report, words, languages, RESOURCES)
        }

    return rendered


@pytest.fixture(scope="session")
def folder(tmp_path_factory, every_format, words, report):
    """The made-up department in every format, as the user finds it."""
    out = tmp_path_factory.mktemp("report")
    files = (
        one for made in every_format for one in made.render(report, words, LANGUAGES, RESOURCES)
    )
    write_folder(files, out, report)
    return out


@pytest.fixture(scope="module")  # no longer: its loop runs, and others cannot start one meanwhile
def browser():
    with chromium() as started:
        yield started
