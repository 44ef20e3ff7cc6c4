"""What a cell of a list says plainly, what it only mentions, and what a note is worth beside it."""

import pytest

from auditor.identify.cells import CellWords, folded, read_cell
from auditor.identify.evidence import of_sightings
from auditor.identify.identify import of_observations
from auditor.identify.resolve import resolve
from auditor.model.device import Sighting
from auditor.model.identity import Standing, Strength
from auditor.model.observation import Endpoint, Observation, Origin
from tests.identify.made_up import START

INITECH_MAC = ("mac", "00:aa:02:00:00:01")


def identity(known, *pairs):
    return of_observations([Observation(*pair) for pair in pairs], known)


def listed(known, *rows):
    """Give the identity that rows of lists add up to, each row a list of pairs."""
    seen = [
        Sighting(Observation(*pair), "asset_csv", Endpoint("10.0.0.1"), START, origin, seq)
        for seq, (origin, pairs) in enumerate(rows, 1)
        for pair in pairs
    ]
    return resolve(of_sightings(seen, known), known)


@pytest.mark.parametrize(
    "cell",
    ["ACME INC", "Acme (OEM)", "Acme IP Camera", "Acme Digital Technology Co., Ltd.", "Acme®",
     "Acme Canada", "ACME-OEM", "Acme 4MP dome", "AC-1234", "Acme AC-1234 (4MP)",
     "AC-1234 4MP dome", "caméra Acme extérieure", "made by Acme", "Acme, to be replaced 2027",
     "Model no. AC-1234", "Acme (dealer: Globex Retail)", "was Initech, now Acme",
     "AC-1234 north stairs"],
)  # fmt: skip
@pytest.mark.parametrize("field", ["asset.manufacturer", "asset.model", "asset.brand"])
def test_a_cell_that_names_its_maker_among_other_words_is_for_a_person_to_review(
    known, cell, field
):
    assert identity(known, (field, cell)).maker.value == "Acme" or "Globex" in cell
    found = identity(known, INITECH_MAC, (field, cell))
    assert found.maker.value == "Initech"
    assert found.standing is Standing.PROBABLE
    assert {(c.code, c.other) for c in found.contradictions} >= {("brand_differs", "Acme")}


@pytest.mark.parametrize(
    "cell",
    ["Not Acme", "Acme reseller", "compatible with Acme", "Acme-compatible", "mount for Acme",
     "replaces Acme AC-1234", "formerly Acme", "remplace Acme AC-1234", "pas Acme",
     "Shelf in the Acme hall", "revendeur Acme", "fournisseur"],
)  # fmt: skip
@pytest.mark.parametrize("field", ["asset.manufacturer", "asset.model"])
def test_a_cell_that_only_mentions_a_maker_accuses_nobody(known, cell, field):
    if cell == "revendeur Acme":
        cell = "Acme revendeur"
    found = identity(known, INITECH_MAC, (field, cell))
    assert found.maker.value == "Initech"
    assert "Acme" not in {name for c in found.contradictions for name in (c.one, c.other)}
    assert all(e.strength is Strength.HINT for e in found.evidence if e.claim == "Acme")
    assert identity(known, (field, cell)).maker.value is None


@pytest.mark.parametrize("cell", ["Initech (replaces Acme)", "Initech, not Acme AC-1234"])
def test_the_maker_beside_the_one_that_it_is_not_is_named(known, cell):
    found = identity(known, ("asset.manufacturer", cell))
    assert found.maker.value == "Initech"
    assert not found.contradictions


def test_a_cell_with_two_makers_names_neither_and_says_so(known):
    found = identity(known, ("asset.manufacturer", "Acme / Initech"))
    assert found.maker.value is None
    assert "two_makers" in {c.code for c in found.contradictions}


def test_a_name_before_words_that_nobody_knows_is_a_brand_and_no_maker(known):
    found = identity(known, ("asset.manufacturer", "Acme Xylophone Works"))
    assert (found.maker.value, found.brand.value) == (None, "Acme")


def test_the_model_among_other_words_is_the_model(known):
    found = identity(known, ("asset.model", "Acme AC-1234 (4MP)"))
    assert found.model.value == "AC-1234"
    assert not found.contradictions


def test_what_a_device_itself_says_is_not_searched_for_words(known):
    assert identity(known, ("device.model", "AC-1234 4MP dome")).maker.value is None
    assert identity(known, ("device.brand", "Acme (OEM)")).brand.value == "Acme (OEM)"


@pytest.mark.parametrize("cell", ["3-axis dome", "Face recognition terminal", "ring mount"])
def test_ordinary_words_are_no_names(shipped, cell):
    found = identity(shipped, ("asset.model", cell))
    assert (found.maker.value, found.brand.value) == (None, None)


