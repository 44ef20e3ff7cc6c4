"""Five hundred payloads in every text, through every format: nothing runs, nothing leaves."""

import csv
import io
import json
import re
import subprocess
from shutil import which

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.formats.html import FORMAT as HTML
from auditor.formats.manifest import write_folder
from auditor.formats.visible import cell, dump, visible
from auditor.formats.words import LANGUAGES
from tests.formats.browser import needs_chromium, opened
from tests.formats.poison import FORMULAS, payloads, poisoned
from tests.formats.test_formats_report import read

BAD = payloads()
# what may not reach a terminal, a parser of XML or a reader's eye: everything that acts
ACTING = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200b\u2028\ud800-\udfff\U000e0000-\U000e007f]"
)


@pytest.fixture(scope="module")
def hostile(report):
    return poisoned(report, BAD)


@pytest.fixture(scope="module")
def written(hostile, every_format, words, resources, tmp_path_factory):
    out = tmp_path_factory.mktemp("hostile")
    files = (
        one
        for made in every_format
        if made.name != "pdf"
        for one in made.render(hostile, words, LANGUAGES, resources)
    )
    write_folder(files, out, hostile)
    return out


def test_there_are_five_hundred():
    assert len(BAD) >= 500


@needs_chromium
@pytest.mark.browser
def test_nothing_runs_and_nothing_leaves_even_without_the_policy(written, browser):
    for page in sorted(written.rglob("*.html")):
        for bypass in (False, True):
            with opened(browser, page, bypass_csp=bypass) as tab:
                tab.wait_for_timeout(50)
                assert tab.evaluate("window.hit") is None, page.name
                assert tab.asked_for == [], page.name
                assert tab.evaluate("document.scripts.length") == 1
                assert (
                    tab.evaluate(
                        "document.querySelectorAll('iframe,img,object,embed,form,base,video,marquee,math,input:not(.tools input)').length"
                    )
                    == 0
                )
                assert tab.evaluate(
                    "[...document.querySelectorAll('a')].every(a => /^(https:|file:)/.test(a.protocol))"
                )
                assert tab.evaluate(
                    "[...document.querySelectorAll('*')].every(e => e.getAttributeNames().every(n => !n.startsWith('on') && n !== 'style'))"
                )


def test_what_was_said_still_reads_the_same(written):
    text = "\n".join(read((written / "report.en.html").read_bytes()).seen)
    shown = sum(visible(payload).strip() in text for payload in BAD)
    assert (
        shown > 400
    )  # the report has more payloads than places; those that stand in it read alike
    assert "<script>window.hit=1</script>" in text


def test_no_file_holds_a_character_that_acts(written):
    for path in written.rglob("*"):
        if path.is_file() and path.suffix not in {".xlsx", ".pdf"}:
            text = path.read_bytes().decode("utf-8-sig")
            assert not ACTING.search(text), (path.name, ACTING.search(text))


def test_no_cell_of_a_table_is_a_formula(written):
    for path in written.glob("*.csv"):
        delimiter = ";" if ".fr." in path.name else ","
        for row in csv.reader(
            io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), delimiter=delimiter
        ):
            assert not [value for value in row if re.match(r"\s*[=+\-@＝＋－＠|%]", value)], (
                path.name
            )


def test_no_cell_of_a_workbook_is_a_formula_or_a_link(written):
    for path in written.glob("*.xlsx"):
        for sheet in openpyxl.load_workbook(path):
            for row in sheet.iter_rows():
                assert all(one.data_type != "f" and one.hyperlink is None for one in row)


def test_json_gives_back_exactly_what_was_said(written, hostile):
    said = json.loads((written / "report.json").read_bytes())
    there = {one["value"] for device in said["devices"] for one in device["evidence"]}
    assert there == {e.value for one in hostile.devices for e in one.identity.evidence}


def test_no_name_of_a_file_comes_from_outside(written):
    names = [path.relative_to(written).as_posix() for path in written.rglob("*") if path.is_file()]
    assert all(re.fullmatch(r"(parts/)?[A-Za-z0-9.-]+", name) for name in names)


@pytest.mark.skipif(
    which("soffice") is None, reason="skipped, because LibreOffice is not installed"
)
def test_an_office_suite_calculates_nothing(written, tmp_path):
    for path in [*written.glob("*.csv"), *written.glob("*.xlsx")]:
        command = [
            "soffice",
            "--headless",
            f"-env:UserInstallation={tmp_path.as_uri()}/profile",
            "--convert-to",
            "fods",
            "--outdir",
            str(tmp_path),
            str(path),
        ]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        assert "table:formula" not in (tmp_path / f"{path.stem}.fods").read_text("utf-8")


def test_templates_say_nothing_unescaped(resources):
    for path in sorted((resources / "templates").glob("*.j2")):
        text = path.read_text("utf-8")
        assert not re.search(r"\|\s*safe\b|autoescape|\bMarkup\b", text), path.name
        assert not re.search(r"=\s*\{\{", re.sub(r"\{%.*?%\}", "", text)), (
            f"{path.name}: an attribute without quotes"
        )
        assert not re.search(r"\sstyle=|\son\w+=", text), path.name


@given(st.text())
def test_visible_text_has_nothing_that_acts_and_loses_no_letter(text):
    shown = visible(text)
    assert not ACTING.search(shown)
    assert [sign for sign in text if sign.isalnum()] == [
        sign for sign in text if sign.isalnum() and sign in shown
    ]


@given(st.sampled_from(FORMULAS) | st.text())
def test_a_cell_never_starts_a_calculation(text):
    assert not re.match(r"[\s]*[=+\-@＝＋－＠]", cell(text))


@given(st.binary(max_size=2000))
def test_a_dump_shows_every_octet_once(raw):
    rows = dump(raw, 512)
    assert bytes.fromhex("".join(octets for _, octets, _ in rows)) == raw[:512]
    assert all(sign.isprintable() for _, _, signs in rows for sign in signs)


def test_a_pack_of_strangers_gets_no_link_but_https(render, hostile):
    tags = read(render(hostile, HTML)["report.en.html"]).tags
    links = [attrs["href"] for tag, attrs in tags if "href" in attrs]
    assert [
        link for link in links if not re.match(r"#|https://|report\.|parts/|data:,$", link)
    ] == []
