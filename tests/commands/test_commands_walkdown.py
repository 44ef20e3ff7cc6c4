"""The walk-down list: printed room by room, filled in on paper or screen, imported again."""

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor.commands.importing import Asked, run
from auditor.commands.setting import Setting
from auditor.commands.showing import reconcile
from auditor.commands.walking import write
from auditor.errors import UsageError
from auditor.inventory.walkdown import BLANKS, KNOWN, Stop, stops
from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome, Run
from auditor.store.ledger import Ledger

MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)
LIST = """Asset Tag,Name,IP Address,MAC Address,Manufacturer,Building,Floor,Room,Switch,Switch Port
A1,Door,10.0.0.1,44:19:B6:00:00:01,Acme,B,1,100,sw1,Gi1/0/7
A2,"<script>alert(1)</script>",10.0.0.2,,Acme,B,1,100,sw1,Gi1/0/8
A3,Attic,10.0.0.3,,Acme,A,9,901,,
A4,Somewhere,10.0.0.4,,Acme,,,,,
"""


@pytest.fixture
def office(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.csv").write_text(LIST)
    run(Setting("sqlite:///auditor.db", quiet=True), Asked((Path("list.csv"),), site="hq"))
    return tmp_path


def walk(lang="en,fr"):
    reconcile(Setting("sqlite:///auditor.db"), "", Path("wd"), lang, as_json=False)


def rows(language):
    text = (Path("wd") / f"walkdown.{language}.csv").read_text("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text)))


def test_rooms_come_in_the_order_of_a_walk(office):
    walk()
    assert [row["Asset tag"] for row in rows("en")] == ["A3", "A1", "A2", "A4"]
    assert rows("en")[1]["Switch port"] == "Gi1/0/7"
    assert [row["Numéro d’inventaire"] for row in rows("fr")] == ["A3", "A1", "A2", "A4"]


def test_the_page_prints_a_section_per_room_and_runs_nothing(office):
    walk()
    for language in ("en", "fr"):
        page = (Path("wd") / f"walkdown.{language}.html").read_text("utf-8")
        assert page.count("<section>") == 3
        assert "<script" not in page
        assert "&lt;script&gt;" in page
        assert "default-src 'none'" in page
        assert f'<html lang="{language}">' in page


@pytest.mark.parametrize(
    ("language", "serial", "photo", "present"),
    [("en", "Serial found", "Photo number", "Present"), ("fr", "Série relevée", "Numéro de photo", "Présent")],
)  # fmt: skip
def test_a_filled_in_list_comes_back_to_its_devices(office, language, serial, photo, present):
    walk()
    path = Path("wd") / f"walkdown.{language}.csv"
    found = rows(language)
    found[1] |= {serial: "SN-0001-X", photo: "17", present: "yes"}
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        out = csv.DictWriter(file, found[0])
        out.writeheader()
        out.writerows(found)
    assert run(Setting("sqlite:///auditor.db"), Asked((path,), site="hq")) == 0
    with Ledger.open("sqlite:///auditor.db") as ledger:
        (visited,) = [s.attempt for s in ledger.attempts() if s.attempt.tool == "walkdown_csv"]
    assert visited.origin is Origin.OFFICER
    said = {o.field: o.value for o in visited.observations}
    assert (said["asset.serial"], said["asset.photo"], said["asset.tag"]) == (
        "SN-0001-X",
        "17",
        "A1",
    )


def test_cameras_of_a_recorder_that_nobody_saw_are_rows_of_their_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seen = (Observation("device.channels_digital", "5"), Observation("device.class", "recorder"))
    recorder = Attempt(
        "sadp", Endpoint("10.0.0.9", "44:19:b6:00:00:09"), Outcome.ANSWERED, seen, MOMENT
    )
    with Ledger.open("sqlite:///auditor.db") as ledger:
        ledger.start(Run("r1", "hq", "scan", MOMENT))
        ledger.append("r1", [recorder])
    walk("en")
    missing = [row for row in rows("en") if row["Why"].startswith("camera of a recorder")]
    assert len(missing) == 5
    assert missing[0]["Why"].endswith("1 / 5: 10.0.0.9")


def test_a_language_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UsageError):
        write((), tmp_path, "de")


def test_every_language_has_every_word():
    import tomllib

    from auditor import wiring

    tables = tomllib.loads((wiring.DATA / "walkdown.toml").read_text("utf-8"))
    assert set(tables["en"]) == set(tables["fr"]) >= {*KNOWN, *BLANKS}


def test_nothing_to_see_is_an_empty_list(tmp_path):
    assert stops((), ()) == ()
    paths = write((), tmp_path, "en")
    assert {path.name for path in paths} == {"walkdown.en.csv", "walkdown.en.html"}
    assert Stop("hq", "", "", "", "d", ("matched",)).place == ("hq", "", "", "")
