"""A workbook per language: devices, everything not assessed, the answer table.

Every cell is typed as text: nothing in it is calculated, linked or guessed (ECMA-376).
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from auditor.formats.tables import Table, answer_table, device_table, gap_table
from auditor.formats.template import phrases
from auditor.formats.visible import visible
from auditor.model.report import Report
from auditor.plugins import Format, Words, Written

MOST_ROWS = 1_048_575  # of a sheet, without its heading (ECMA-376 18.3.1.73)
MOST_SIGNS = 32_767  # of a cell
BLOCK_BYTES = 1 << 20


def workbook(report: Report, tables: Sequence[Table]) -> Iterator[bytes]:
    """Write the workbook on disk, row by row, and give it back in pieces."""
    import xlsxwriter

    with TemporaryDirectory(prefix="auditor-") as folder:
        path = Path(folder) / "report.xlsx"
        settings = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "tmpdir": folder,
        }
        with xlsxwriter.Workbook(str(path), settings) as book:
            moment = report.generated.replace(tzinfo=None, microsecond=0)
            book.set_properties({"created": moment, "title": report.organisation})
            heading = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
            for table in tables:
                _sheet(book.add_worksheet(_sheet_name(table.title)), table, heading, report.marking)
        with path.open("rb") as file:
            while block := file.read(BLOCK_BYTES):
                yield block


def _sheet_name(title: str) -> str:
    return "".join(sign for sign in visible(title) if sign not in "[]:*?/\\'")[:31]


def _sheet(sheet: object, table: Table, heading: object, marking: str) -> None:
    from xlsxwriter.worksheet import Worksheet

    if not isinstance(sheet, Worksheet):
        raise TypeError("a workbook gives worksheets")
    sheet.freeze_panes(1, 0)
    sheet.set_landscape()
    sheet.repeat_rows(0)
    sheet.set_column(0, len(table.headings), 22)
    if marking:
        sheet.set_header("&C" + visible(marking).replace("&", "&&")[:200])
    for column, title in enumerate(table.headings):
        sheet.write_string(0, column, visible(title)[:MOST_SIGNS], heading)
    for at, row in enumerate(table.rows, 1):
        if at > MOST_ROWS:
            break
        for column, value in enumerate(row):
            sheet.write_string(at, column, visible(value)[:MOST_SIGNS])


def render(
    report: Report, words: Mapping[str, Words], languages: Sequence[str], resources: Path
) -> Iterator[Written]:
    """Write one workbook per language."""
    del resources
    for language in languages:
        speech = phrases(words, language, report)
        tables = (
            device_table(report, speech),
            gap_table(report, speech),
            answer_table(report, speech),
        )
        yield Written(f"report.{language}.xlsx", workbook(report, tables))


FORMAT = Format("xlsx", render=render, source="ECMA-376", per_language=True)