@pytest.mark.parametrize(
    ("cell", "maker"),
    [("HIKVISION INC", "Hikvision"), ("Hangzhou Hikvision Digital Technology", "Hikvision"),
     ("Hikvision DS-2CD2143G0-I", "Hikvision"), ("Hik-Vision (OEM)", "Hikvision"),
     ("Hik Corp", None), ("Dahua Technology Canada Inc.", "Dahua"),
     ("Axis Communications (Canada)", "Axis"), ("海康威视 DS-2CD2143G0-I", "Hikvision"),
     ("Shanghai Dahua Scale Factory", None), ("Hikvision reseller", None)],
)  # fmt: skip
def test_the_shipped_words_read_what_lists_say(shipped, cell, maker):
    assert identity(shipped, ("asset.manufacturer", cell)).maker.value == maker


def test_a_cell_is_read_in_bounded_time_and_without_its_whole_length(known):
    read = read_cell("(Acme, " * 100_000, known.makers, known.models, known.words)
    assert len(read.plain) <= 48


def test_words_are_folded_and_a_file_that_is_none_is_refused(known, tmp_path):
    assert folded("Caméra") == "camera"
    words = CellWords.load(known.folder / "cells.toml")
    tables = (words.beside, words.turn_on, words.turn_off, words.turn_back)
    assert all(folded(word) == word for table in tables for word in table)
    assert not words.turn_on & (words.beside | words.turn_off)


# ---------------------------------------------------------------- notes

REPLACES = ("asset.description", "replaces Acme AC-1234")


def test_a_note_in_the_row_of_another_maker_is_a_hint(known):
    for own in (("asset.manufacturer", "Initech"), ("asset.model", "Initech Dome")):
        found = listed(known, (Origin.FILE, [own, REPLACES]))
        assert found.maker.value == "Initech"
        assert not found.contradictions


def test_a_note_is_still_read_where_its_row_names_nobody_else(known):
    for own in (("asset.manufacturer", "unknown"), ("asset.manufacturer", "Acme"),
                ("asset.manufacturer", "Globex"), ("asset.name", "Lobby")):  # fmt: skip
        found = listed(known, (Origin.FILE, [own, ("asset.notes", "label: AC-1234")]))
        assert "Acme" in {found.maker.value, *(e.claim for e in found.evidence
                                               if e.strength is Strength.RECORD)}  # fmt: skip


def test_the_note_of_one_list_is_not_undone_by_the_maker_in_another(known):
    found = listed(known, (Origin.FILE, [("asset.notes", "label: AC-1234")]),
                   (Origin.FILE, [("asset.manufacturer", "Initech")]))  # fmt: skip
    assert "two_makers" in {c.code for c in found.contradictions}


def test_the_note_of_an_officer_stands_against_the_list(known):
    found = listed(known, (Origin.FILE, [("asset.manufacturer", "Initech")]),
                   (Origin.OFFICER, [("asset.notes", "label: AC-1234")]))  # fmt: skip
    assert "two_makers" in {c.code for c in found.contradictions}


# ---------------------------------------------------------------- what nmap concluded


@pytest.mark.parametrize(
    "seen",
    [("nmap.product", "Hikvision Network Video Recorder http admin"),
     ("nmap.cpe", "cpe:/h:hikvision:nvr"), ("nmap.product", "Dahua IP camera rtspd 2.0")],
)  # fmt: skip
def test_what_nmap_concludes_of_a_named_maker_is_for_a_person_to_review(shipped, seen):
    found = identity(shipped, seen, ("nmap.devicetype", "webcam"))
    assert found.maker.value in {"Hikvision", "Dahua"}
    assert found.standing is Standing.PROBABLE
    assert found.device_class.value == "camera"
    other = identity(shipped, ("mac", "00:40:8c:00:00:01"), seen)
    assert other.maker.value == "Axis"
    assert "brand_differs" in {c.code for c in other.contradictions}


def test_what_nmap_concludes_confirms_nobody_and_clears_nobody(shipped):
    seen = [("nmap.product", "Hikvision IPCam control port"), ("nmap.cpe", "cpe:/h:hikvision:nvr"),
            ("asset.manufacturer", "Hikvision")]  # fmt: skip
    assert identity(shipped, *seen).standing is Standing.PROBABLE
    axis = identity(shipped, ("nmap.product", "AXIS 212 PTZ Network Camera http config"))
    assert (axis.maker.value, axis.brand.value) == (None, "Axis")
    assert identity(shipped, ("nmap.cpe", "cpe:/a:hikvision:client")).maker.value is None
