"""Renders a department of 100,000 devices in both languages and checks the folder.

Prints seconds, peak memory, the size of the front page, and ratios: `verify` against
`sha256sum` over the same files, and the front page against one naive table of all devices and
against a table that a script pages after loading (as DataTables does), in the same Chromium.
Usage: python bench/report_scale.py [devices]
"""

import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from shutil import which
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from auditor.formats.html import FORMAT  # noqa: E402
from auditor.formats.manifest import verify_folder, write_folder  # noqa: E402
from auditor.formats.words import LANGUAGES, load_words  # noqa: E402
from auditor.model.report import Report  # noqa: E402
from tests.formats.sample_report import CASES, device, findings, identity, sample  # noqa: E402

SITES = 40
RESOURCES = ROOT / "reports"
# one device in ten needs a person: nine quiet cases for every loud one
QUIET, LOUD = CASES[6:9] + CASES[10:], CASES[:6] + CASES[9:10]


def department(count: int) -> Report:
    """Make a department; what devices share is shared, as it is when read from a ledger."""
    from auditor.model.device import Assessed

    devices, found = [], []
    for number in range(count):
        case = LOUD[number // 10 % len(LOUD)] if number % 10 == 0 else QUIET[number % len(QUIET)]
        site = number % SITES
        who = device(case, number, f"Site {site:02d}", f"10.{site}.{number // 10000}")
        who = replace(who, ips=(f"10.{site}.{number // SITES // 250}.{number // SITES % 250}",))
        known = identity(case, who.macs[0], number)
        sightings = tuple(
            replace(one, observation=shared(one.observation)) for one in who.sightings
        )
        who = replace(who, sightings=sightings, sources=shared(who.sources))
        devices.append(Assessed(who, known))
        found += (
            replace(one, evidence=known.evidence, because=shared(one.because), due=shared(one.due))
            for one in findings(case, who, number)
        )
    return replace(
        sample(),
        devices=tuple(devices),
        findings=tuple(found),
        sites=tuple(f"Site {n:02d}" for n in range(SITES)),
    )


@cache
def shared(value: Any) -> Any:
    return value


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def opened(page: Path) -> tuple[float, int]:
    """Open a page in Chromium; give milliseconds to a built document, and its elements."""
    from playwright.sync_api import sync_playwright

    from tests.formats.browser import QUIET as FLAGS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=which("chromium"), args=FLAGS)
        tab = browser.new_page()
        tab.set_default_timeout(300_000)
        tab.goto(page.as_uri(), wait_until="load", timeout=300_000)
        took = tab.evaluate(
            "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"
        )
        count = tab.evaluate("document.getElementsByTagName('*').length")
        browser.close()
    return took, count


# what a client-side table does once everything has arrived: index the text, show fifty rows
PAGER = """<script>const b=document.querySelector('table').tBodies[0],r=[...b.rows];
const index=r.map(x=>[...x.cells].map(c=>c.textContent.toLowerCase()));
r.forEach(x=>x.remove());r.slice(0,50).forEach(x=>b.appendChild(x));</script>"""


def naive(report: Report, path: Path, ending: str = "") -> None:
    """Write one table with a row per device, as simple reports do."""
    with path.open("w") as file:
        file.write("<!DOCTYPE html><meta charset=utf-8><title>naive</title><table><tbody>")
        for one in report.devices:
            who = one.identity
            cells = (
                one.device.site,
                *one.device.ips,
                *one.device.macs,
                who.maker.value,
                who.model.value,
                one.device.id,
                "x",
                "y",
                "z",
            )
            file.write("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
        file.write("</table>" + ending)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    report = department(count)
    print(f"{count} devices, {len(report.findings)} findings; the report alone: {peak_mb():.0f} MB")
    words = load_words(RESOURCES)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        began, worked = time.perf_counter(), time.process_time()
        paths = write_folder(FORMAT.render(report, words, LANGUAGES, RESOURCES), out, report)
        took, worked = time.perf_counter() - began, time.process_time() - worked
        size = sum(path.stat().st_size for path in paths)
        index = out / "report.en.html"
        print(
            f"html, both languages: {took:.1f} s ({worked:.1f} s of one core), {len(paths)} files, {size / 1e6:.0f} MB, peak {peak_mb():.0f} MB"
        )
        print(f"front page: {index.stat().st_size / 1e3:.0f} kB")
        verified(out)
        if which("chromium"):
            compared(report, index, Path(folder) / "naive.html")


def verified(out: Path) -> None:
    files = [str(path) for path in out.rglob("*") if path.is_file()]
    began = time.perf_counter()
    subprocess.run(["sha256sum", *files], check=True, capture_output=True)
    peer = time.perf_counter() - began
    began = time.perf_counter()
    problems = verify_folder(out)
    own = time.perf_counter() - began
    print(
        f"verify: {own:.2f} s, sha256sum: {peer:.2f} s, ratio {own / peer:.2f}; problems: {problems}"
    )


def compared(report: Report, index: Path, table: Path) -> None:
    own, elements = opened(index)
    print(f"front page opens in {own:.0f} ms with {elements} elements")
    for name, ending in (("naive table", ""), ("table paged by a script", PAGER)):
        naive(report, table, ending)
        peer, rows = opened(table)
        print(f"{name}: {peer:.0f} ms with {rows} elements; ratio {own / peer:.4f}")


if __name__ == "__main__":
    main()
