"""A real headless Chromium for tests; absent, the tests that need it say so and are left out."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from shutil import which

import pytest

CHROMIUM = which("chromium") or which("chromium-browser") or which("google-chrome")
needs_chromium = pytest.mark.skipif(
    CHROMIUM is None, reason="skipped, because there is no Chromium on this machine"
)
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
]


def axe_source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text("utf-8")


@contextmanager
def chromium() -> Iterator:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def opened(browser, page: Path, **options) -> Iterator:
    """Open a file; every request but the file itself is refused and remembered."""
    context = browser.new_context(**options)
    requests: list[str] = []

    def route(request) -> None:
        address = request.request.url
        if address == page.as_uri():
            request.continue_()
        else:
            requests.append(address)
            request.abort()

    context.route("**/*", route)
    tab = context.new_page()
    tab.asked_for = requests
    try:
        tab.goto(page.as_uri())
        yield tab
    finally:
        context.close()


def violations(browser, page: Path, **options) -> list[str]:
    """Run axe-core on a page; its policy is bypassed for axe alone."""
    with opened(browser, page, bypass_csp=True, **options) as tab:
        tab.evaluate(axe_source())
        found = tab.evaluate(
            "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
        )
    return [f"{one['id']}: {node['html'][:200]}" for one in found for node in one["nodes"]]
