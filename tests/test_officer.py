"""What an officer does with a ledger: decide, exempt, answer, remove, sign, compare, carry."""

import csv
import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor.model.observation import Attempt, Endpoint, Observation, Outcome, Run
from auditor.store.ledger import Ledger

ROOT = Path(__file__).parent.parent
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
GC, QC = "ca-gc-hikvision-2025", "ca-qc-mcn-2023"
REPLY = (
    "<ProbeMatch><DeviceType>DS-2CD2143G0-I</DeviceType><DeviceSN>DS-2CD2143G0-I2019091"
    "0AAWRD12345678</DeviceSN><MAC>44-19-b6-00-00-11</MAC><IPv4Address>10.0.0.11</IPv4Address>"
    "</ProbeMatch>"
)


def attempt(tool, ip, mac, *observations):
    seen = tuple(Observation(field, value, value.encode()) for field, value in observations)
    return Attempt(tool, Endpoint(ip=ip, mac=mac), Outcome.ANSWERED, seen, NOON)


FACTS = [
    attempt("arp", "10.0.0.11", "44:19:b6:00:00:11", ("mac", "44:19:b6:00:00:11")),
    attempt("sadp", "10.0.0.11", "44:19:b6:00:00:11", ("sadp.reply", REPLY)),
    attempt("arp", "10.0.0.12", "ac:cc:8e:00:00:12", ("mac", "ac:cc:8e:00:00:12")),
    attempt("arp", "10.0.0.13", "02:00:00:00:00:13", ("mac", "02:00:00:00:00:13")),
]


