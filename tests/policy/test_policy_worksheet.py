"""The worksheet of questions: collected, sent out, filled in, read back."""

import csv
import io
from datetime import UTC, datetime

import pytest

from auditor.policy.worksheet import COLUMNS, csv_rows, question_rows, read_answers

GC, QC, UK = "ca-gc-hikvision-2025", "ca-qc-mcn-2023", "uk-wms-2022-11-24"
AT = datetime(2026, 11, 22, 10, tzinfo=UTC)


def asked(world, devices, *packs):
    return question_rows(world.ruled(devices, *packs), devices)


def filled(row, answer, **changes):
    """One line of the worksheet as it comes back."""
    line = dict(zip(COLUMNS, next(csv_rows([row], "en")), strict=True))
    return line | {"answer": answer} | changes


def test_every_missing_fact_is_one_row_and_names_who_knows(world):
    devices = [world.device("Hikvision", tag="INV-7", room="B-101")]
    (row,) = asked(world, devices, QC)
    assert (row.site, row.device, row.question.field) == ("HQ", "d1", "asset.acquired")
    assert row.packs == (QC,)
    for part in ("Hikvision", "INV-7", "B-101", "192.0.2.9"):
        assert part in row.label


def test_one_fact_is_asked_once_however_many_packs_need_it(world):
    devices = [world.device(None)]
    rows = asked(world, devices, GC, QC)
    assert [row.question.field for row in rows] == ["device.maker"]
    assert rows[0].packs == (GC, QC)


def test_a_fact_of_a_site_is_asked_once_per_site(world):
    devices = [
        world.device("Hikvision", name=f"d{n}", mac=f"44:19:b6:00:00:0{n}", core_network="no")
        for n in (1, 2, 3)
    ]
    rows = asked(world, devices, UK)
    assert [(row.site, row.device, row.question.field) for row in rows] == [
        ("HQ", "", "site.sensitive")
    ]


def test_the_worksheet_speaks_both_languages(world):
    rows = asked(world, [world.device("Hikvision")], QC)
    (english,), (french,) = (list(csv_rows(rows, language)) for language in ("en", "fr"))
    assert "acquired" in english[COLUMNS.index("question")]
    assert "acquis" in french[COLUMNS.index("question")]
    assert english[COLUMNS.index("field")] == french[COLUMNS.index("field")]


def test_a_filled_in_worksheet_settles_the_verdicts(world):
    devices = [world.device("Hikvision"), world.device(None, name="d2", mac="44:19:b6:00:00:02")]
    rows = asked(world, devices, QC)
    answers = {"asset.acquired": "2024-02-02", "device.maker": "AXIS"}
    sheet = io.StringIO()
    writer = csv.DictWriter(sheet, COLUMNS)
    writer.writeheader()
    writer.writerows(filled(row, answers[row.question.field]) for row in rows)
    sheet.seek(0)
    decisions, rejected = read_answers(
        csv.DictReader(sheet), devices, "H. Roy", AT, {"AXIS": "Axis"}.get
    )
    assert not rejected
    found = {f.device: f.verdict for f in world.ruled(devices, QC, decisions=decisions)}
    assert found == {"d1": "nonconforming", "d2": "conforming"}
    assert asked(world, devices, QC) != ()
    assert question_rows(world.ruled(devices, QC, decisions=decisions), devices) == ()


@pytest.mark.parametrize("answer", ["", "  ", "?", "unknown", "Inconnu", "N/A", "s.o."])
def test_no_answer_is_passed_over_in_silence(world, answer):
    devices = [world.device("Hikvision")]
    (row,) = asked(world, devices, QC)
    assert read_answers([filled(row, answer)], devices, "H. Roy", AT) == ((), ())


@pytest.mark.parametrize(("changes", "complaint"), [
    pytest.param({"answer": "03/04/2024"}, "no day", id="a-date-that-can-be-read-in-two-ways"),
    pytest.param({"answer": "2024-02-31"}, "no day", id="a-day-that-does-not-exist"),
    pytest.param({"device": "d99"}, "no device", id="a-device-of-another-inventory"),
    pytest.param({"field": "mac"}, "no fact", id="a-field-that-nobody-may-set"),
    pytest.param({"field": "site.sensitive", "site": ""}, "empty", id="a-fact-of-no-site"),
    pytest.param({"field": "device.class", "answer": "drone"}, "no class", id="a-class-of-no-kind"),
])  # fmt: skip
def test_a_row_that_cannot_be_taken_is_given_back_with_line_and_reason(world, changes, complaint):
    devices = [world.device("Hikvision")]
    (row,) = asked(world, devices, QC)
    lines = [filled(row, "2024-02-02"), filled(row, "2024-02-02") | changes]
    decisions, (refused,) = read_answers(lines, devices, "H. Roy", AT)
    assert len(decisions) == 1
    assert refused.line == 3
    assert complaint in refused.reason


def test_a_sheet_without_a_name_is_refused_row_by_row(world):
    devices = [world.device("Hikvision")]
    (row,) = asked(world, devices, QC)
    _, (refused,) = read_answers([filled(row, "2024-02-02")], devices, " ", AT)
    assert "nobody is named" in refused.reason


def test_a_site_answer_becomes_a_fact_of_the_site(world):
    devices = [world.device("Hikvision", core_network="no")]
    (row,) = asked(world, devices, UK)
    (decision,), _ = read_answers([filled(row, "yes")], devices, "H. Roy", AT)
    assert (decision.subject, decision.values) == ((("site", "HQ"),), (("sensitive", "yes"),))
    facts = {"HQ": dict(decision.values)}
    assert world.verdict(devices[0], UK, site_facts=facts) == "nonconforming"
