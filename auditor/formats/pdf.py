"""The officer's report on paper: tagged PDF (PDF/UA-1) made from the same page by WeasyPrint.

The engine may fetch nothing: whatever a page asks for is refused. The sheet is 210 mm wide
and 279 mm high, which prints unscaled on A4 and on Letter.
"""

from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from markupsafe import Markup

from auditor.errors import EnvironmentLack
from auditor.formats.lines import lines
from auditor.formats.scene import scene
from auditor.formats.shards import shards
from auditor.formats.template import Page, page, phrases, render
from auditor.model.report import Report
from auditor.plugins import Format, Words, Written

SHEET = "@page{size:210mm 279mm}"
VARIANT = "pdf/ua-1"


class Engine(NamedTuple):
    """The engine's page, and the fetcher that it is given: both come late, the import is heavy."""

    page: type
    fetcher: type


def _engine() -> Engine:
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:
        raise EnvironmentLack(
            "this machine cannot make PDF files",
            why=str(error),
            hint="install Pango (Debian: apt-get install libpango-1.0-0 libpangoft2-1.0-0), or print the HTML page",
        ) from error

    class Nobody(URLFetcher):  # type: ignore[misc]
        """Asks nobody for anything."""

        def fetch(self, url: str, *_: object, **__: object) -> None:
            raise ValueError(f"a report asks nobody for anything: {url[:80]}")

    return Engine(HTML, Nobody)


def document(html: bytes, identifier: bytes) -> bytes:
    """Make the PDF of one page."""
    import logging

    # it knows no rules for screens, and complains of each
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    engine = _engine()
    made = engine.page(string=html.decode(), base_url="about:blank", url_fetcher=engine.fetcher())
    return bytes(made.write_pdf(pdf_variant=VARIANT, pdf_identifier=identifier, pdf_tags=True))


def _for_paper(head: Page) -> Page:
    style = head.style + Markup(SHEET)  # noqa: S704  our own constant
    return Page(style, Markup(), Markup(), head.policy)


def write(
    report: Report, words: Mapping[str, Words], languages: Sequence[str], resources: Path
) -> Iterator[Written]:
    """Write one PDF per language; of a large report the front page only."""
    head, found = _for_paper(page(resources, report.marking)), lines(report)
    parts = shards(found)
    for language in languages:
        context = scene(report, phrases(words, language, report), words, found, parts)
        context |= {"page": head, "languages": (language,), "name": "report", "paper": True}
        name = f"report.{language}.pdf"
        identifier = sha256(f"{report.snapshot.id} {name}".encode()).digest()[:16]
        yield Written(name, _lazily(resources, context, identifier))


def _lazily(resources: Path, context: dict[str, object], identifier: bytes) -> Iterator[bytes]:
    html = b"".join(render("report.html.j2", resources, context))
    yield document(html, identifier)


FORMAT = Format("pdf", render=write, source="ISO 14289-1 (PDF/UA-1)", per_language=True)
