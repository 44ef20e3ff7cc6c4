"""Titles, totals and further headings of a sheet are no devices."""

import io
from datetime import UTC, datetime

import pytest

from auditor.importers.asset_csv import IMPORTER
from auditor.model.block import Block
from auditor.model.observation import Attempt
from auditor.plugins import Options, Rejected

MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)
HEAD = "Asset Tag,Name,Manufacturer,Model,Serial Number,Location,IP Address\n"


def read(text):
    taken, refused = [], {}
    for item in IMPORTER.read(io.BytesIO(text.encode()), Options("hq", MOMENT, name="f")):
        facts = item.attempts() if isinstance(item, Block) else [item]
        taken += [
            int(fact.detail.removeprefix("f:")) for fact in facts if isinstance(fact, Attempt)
        ]
        if isinstance(item, Rejected):
            refused[item.line] = item.reason
    return sorted(taken), refused


@pytest.mark.parametrize(
    "row",
    [
        "Total,,,,,,", "TOTAL,2,,,,,", "Grand total: 2 cameras,,,,,,", ",Sub-total,3,,,,",
        "Sous-total,,,,,,2", "Total général,,$1 234.50,,,,", "Somme,2,,,,,", "Totaux :,CAD 12 000,,,,,",
    ],
)  # fmt: skip
def test_a_total_is_no_device(row):
    assert read(f"{HEAD}T1,gate,Acme,AC-1,SN-00001,north,10.0.0.1\n{row}\n") == (
        [2],
        {3: "a total"},
    )


@pytest.mark.parametrize(
    "row",
    [
        "Total-7,gate,Acme,,,,", "T9,Total Care camera,,,,,10.0.0.9", "Totals,gate,Acme,,,,",
        "Building B,gate,,,,,10.0.0.9", "T2,,,,,,", "CAM-B,Lobby,,,,,", ",CAM-12,,,,,", ",,,,SN-00009,,",
        ",,Acme,,,,", ",,,AC-1,,,", ",,,,,,10.0.0.9", ",Serial,Acme,Model,,,",
    ],
)  # fmt: skip
def test_a_device_with_a_strange_name_or_with_little_said_of_it_is_one(row):
    assert read(f"{HEAD}T1,gate,Acme,AC-1,SN-00001,north,10.0.0.1\n{row}\n") == ([2, 3], {})


@pytest.mark.parametrize("row", ["Building B,,,,,,", "North wing,,,,,,", ",Caméras,,,,,"])
def test_a_title_is_no_device(row):
    taken, refused = read(f"{HEAD}T1,gate,Acme,AC-1,SN-00001,north,10.0.0.1\n{row}\n")
    assert taken == [2] and "title" in refused[3]


def test_where_something_hangs_is_no_device_by_itself():
    taken, refused = read(f"{HEAD}T1,gate,Acme,AC-1,SN-00001,north,10.0.0.1\n,,,,,south,\n")
    assert (taken, refused) == ([2], {3: "names nothing by which a device could be found"})


def test_headings_under_other_names_begin_the_same_table_again():
    again = "Tag,Device name,Make,Model,Serial,Where installed,IP\n"
    rows = "T1,gate,Acme,AC-1,SN-00001,north,10.0.0.1\n"
    assert read(f"{HEAD}{rows}{again}{rows}") == ([2, 4], {3: "the headings again"})


def test_headings_with_numbers_are_headings_as_well():
    head = "Asset Tag,IPv4 Address,MAC Address 1,Serial Number\n"
    row = "T1,10.0.0.1,44:19:b6:00:00:01,SN-00001\n"
    other = "Tag,IP,MAC 1,Serial\n"
    again = {3: "the headings again", 5: "the headings again"}
    assert read(f"{head}{row}{head}{row}{other}{row}") == ([2, 4, 6], again)


def test_a_table_with_its_columns_in_another_order_is_not_read_under_the_wrong_headings():
    other = "Asset Tag,Serial Number,Make,Model,Name,Location,IP\nT2,SN-00002,Acme,AC-1,dock,x,10.0.0.2\n"
    rows = "T1,gate,Acme,AC-1,SN-00001,north,10.0.0.1\n"
    taken, refused = read(f"{HEAD}{rows}{other}{HEAD}{rows}")
    assert taken == [2, 6]
    assert "stand elsewhere" in refused[3]
    assert "other headings" in refused[4]
