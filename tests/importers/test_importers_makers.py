"""Who made a device, as lists say it: two columns, one column for two things, or none at all."""

import io
from datetime import UTC, datetime

import pytest

from auditor.importers.asset_csv import IMPORTER
from auditor.importers.makes import parted
from auditor.model.block import Block
from auditor.model.observation import Attempt
from auditor.plugins import Mapped, Options

MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)


def read(text):
    return list(IMPORTER.read(io.BytesIO(text.encode()), Options("hq", MOMENT, name="f")))


def rows(text):
    facts = []
    for item in read(text):
        facts += item.attempts() if isinstance(item, Block) else []
        facts += [item] if isinstance(item, Attempt) else []
    return [[(o.field, o.value) for o in fact.observations] for fact in facts]


def test_who_made_what_another_one_sells_is_kept_beside_the_seller():
    (said,) = rows("Asset Tag,Manufacturer,OEM,Model\nO1,Acme,Bogus Optics,AC-45\n")
    assert ("asset.manufacturer", "Acme") in said
    assert ("device.maker", "Bogus Optics") in said


def test_a_second_maker_is_kept_as_the_brand():
    (said,) = rows("Asset Tag,Manufacturer,Brand\nO1,Acme,Bogus Optics\n")
    assert ("asset.manufacturer", "Acme") in said
    assert ("asset.brand", "Bogus Optics") in said


def test_a_third_maker_is_kept_as_well():
    (said,) = rows("Asset Tag,Manufacturer,Brand,Make\nO1,Acme,Bogus Optics,Third Eye\n")
    assert [value for field, value in said if field == "asset.brand"] == [
        "Bogus Optics",
        "Third Eye",
    ]


def test_the_same_maker_twice_is_one():
    (said,) = rows("Asset Tag,Manufacturer,Brand\nO1,Acme,ACME\n")
    assert [field for field, _ in said] == ["asset.tag", "asset.manufacturer"]


@pytest.mark.parametrize(
    "word",
    ["Unknown", "GENERIC", "n/a", "N.A.", "-", "Inconnu", "s.o.", "Other", "Sans marque", "(unknown)",
     "Générique", "No", "TBD"],
)  # fmt: skip
def test_a_word_for_an_unknown_maker_is_no_maker(word):
    assert rows(f"Asset Tag,Manufacturer,Brand,Model\nU1,{word},Bogus Optics,{word}\n") == [
        [("asset.tag", "U1"), ("asset.manufacturer", "Bogus Optics")]
    ]


def test_such_a_word_is_told_in_a_long_column_as_well():
    text = "Asset Tag,Manufacturer\n" + "".join(f"T{n:04},Acme {n}\n" for n in range(40))
    assert len([s for s in rows(f"{text}T9999,Unknown\n") if len(s) == 1]) == 1


def test_a_vendor_is_the_maker_where_no_other_column_names_one():
    text = "Device Name,Vendor,Location\nGate,Acme,North\n"
    (said,) = rows(text)
    assert ("asset.manufacturer", "Acme") in said
    assert ("asset.supplier", "Acme") in said
    assert any(
        m.column == "Vendor" and "maker" in m.reason for m in read(text) if isinstance(m, Mapped)
    )


def test_a_vendor_beside_a_maker_is_who_sold_it():
    (said,) = rows("Device Name,Vendor,Manufacturer\nGate,Office Supplies Ltd,Acme\n")
    assert [v for f, v in said if f in {"asset.manufacturer", "asset.brand"}] == ["Acme"]
    (said,) = rows("Device Name,Vendor,OEM\nGate,Office Supplies Ltd,Acme\n")
    assert [f for f, _ in said] == ["asset.name", "asset.supplier", "device.maker"]


def test_a_supplier_is_never_the_maker():
    (said,) = rows("Device Name,Supplier,Location\nGate,Office Supplies Ltd,North\n")
    assert "asset.manufacturer" not in dict(said)


@pytest.mark.parametrize(
    ("cell", "make", "model", "whole"),
    [
        ("Acme / AC-2143", "Acme", "AC-2143", None),
        ("Acme/AC-2143", "Acme", "AC-2143", None),
        ("Acme, AC-2143", "Acme", "AC-2143", None),
        ("Acme: AC-2143/SL", "Acme", "AC-2143/SL", None),
        ("Acme Optics - AC-2143", "Acme Optics", "AC-2143", None),
        ("Acme AC-76NI-K2/16P", "Acme", "AC-76NI-K2/16P", True),
        ("AC-76NI-K2/16P", None, "AC-76NI-K2/16P", None),
        ("AC-2143", None, "AC-2143", None),
        ("AC-2143 / Acme", "Acme", "AC-2143", None),
        ("Acme Optics AC-2143", "Acme", "Optics AC-2143", True),
        ("AC-2143 outdoor dome", None, "AC-2143", True),
        ("Acme AC-2143 - 4 mm", "Acme", "AC-2143 - 4 mm", True),
        ("Acme", "Acme", None, None),
        ("3xView Q5", "3xView", "Q5", True),
        ("Unknown / AC-2143", None, "AC-2143", None),
        ("Unknown AC-2143", None, "AC-2143", True),
        ("n/a", None, None, None),
        ("", None, None, None),
    ],
)  # fmt: skip
def test_a_cell_with_make_and_model_is_parted_or_kept_whole(cell, make, model, whole):
    assert parted(cell) == (make, model, cell if whole else None)


def test_what_was_parted_by_a_guess_is_kept_as_text_as_well():
    (said,) = rows("Asset Tag,Make/Model,Description\nM1,Acme Optics AC-2143,north gate\n")
    assert ("asset.manufacturer", "Acme") in said
    texts = [value for field, value in said if field == "asset.description"]
    assert texts == ["north gate", "Acme Optics AC-2143"]