@pytest.fixture
def desk(tmp_path):
    """A ledger with a camera of a listed maker, an innocent one and a private address."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    with Ledger.open(url) as ledger:
        scope = json.dumps({"networks": ["10.0.0.11-10.0.0.13"], "excluded": []})
        ledger.start(Run("r1", "OTT", "scan", NOON, scope=scope, status="running"))
        ledger.append("r1", FACTS)
        ledger.finish("r1", "complete", (), NOON)

    def run(*words, code=None, db=url):
        done = subprocess.run(
            [sys.executable, "-m", "auditor", "--db", db, *words],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=120,
            check=False,
        )
        assert code is None or done.returncode == code, done.stderr + done.stdout
        return done

    run.folder = tmp_path
    return run


def verdicts(desk, ip="10.0.0.11", **more):
    lines = desk("devices", "--json", "--pack", GC, "--pack", QC, **more).stdout.splitlines()
    return next(d["verdicts"] for d in map(json.loads, lines) if ip in d["ips"])


def test_a_camera_is_nonconforming_and_the_question_of_quebec_is_open(desk):
    assert verdicts(desk) == {GC: "nonconforming", QC: "undetermined"}
    assert verdicts(desk, "10.0.0.12") == {GC: "conforming", QC: "conforming"}
    assert verdicts(desk, "10.0.0.13") == {GC: "undetermined", QC: "undetermined"}


@pytest.mark.parametrize(
    ("acquired", "verdict"),
    [("2023-12-20", "review"), ("2023-12-21", "review"), ("2023-12-22", "nonconforming")],
)
def test_the_day_of_acquisition_decides_in_quebec(desk, acquired, verdict):
    desk(
        "decide",
        "10.0.0.11",
        f"asset.acquired={acquired}",
        "--by",
        "A. O",
        "--reason",
        "PO",
        code=0,
    )
    assert verdicts(desk)[QC] == verdict


def test_answers_come_back_in_a_worksheet_saved_by_a_french_spreadsheet(desk):
    desk("questions", "--out", "q", "--pack", QC, "--pack", GC, code=0)
    path = desk.folder / "q" / "questions.fr.csv"
    rows = list(csv.DictReader(path.read_text("utf-8-sig").splitlines(), delimiter=";"))
    assert any(row["field"] == "asset.acquired" for row in rows)
    for row in rows:
        row["answer"] = "2024-02-01" if row["field"] == "asset.acquired" else "?"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0], delimiter=";")
        writer.writeheader()
        writer.writerows(rows)
    run = desk("questions", "--read", str(path), "--by", "A. Officer", code=0)
    assert run.stdout.startswith("1 answers recorded") or "answers recorded" in run.stdout
    assert verdicts(desk)[QC] == "nonconforming"


def test_a_worksheet_of_another_kind_is_refused(desk):
    (desk.folder / "x.csv").write_text("a,b\n1,2\n")
    assert "no worksheet" in desk("questions", "--read", "x.csv", "--by", "A", code=2).stderr


def test_an_override_stands_beside_the_evidence_and_can_be_withdrawn(desk):
    made = desk(
        "decide", "10.0.0.13", "maker=Hikvision", "--by", "A. O", "--reason", "label", code=0
    )
    assert verdicts(desk, "10.0.0.13")[GC] == "nonconforming"
    said = desk("explain", "10.0.0.13", code=0).stdout
    assert "label" in said
    name = made.stdout.split()[0]
    desk("withdraw", name, "--by", "A. O", "--reason", "wrong label", code=0)
    assert verdicts(desk, "10.0.0.13")[GC] == "undetermined"


def exempt(desk, *more, approved="B. Approver", expires="2027-01-31", code=0):
    paper = desk.folder / "paper.pdf"
    paper.write_bytes(b"signed")
    return desk(
        *("except", "10.0.0.11", "--pack", GC, "--requested-by", "A. O"),
        *("--approved-by", approved, "--expires", expires, "--reason", "phase-out"),
        *("--control", "isolated VLAN", "--document", str(paper), *more),
        code=code,
    )


def test_an_exemption_holds_until_its_last_day_and_reopens_by_itself(desk):
    exempt(desk)
    assert verdicts(desk)[GC] != "nonconforming"
    before = desk("assess", "--pack", GC, "--as-of", "2027-01-31").stdout
    after = desk("assess", "--pack", GC, "--as-of", "2027-02-01").stdout
    assert "0 nonconforming" in before
    assert "1 nonconforming" in after


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param({"approved": "A. O"}, id="approved-by-who-asked"),
        pytest.param({"expires": "2020-01-01"}, id="expired-already"),
        pytest.param({"expires": "never"}, id="no-day"),
    ],
)
def test_a_bad_exemption_is_refused(desk, wrong):
    run = exempt(desk, **wrong, code=2)
    assert run.stderr.startswith("error: ")
    assert verdicts(desk)[GC] == "nonconforming"


def test_a_disposal_without_a_record_proves_nothing(desk):
    run = desk("remove", "10.0.0.11", "disposed", "--by", "A. O")
    assert run.returncode == 2 or "proves nothing" in run.stderr
    assert verdicts(desk)[GC] == "nonconforming"


def test_a_disposal_with_its_record_closes(desk):
    record = desk.folder / "disposal.pdf"
    record.write_bytes(b"certificate of destruction")
    desk("remove", "10.0.0.11", "disposed", "--by", "A. O", "--document", str(record), code=0)
    assert verdicts(desk)[GC] != "nonconforming"


def test_a_reporting_duty_runs_from_identification_and_is_answered(desk):
    pack = "us-ndaa-889a1B"
    words = ("--pack", pack, "--as-of", "2026-11-02", "--format", "json", "--out", "us")
    decided = ("asset.purpose=public_safety", "--by", "A. O", "--reason", "asked")
    desk("decide", "10.0.0.11", *decided, code=0)

    def dues():
        desk("report", *words)
        report = json.loads((desk.folder / "us" / "report.json").read_text())
        return {due["duty"]: due for f in report["findings"] for due in f["due"]}

    before = dues()
    assert "2026-11-03" in {due["due"] for due in before.values()}
    duty = next(name for name, due in before.items() if due["due"] == "2026-11-03")
    filed = f"reported:{pack}/{duty}=2026-11-02,REF-1"
    desk("decide", "10.0.0.11", filed, "--by", "A. O", "--reason", "filed", code=0)
    assert dues()[duty]["done"] == "2026-11-02"


def test_devices_are_merged_and_parted_again(desk):
    count = len(desk("devices", "--json").stdout.splitlines())
    before = desk("devices", "--json").stdout
    made = desk("merge", "10.0.0.12", "10.0.0.13", "--by", "A. O", "--reason", "one box", code=0)
    assert len(desk("devices", "--json").stdout.splitlines()) == count - 1
    desk("withdraw", made.stdout.split()[0], "--by", "A. O", "--reason", "two boxes", code=0)
    assert desk("devices", "--json").stdout == before


def test_the_same_ledger_gives_the_same_bytes(desk):
    for name in ("one", "two"):
        env_words = ("report", "--out", name, "--as-of", "2026-11-20", "--pack", GC)
        desk(*env_words, code=3)
    one, two = (
        {path.name: path.read_bytes() for path in (desk.folder / name).iterdir()}
        for name in ("one", "two")
    )
    assert one == two


def test_a_signed_snapshot_is_what_the_next_report_is_compared_with(desk):
    desk("report", "--out", "one", "--pack", GC, "--sign", "A. Officer", code=3)
    desk("decide", "10.0.0.13", "maker=Hikvision", "--by", "A. O", "--reason", "label", code=0)
    desk("report", "--out", "two", "--pack", GC, code=3)
    report = json.loads((desk.folder / "two" / "report.json").read_text())
    moved = {(c["kind"], c["after"]) for c in report["changes"]}
    assert ("verdict", "nonconforming") in moved
    shown = desk("diff", "one", "two", "--json", code=0).stdout
    assert any(json.loads(line)["kind"] == "verdict" for line in shown.splitlines())


def test_a_site_travels_in_a_bundle_and_arrives_once(desk):
    desk("bundle", "export", "--site", "OTT", "--out", "ott.bundle", code=0)
    other = f"sqlite:///{desk.folder}/other.db"
    for _ in range(2):
        desk("bundle", "merge", "ott.bundle", db=other, code=0)
    assert verdicts(desk, db=other) == verdicts(desk)
    desk("verify", "ott.bundle", code=0)
    content = bytearray((desk.folder / "ott.bundle").read_bytes())
    content[len(content) // 2] ^= 1
    (desk.folder / "bad.bundle").write_bytes(content)
    assert desk("verify", "bad.bundle").returncode == 2
    desk("bundle", "merge", "bad.bundle", db=f"sqlite:///{desk.folder}/third.db", code=2)


def test_a_backup_is_whole(desk):
    desk("db", "backup", "copy.db", code=0)
    assert "the chain holds" in desk("db", "verify", db=f"sqlite:///{desk.folder}/copy.db").stdout


def test_a_backup_is_restored_where_no_ledger_is(desk):
    desk("db", "backup", "copy.db", code=0)
    other = f"sqlite:///{desk.folder}/new.db"
    assert "the chain holds" in desk("db", "restore", "copy.db", db=other, code=0).stdout
    assert verdicts(desk, db=other) == verdicts(desk)
    assert desk("db", "restore", "copy.db", db=other).returncode != 0


def test_coverage_and_reconciliation_are_shown(desk):
    run = desk("coverage", "--json", code=3)
    (subnet,) = map(json.loads, run.stdout.splitlines())
    assert subnet["assessed"] == 1
    kinds = [json.loads(line)["kind"] for line in desk("reconcile", "--json").stdout.splitlines()]
    assert kinds == ["not_in_books"] * 3


@pytest.mark.parametrize("name", ["HIKVISION", "hik vision", "Hikvision Canada Inc."])
def test_an_officer_who_confirms_the_maker_in_another_spelling_clears_nothing(desk, name):
    said = ("--by", "A. O", "--reason", "label")
    desk("decide", "10.0.0.11", f"maker={name}", *said, code=0)
    assert verdicts(desk)[GC] == "nonconforming"


def test_a_name_that_nobody_knows_is_refused_and_where_it_is_meant_a_person_looks(desk):
    said = ("--by", "A. O", "--reason", "label")
    refused = desk("decide", "10.0.0.11", "maker=Hikvison", *said, code=2)
    assert "did you mean Hikvision" in refused.stderr
    desk("decide", "10.0.0.11", "maker=axis", "maker=Hikvision", *said, code=2)
    assert verdicts(desk) == {GC: "nonconforming", QC: "undetermined"}
    desk("decide", "10.0.0.11", "maker=Hikvison", "--as-written", *said, code=0)
    assert verdicts(desk) == {GC: "review", QC: "review"}
    line = desk("assess", "--pack", GC).stdout
    assert "1 to review" in line


def test_a_decision_that_an_older_program_took_as_it_was_written_is_read_as_it_was_meant(desk):
    from auditor.policy.decisions import override_identity

    told = override_identity(
        by="A. O", at=NOON, reason="label", subject=(("ip", "10.0.0.11"), ("site", "OTT")),
        trait="maker", value="HIKVISION",
    )  # fmt: skip
    with Ledger.open(f"sqlite:///{desk.folder}/ledger.db") as ledger:
        ledger.decide(told)
    assert verdicts(desk)[GC] == "nonconforming"
    assert "1 nonconforming" in desk("assess", "--pack", GC).stdout
