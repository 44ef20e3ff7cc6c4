"""The officer's report: one self-contained page per language that makes no request.

A department of ordinary size is one file. A larger one keeps the answer, the rules and the
limits on the front page; the devices move to parts by site, and the coverage to a page of
its own. Every page is complete without scripts.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from auditor.formats.lines import lines
from auditor.formats.scene import scene
from auditor.formats.shards import shards
from auditor.formats.template import page, phrases, render
from auditor.model.report import Report
from auditor.plugins import Format, Words, Written


def write(
    report: Report, words: Mapping[str, Words], languages: Sequence[str], resources: Path
) -> Iterator[Written]:
    """Write the front page in each language, and the parts where there are any."""
    head, found = page(resources, report.marking), lines(report)
    parts = shards(found)
    for language in languages:
        context = scene(report, phrases(words, language, report), words, found, parts)
        context |= {"page": head, "languages": tuple(languages)}
        yield _page("report", "report", language, resources, context)
        if parts:
            yield _page("parts/coverage", "_coverage_page", language, resources, context)
        here = context | {"href": lambda line: f"#{line.anchor}"}
        for part in parts:
            yield _page(part.name, "_part", language, resources, here | {"part": part})


def _page(
    name: str, template: str, language: str, resources: Path, context: dict[str, Any]
) -> Written:
    pieces = render(f"{template}.html.j2", resources, context | {"name": name})
    return Written(f"{name}.{language}.html", pieces)


FORMAT = Format("html", render=write, source="HTML Living Standard; WCAG 2.1 AA", per_language=True)
