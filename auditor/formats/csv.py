"""Tables for people who paste into forms: the devices, and everything not assessed.

Every cell is quoted text (RFC 4180) and no cell can be taken for a formula. A byte order mark
tells spreadsheets that it is UTF-8; French spreadsheets expect a semicolon.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path

from auditor.formats.tables import Table, answer_table, device_table, gap_table
from auditor.formats.template import phrases
from auditor.formats.visible import cell
from auditor.model.report import Report
from auditor.plugins import Format, Words, Written


def rows(table: Table, language: str) -> Iterator[bytes]:
    """Write one table, row by row."""
    yield b"\xef\xbb\xbf"
    delimiter = ";" if language == "fr" else ","
    for row in chain((table.headings,), table.rows):
        text = io.StringIO()
        csv.writer(
            text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n"
        ).writerow([cell(value) for value in row])
        yield text.getvalue().encode()


def render(
    report: Report, words: Mapping[str, Words], languages: Sequence[str], resources: Path
) -> Iterator[Written]:
    """Write `devices`, `not-assessed` and `answers` in every language."""
    del resources
    for language in languages:
        speech = phrases(words, language, report)
        for table in (
            device_table(report, speech),
            gap_table(report, speech),
            answer_table(report, speech),
        ):
            yield Written(f"{table.name}.{language}.csv", rows(table, language))


FORMAT = Format("csv", render=render, source="RFC 4180", per_language=True)
