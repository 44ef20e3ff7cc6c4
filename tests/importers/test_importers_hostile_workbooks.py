"""Hostile workbooks go through the child process: the parent lives, the reason is in words."""

import io
import subprocess
import sys
import zipfile
from datetime import datetime

import pytest
import xlsxwriter

from auditor.commands.importing import items_of
from auditor.commands.source_file import opened
from auditor.errors import DataError
from auditor.importers.merged import Merged
from auditor.importers.workbook import IMPORTER, text
from auditor.model.block import Block
from auditor.model.observation import Attempt
from auditor.plugins import Options, Sample

MOMENT = datetime.fromisoformat("2026-03-04T12:00:00+00:00")
SHEET = "xl/worksheets/sheet1.xml"
HEADINGS = ("Étiquette", "Adresse MAC", "N° de série", "Date d'achat", "Mot de passe")


def workbook(fill=None, **sheets):
    """A small honest workbook; `fill(sheet, book)` may add to the first sheet."""
    raw = io.BytesIO()
    with xlsxwriter.Workbook(raw) as book:
        sheet = book.add_worksheet("Caméras")
        sheet.write_row(0, 0, HEADINGS)
        sheet.write_row(1, 0, ("A1", "44-19-B6-00-00-01", "SN-0001-X", "2023-01-23", "Tr0ub4dor"))
        if fill:
            fill(sheet, book)
        for name, rows in sheets.items():
            more = book.add_worksheet(name)
            for at, row in enumerate(rows):
                more.write_row(at, 0, row)
    return raw.getvalue()


