"""A list in French, damaged as lists are: what is taken, what is refused, what is dropped."""

import io
from datetime import UTC, datetime

import pytest

from auditor.errors import DataError
from auditor.importers.asset_csv import IMPORTER
from auditor.model.block import Block
from auditor.model.observation import Attempt, Origin
from auditor.plugins import Mapped, Noted, Options, Rejected, Sample

MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)


def read(text, **said):
    raw = text.encode() if isinstance(text, str) else text
    options = Options("hq", MOMENT, name="list.csv", **said)
    return list(IMPORTER.read(io.BytesIO(raw), options))


def facts(items):
    found = []
    for item in items:
        if isinstance(item, Block):
            found += item.attempts()
        elif isinstance(item, Attempt):
            found.append(item)
    return found


def of(kind, items):
    return [item for item in items if isinstance(item, kind)]


def said(attempt):
    ends = {"ip": attempt.endpoint.ip, "mac": attempt.endpoint.mac}
    return {k: v for k, v in ends.items() if v} | {o.field: o.value for o in attempt.observations}


FRENCH = """Étiquette;Nom;Adresse IP;Adresse MAC;N° de série;Fabricant;Date d'achat;Mot de passe
A1;Caméra nord;10.0.0.1;44-19-B6-00-00-01;SN-0001-X;Acmé;23/01/2023;Tr0ub4dor
A2;Caméra sud;10.0.0.2;1E+11;6,37E+15;Acmé;03/04/2023;Tr0ub4dor
A3;x;y
;;;;;;;
A4;"note
longue";http://admin:Tr0ub4dor@10.0.0.3:80/;001122334455;SN12345;;2023-05-06;Tr0ub4dor
"""


def test_a_french_list_is_taken_row_by_row():
    items = read(FRENCH)
    first, second, third = facts(items)
    assert said(first) == {
        "ip": "10.0.0.1", "mac": "44:19:b6:00:00:01", "asset.tag": "A1",
        "asset.name": "Caméra nord", "asset.serial": "SN-0001-X",
        "asset.manufacturer": "Acmé", "asset.acquired": "2023-01-23",
    }  # fmt: skip
    assert said(second) == {
        "ip": "10.0.0.2", "asset.tag": "A2", "asset.name": "Caméra sud",
        "asset.manufacturer": "Acmé",
    }  # fmt: skip
    assert third.endpoint.ip == "10.0.0.3"
    assert [a.detail for a in facts(items)] == ["list.csv:2", "list.csv:3", "list.csv:6"]
    assert {a.origin for a in facts(items)} == {Origin.FILE}


def test_what_was_damaged_is_said_and_not_guessed():
    (note,) = of(Noted, read(FRENCH))
    assert note.line == 3
    for word in ("Adresse MAC", "N° de série", "2023-03-04 or 2023-04-03"):
        assert word in note.reason


def test_rows_taken_and_refused_add_up():
    items = read(FRENCH)
    assert [(r.line, r.reason) for r in of(Rejected, items)] == [(4, "3 cells, but 8 headings")]
    assert len(facts(items)) == 3


def test_a_column_of_secrets_is_dropped_and_said_so():
    items = read(FRENCH)
    assert [m.column for m in of(Mapped, items) if m.dropped] == ["Mot de passe"]
    assert "Tr0ub4dor" not in repr(items)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "mac_roman"])  # fmt: skip
def test_the_encoding_does_not_matter(encoding):
    assert [said(a) for a in facts(read(FRENCH.encode(encoding)))] == [
        said(a) for a in facts(read(FRENCH))
    ]


@pytest.mark.parametrize("end", ["\r", "\r\n"])
def test_the_line_end_does_not_matter(end):
    found = [said(a) for a in facts(read(FRENCH.replace("\n", end)))]
    assert found == [said(a) for a in facts(read(FRENCH))]


def test_a_table_is_recognised_and_a_letter_is_not():
    raw = FRENCH.encode()
    assert IMPORTER.recognise(Sample("x", raw, len(raw))) > 60
    letter = b"Dear officer,\nplease find enclosed, as promised,\nour list of cameras.\n"
    assert IMPORTER.recognise(Sample("x", letter, len(letter))) < 25


def test_a_file_without_headings_is_refused_whole():
    with pytest.raises(DataError, match="no table"):
        read("1,2,3\n4,5,6\n")
