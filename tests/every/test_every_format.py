"""Asked of every format and every page template: the same questions, whatever it writes."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from auditor.formats.template import template_formats
from auditor.formats.words import LANGUAGES, load_words
from auditor.model.device import Coverage
from auditor.plugins import Format, load
from tests.formats.poison import payloads, poisoned
from tests.formats.sample_report import sample

RESOURCES = Path(__file__).parents[2] / "reports"
WORDS = load_words(RESOURCES)
FORMATS = {
    made.name: made
    for made in (*load("auditor.formats", "FORMAT", Format), *template_formats(RESOURCES))
}
PAPER = {"pdf"}  # a real engine: asked once, below and in tests/formats, not five times


def render(made, report, languages=LANGUAGES):
    return {
        one.name: b"".join(one.pieces) for one in made.render(report, WORDS, languages, RESOURCES)
    }


@pytest.fixture(params=[name for name in FORMATS if name not in PAPER])
def made(request):
    return FORMATS[request.param]


def test_it_has_a_name_and_cites_its_source(made):
    assert re.fullmatch(r"[a-z0-9-]+", made.name)
    assert made.source


def test_the_same_report_gives_the_same_bytes(made):
    assert render(made, sample()) == render(made, sample())


def test_its_files_have_plain_names_with_the_language_where_it_speaks_one(made):
    names = list(render(made, sample()))
    assert names
    for name in names:
        assert re.fullmatch(r"(parts/)?[a-z0-9-]+(\.(en|fr))?(\.[a-z]+)+", name)
    if made.per_language:
        assert {".en." in name for name in names} == {True, False}
        assert all(".fr." in name for name in render(made, sample(), ("fr",)))


def test_it_survives_a_report_without_anything(made):
    nothing = replace(
        sample(), devices=(), findings=(), packs=(), runs=(), sites=(), coverage=Coverage(), decisions=(), changes=(),
        reconciliation=(), raws=(), history=(), data_versions=(), organisation="", marking="", warnings=(),
    )  # fmt: skip
    assert all(render(made, nothing).values())


def test_it_escapes_a_hostile_device_name(made):
    hostile = render(made, poisoned(sample(), payloads()))
    for name, body in hostile.items():
        if name.endswith(".html"):
            assert body.count(b"<script") == 1, name
        if not name.endswith(".xlsx"):
            assert not re.search(rb"[\x00-\x08\x0e-\x1f\x7f]", body), name


def test_it_names_no_address_that_somebody_would_load_from(made):
    for name, body in render(made, sample()).items():
        if name.endswith(".html"):
            assert not re.search(
                rb"""(?:src|srcset|poster|action|data)=["']?(?:https?:)?//""", body
            ), name
            assert b"@import" not in body
            assert b"url(" not in body


@pytest.mark.parametrize("name", sorted(PAPER))
def test_paper_survives_what_hurts(name):
    small = sample()
    small = replace(small, devices=small.devices[:1], findings=small.findings[:2])
    made = render(FORMATS[name], poisoned(small, payloads()), ("en",))
    assert all(body.startswith(b"%PDF-") for body in made.values())