def patched(change, raw=None):
    """The workbook with some of its files changed: name -> bytes -> bytes (None: left out)."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw or workbook())) as old:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
            for entry in old.infolist():
                content = change(entry.filename, old.read(entry.filename))
                if content is not None:
                    new.writestr(entry.filename, content)
            for name, content in change("", b"") or ():
                new.writestr(name, content)
    return out.getvalue()


def in_sheet(old, new):
    def change(name, content):
        if name == SHEET:
            assert old in content
            return content.replace(old, new, 1)
        return content if name else ()

    return patched(change)


def added(*files):
    return patched(lambda name, content: content if name else files)


def without(gone):
    return patched(lambda name, content: (None if name == gone else content) if name else ())


def replaced(which, new):
    return patched(lambda name, content: (new if name == which else content) if name else ())


def cells(reference):
    return in_sheet(
        b"</sheetData>", b'<row r="9"><c r="%s"><v>1</v></c></row></sheetData>' % reference
    )


def flags(raw, bit):
    """Set a flag of every entry in the central directory and in the local headers."""
    out = bytearray(raw)
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        at = out.find(mark)
        while at >= 0:
            out[at + place] |= bit
            at = out.find(mark, at + 4)
    return bytes(out)


BIG = b"<x>" + b" " * (220 << 20) + b"</x>"
DEEP = b"<a>" * 200_000 + b"</a>" * 200_000
BOMB = (
    b'<!DOCTYPE l [<!ENTITY a "ha">'
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 20) for n in range(9))
    + b"]>"
)
HONEST = workbook()


def ods(body, mime=b"application/vnd.oasis.opendocument.spreadsheet"):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        new.writestr(zipfile.ZipInfo("mimetype"), mime)
        new.writestr(
            "content.xml",
            '<?xml version="1.0"?><office:document-content '
            'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
            'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
            'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"><office:body>'
            f'<office:spreadsheet><table:table table:name="S">{body}</table:table>'
            "</office:spreadsheet></office:body></office:document-content>",
        )
        new.writestr("META-INF/manifest.xml", "<m/>")
    return out.getvalue()


def ods_row(*values, again=1, cell_again=1):
    found = "".join(
        f'<table:table-cell office:value-type="string" table:number-columns-repeated="{cell_again}">'
        f"<text:p>{value}</text:p></table:table-cell>"
        for value in values
    )
    return f'<table:table-row table:number-rows-repeated="{again}">{found}</table:table-row>'


REFUSED = {
    "far column": lambda: cells(b"XFD2"),
    "far corner": lambda: cells(b"XFD1048576"),
    "column that no sheet has": lambda: cells(b"ZZZZ1"),
    "row that no sheet has": lambda: cells(b"A99999999"),
    "wide and long": lambda: cells(b"SF1048576"),
    "unpacks to 220 MB": lambda: added(("xl/media/a.bin", BIG)),
    "unpacks to 200 times its size": lambda: added(("xl/media/a.bin", b" " * (40 << 20))),
    "three hundred files": lambda: added(*((f"xl/media/{n}.bin", b"x") for n in range(300))),
    "cut in half": lambda: HONEST[: len(HONEST) // 2],
    "cut by one byte": lambda: HONEST[:-1],
    "only its first bytes": lambda: HONEST[:200],
    "no sheet": lambda: without(SHEET),
    "no list of sheets": lambda: without("xl/workbook.xml"),
    "no relationships": lambda: without("xl/_rels/workbook.xml.rels"),
    "no list of content": lambda: replaced("xl/workbook.xml", b""),
    "list of sheets is no XML": lambda: replaced("xl/workbook.xml", b"\0\1\2<<<>>>"),
    "sheet is no XML": lambda: replaced(SHEET, b"not xml at all"),
    "sheet of nested elements": lambda: replaced(SHEET, DEEP),
    "entities in the list of sheets": lambda: replaced("xl/workbook.xml", BOMB + b"<l>&i;</l>"),
    "password by flag": lambda: flags(HONEST, 1),
    "damaged inside": lambda: HONEST.replace(b"PK\x03\x04", b"PK\x03\x04", 1)[:60] + b"\xff" * 400 + HONEST[460:],
    "old or protected": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 4096,
    "a document and no workbook": lambda: patched(lambda n, c: (None if n.startswith("xl/") else c) if n else (("word/document.xml", b"<w/>"),)),
    "no table in it": lambda: nothing_known(),
    "empty sheet": lambda: replaced(SHEET, b'<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData/></worksheet>'),
    "ODS: a row a million times": lambda: ods(ods_row("Étiquette", "MAC") + ods_row("x", "y", again=1_000_000_000)),
    "ODS: a cell a million times": lambda: ods(ods_row("Étiquette") + ods_row("x", cell_again=16_000_000)),
    "ODS: no table": lambda: ods(""),
    "ODS: no XML": lambda: ods("<table:table-row>" * 10),
    "two sheets of one name": lambda: twice(),
    "nothing but zeros": lambda: b"PK\x03\x04" + b"\0" * 5_000,
}  # fmt: skip


def nothing_known():
    raw = io.BytesIO()
    with xlsxwriter.Workbook(raw) as book:
        book.add_worksheet().write_row(0, 0, ("lorem", "ipsum"))
    return raw.getvalue()


def twice():
    out = io.BytesIO(HONEST)
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(out, "a") as again:
        again.writestr(SHEET, b"<worksheet/>")
    return out.getvalue()


def read(path, **said):
    with opened(path) as source:
        return list(items_of(IMPORTER, source, Options("hq", MOMENT, name=path.name, **said)))


def facts(items):
    found = []
    for item in items:
        found += item.attempts() if isinstance(item, Block) else []
        found += [item] if isinstance(item, Attempt) else []
    return found


def said(attempt):
    return {o.field: o.value for o in attempt.observations}


def test_there_are_thirty_of_them():
    assert len(REFUSED) >= 30


@pytest.mark.parametrize("name", REFUSED)
def test_a_hostile_workbook_is_refused_in_words(tmp_path, name):
    path = tmp_path / "bad.xlsx"
    path.write_bytes(REFUSED[name]())
    with pytest.raises(DataError) as refusal:
        read(path)
    assert refusal.value.why or "holds no table" in refusal.value.what
    assert "Traceback" not in refusal.value.why


def test_an_honest_workbook_is_taken(tmp_path):
    path = tmp_path / "good.xlsx"
    path.write_bytes(HONEST)
    items = read(path)
    (found,) = facts(items)
    assert said(found) == {
        "asset.tag": "A1", "asset.serial": "SN-0001-X", "asset.acquired": "2023-01-23",
    }  # fmt: skip
    assert found.endpoint.mac == "44:19:b6:00:00:01"
    assert found.detail == "good.xlsx:2"
    assert "Tr0ub4dor" not in repr(items)


def test_an_opendocument_sheet_is_taken(tmp_path):
    path = tmp_path / "good.ods"
    path.write_bytes(ods(ods_row("Étiquette", "Adresse MAC") + ods_row("A1", "44:19:b6:00:00:01")))
    (found,) = facts(read(path))
    assert said(found) == {"asset.tag": "A1"}


def test_every_sheet_with_a_table_is_read_or_only_the_one_asked_for(tmp_path):
    path = tmp_path / "two.xlsx"
    table = (("Asset Tag", "Serial Number"), ("B7", "SN-0007-X"))
    path.write_bytes(workbook(Sud=table, Notes=(("hello",),)))
    assert [said(a)["asset.tag"] for a in facts(read(path))] == ["A1", "B7"]
    assert [said(a)["asset.tag"] for a in facts(read(path, sheet="Sud"))] == ["B7"]
    with pytest.raises(DataError) as refusal:
        read(path, sheet="Nord")
    assert "no sheet 'Nord'" in refusal.value.why


def test_what_a_spreadsheet_ate_is_not_matched_on(tmp_path):
    def fill(sheet, book):
        sheet.write_row(2, 0, ("A2", 111_000_000_000.0, 6_377_020_000_000_000.0))
        sheet.write_datetime(2, 3, datetime(2023, 4, 3), book.add_format({"num_format": "d/m/yy"}))

    path = tmp_path / "eaten.xlsx"
    path.write_bytes(workbook(fill))
    _, second = facts(read(path))
    assert said(second) == {"asset.tag": "A2", "asset.acquired": "2023-04-03"}


def test_a_cell_is_written_as_its_sheet_shows_it():
    assert [text(cell) for cell in (1.0, 1.5, 1e15, True, None, datetime(2023, 4, 3, 5))] == [
        "1", "1.5", "1.00000E+15", "TRUE", "", "2023-04-03 05:00:00",
    ]  # fmt: skip


def test_a_workbook_is_recognised_by_what_is_in_it():
    assert IMPORTER.recognise(Sample("x", HONEST, len(HONEST))) > 60
    assert IMPORTER.recognise(Sample("x.xlsx", b"Asset Tag,MAC\n", 14)) == 0


def test_a_child_that_dies_costs_only_its_file(tmp_path):
    """The limit on memory ends the child with a signal or a word, and the parent goes on."""
    path = tmp_path / "bad.xlsx"
    path.write_bytes(cells(b"XFD1048576"))
    script = (
        "import sys, io\n"
        "from python_calamine import CalamineWorkbook as C\n"
        "C.from_filelike(io.BytesIO(open(sys.argv[1], 'rb').read())).get_sheet_by_index(0)\n"
    )
    limited = f"import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 30,) * 2)\n{script}"
    died = subprocess.run([sys.executable, "-c", limited, path], capture_output=True, timeout=60)
    assert died.returncode != 0  # so it is the preflight, not luck, that words the refusal


def sheet_of(fill):
    raw = io.BytesIO()
    with xlsxwriter.Workbook(raw) as book:
        fill(book.add_worksheet("Cameras"))
    return raw.getvalue()


def test_a_merged_cell_holds_for_all_its_rows(tmp_path):
    def fill(sheet):
        sheet.write_row(2, 1, ["Asset Tag", "Manufacturer", "Serial Number"])
        for at, tag in enumerate(("T1", "T2", "T3", "T4"), 3):
            sheet.write_row(at, 1, [tag, "", f"SN-000{at}"])
        sheet.merge_range(3, 2, 5, 2, "Acme")

    path = tmp_path / "list.xlsx"
    path.write_bytes(sheet_of(fill))
    assert next(fact.detail for fact in facts(read(path))) == "list.xlsx:4"
    found = [said(fact) for fact in facts(read(path))]
    assert [(row["asset.tag"], row.get("asset.manufacturer")) for row in found] == [
        ("T1", "Acme"),
        ("T2", "Acme"),
        ("T3", "Acme"),
        ("T4", None),
    ]


def test_a_title_over_all_columns_is_not_repeated_in_them(tmp_path):
    def fill(sheet):
        sheet.merge_range(0, 0, 0, 2, "Cameras of the north wing")
        sheet.write_row(1, 0, ["Asset Tag", "Manufacturer", "Serial Number"])
        sheet.write_row(2, 0, ["T1", "Acme", "SN-0001"])

    path = tmp_path / "list.xlsx"
    path.write_bytes(sheet_of(fill))
    (found,) = [said(fact) for fact in facts(read(path))]
    assert found["asset.manufacturer"] == "Acme"


def test_ranges_that_lie_over_each_other_cost_nothing():
    filled = Merged([((0, 0), (1 << 20, 0))] * 200_000)
    assert filled.row(0, ["x"]) == ["x"]
    assert [filled.row(number, [""]) for number in range(1, 200)] == [["x"]] * 199
