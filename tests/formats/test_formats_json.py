"""report.json keeps its published schema, and counts like the pages."""

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

import auditor.data
from auditor.formats.json_report import FORMAT, compact, device_json
from auditor.formats.lines import lines
from auditor.model.policy import Verdict

SCHEMA = json.loads((Path(auditor.data.__file__).parent / "schemas/report.schema.json").read_text())


@pytest.fixture(scope="module")
def said(render, report):
    return json.loads(render(report, FORMAT)["report.json"])


def test_it_keeps_its_schema(said):
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    jsonschema.Draft202012Validator(SCHEMA, format_checker=jsonschema.FormatChecker()).validate(
        said
    )
    assert said["schema"] == SCHEMA["$id"]


def test_every_device_and_every_finding_is_there_once(said, report):
    assert sorted(one["id"] for one in said["devices"]) == sorted(
        a.device.id for a in report.devices
    )
    assert len(said["findings"]) == len(report.findings)


def test_counts_add_up(said):
    counts = said["counts"]
    assert counts["devices"] == sum(counts["verdicts"].values()) == len(said["devices"])
    assert counts["not_assessed"] == sum(gap["count"] for gap in said["coverage"]["not_assessed"])
    for verdict, count in counts["verdicts"].items():
        assert count == sum(site[verdict] for site in counts["sites"].values())


def test_every_gap_has_ranges_and_a_reason(said):
    assert said["coverage"]["not_assessed"]
    assert all(
        gap["ranges"] and gap["reason"] != "assessed" for gap in said["coverage"]["not_assessed"]
    )


def test_a_device_below_probable_has_no_maker(report):
    unknown = next(a for a in report.devices if a.identity.maker.value is None)
    said = device_json(unknown, {"p": Verdict.UNDETERMINED})
    assert said["maker"] is None
    assert said["verdicts"] == {"p": "undetermined"}


def test_a_device_that_no_pack_speaks_of_is_not_conforming(report):
    silent = replace(report, findings=(), packs=())
    assert {line.verdict for line in lines(silent)} == {Verdict.UNDETERMINED}


def test_no_character_of_the_json_can_act_on_a_terminal():
    text = compact({"name": "a\x1b[2J\u202eb\x9b\u2028\ud800\U000e0041é"})
    assert all(sign.isprintable() for sign in text)
    assert json.loads(text)["name"] == "a\x1b[2J\u202eb\x9b\u2028\ud800\U000e0041é"


def test_a_report_without_anything_is_still_a_report(render, report):
    empty = replace(
        report,
        devices=(),
        findings=(),
        packs=(),
        sites=(),
        runs=(),
        coverage=type(report.coverage)(),
    )
    said = json.loads(render(empty, FORMAT)["report.json"])
    jsonschema.Draft202012Validator(SCHEMA).validate(said)
    assert said["coverage"]["complete"] is False
