"""The officer's report: one self-contained page per language that makes no request.

A department of ordinary size is one file. Above `WHOLE` devices the page keeps the answer,
the coverage and the rules, and the devices move to parts of at most `PART` rows, by site.
"""

from auditor.formats.template import pages
from auditor.plugins import Format

FORMAT = Format(
    "html",
    render=lambda *given: pages("report", *given),
    source="HTML Living Standard; WCAG 2.1",
    per_language=True,
)
