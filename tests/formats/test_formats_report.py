"""What the officer reads: the answer first, everything not assessed, the same bytes every time."""

import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from markupsafe import escape

from auditor.errors import DataError
from auditor.formats.csv import FORMAT as CSV
from auditor.formats.scene import SECTIONS
from auditor.formats.template import asked_for, page
from auditor.formats.words import Phrases
from auditor.model.device import Coverage
from auditor.model.hardware import MacSource

ROOT = Path(__file__).parents[2]


class Text(HTMLParser):
    """Collects what a reader sees, and the values of attributes that are read aloud."""

    def __init__(self):
        super().__init__()
        self.seen, self.hidden, self.tags = [], 0, []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self.hidden += tag in {"style", "script"}
        self.seen += [
            value for name, value in attrs if name in {"title", "alt", "aria-label"} and value
        ]

    def handle_endtag(self, tag):
        self.hidden -= tag in {"style", "script"}

    def handle_data(self, data):
        if not self.hidden and data.strip():
            self.seen.append(data)


def read(page: bytes) -> Text:
    parser = Text()
    parser.feed(page.decode())
    return parser


@pytest.fixture(scope="module")
def pages(render, report):
    return render(report)


def test_one_page_per_language(pages):
    assert set(pages) == {"report.en.html", "report.fr.html"}
    assert b'<html lang="en">' in pages["report.en.html"]
    assert b'<html lang="fr">' in pages["report.fr.html"]


def test_the_answer_comes_first_and_names_what_was_not_assessed(pages):
    text = " ".join(read(pages["report.en.html"]).seen)
    answer = text.index("8 devices do not conform among the 40 devices found.")
    assert answer < text.index("In this report")
    assert text.index("340 addresses were not assessed.") < text.index("In this report")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_section_is_there_and_linked(pages, language):
    tags = read(pages[f"report.{language}.html"]).tags
    ids = [attrs["id"] for _, attrs in tags if "id" in attrs]
    links = {
        attrs["href"] for tag, attrs in tags if tag == "a" and attrs.get("href", "").startswith("#")
    }
    assert len(ids) == len(set(ids))
    assert set(SECTIONS) <= set(ids)
    assert {link[1:] for link in links} <= set(ids)


def test_every_device_has_a_card_and_every_gap_a_row(pages, report):
    page = pages["report.en.html"].decode()
    assert page.count('<article class="card') == len(report.devices)
    for subnet in report.coverage.subnets:
        for gap in subnet.gaps:
            assert all(stretch in page for stretch in gap.ranges)


def test_the_marking_stands_on_the_screen_and_on_every_printed_sheet(pages):
    page = pages["report.fr.html"].decode()
    assert "PROTECTED B / PROTÉGÉ B" in page
    assert re.search(r"@page\{@top-center\{content:\"\\000050", page)


def test_clean_and_not_looked_never_read_alike(render, report):
    nothing = replace(report, devices=(), findings=(), coverage=Coverage())
    text = " ".join(read(render(nothing)["report.en.html"]).seen)
    assert "No nonconforming device was found" in text
    assert "Not everything that was planned was looked at." in text
    assert "Coverage is incomplete." in text


def test_unconfirmed_points_and_overdue_packs_are_printed(pages, report):
    for language in ("en", "fr"):
        text = pages[f"report.{language}.html"].decode()
        for pack in report.packs:
            for point in pack.unconfirmed:
                assert point.in_language(language).split("’")[0] in text
    assert "Have it checked before relying on it" in pages["report.en.html"].decode()


def test_ended_exceptions_are_printed_too(pages):
    text = pages["report.en.html"].decode()
    assert "Ends within 30 days" in text
    assert "Loading dock during construction." in text


def test_the_policy_pins_style_and_script_and_allows_nothing_else(pages, resources):
    policy = page(resources, "x").policy
    assert policy.startswith("default-src 'none'")
    assert "unsafe" not in policy
    for name, body in pages.items():
        assert b"Content-Security-Policy" in body, name
        assert not re.search(rb'<(?:img|link(?! rel="icon")|iframe|object|embed|form)\b', body)
        assert not re.search(rb'\s(?:on\w+|style)=["\']', body.split(b"<main")[1])


SAME = """
import hashlib, pathlib
from tests.formats.sample_report import sample
from auditor.formats.words import load_words
from auditor.plugins import Format, load
words = load_words(pathlib.Path("reports"))
for made in load("auditor.formats", "FORMAT", Format):
    for one in made.render(sample(most=1), words, ("en", "fr"), pathlib.Path("reports")):
        print(one.name, hashlib.sha256(b"".join(one.pieces)).hexdigest())
"""


def test_the_same_report_gives_the_same_bytes_anywhere():
    told = set()
    for seed, zone, locale in (("0", "UTC", "C"), ("4711", "Asia/Tokyo", "fr_CA.UTF-8")):
        env = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone, "LC_ALL": locale}
        ran = subprocess.run(
            [sys.executable, "-c", SAME], capture_output=True, env=env, cwd=ROOT, timeout=120
        )
        assert ran.returncode == 0, ran.stderr
        told.add(ran.stdout)
    assert len(told) == 1


def test_languages_are_read_as_people_write_them():
    assert asked_for("EN, fr") == ("en", "fr")
    assert asked_for("") == ("en", "fr")
    with pytest.raises(DataError, match="no report in de"):
        asked_for("de")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_hardware_address_stands_beside_its_source(report, render, words, language):
    own = Phrases(language, words[language], report.snapshot.zone)
    page = render(report)[f"report.{language}.html"].decode()
    table = render(report, CSV)[f"devices.{language}.csv"].decode("utf-8-sig")
    for one in report.devices:
        (known,) = one.device.mac_sources
        told = ", ".join(own.word(f"mac_source.{source}") for source in known.sources)
        assert f'{known.mac}</code> <span class="small">({escape(told)})' in page
        assert f"{known.mac}: {told}" in table
    assert all(f"mac_source.{source}" in words[language] for source in MacSource)
