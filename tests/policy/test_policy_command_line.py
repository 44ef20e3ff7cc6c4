"""The officer's commands on a real ledger: a day, an exemption, a decision, a removal, a worksheet."""

import csv
import hashlib
import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome, Run
from auditor.store.ledger import Ledger

ROOT = Path(__file__).parents[2]
GC, QC = "ca-gc-hikvision-2025", "ca-qc-mcn-2023"
SEEN = datetime(2024, 3, 1, 12, tzinfo=UTC)
MAC, IP = "44:19:b6:11:22:33", "192.0.2.5"
SADP = (
    "<ProbeMatch><Types>inquiry</Types><DeviceDescription>DS-2CD2143G2-I</DeviceDescription>"
    f"<MAC>{MAC.replace(':', '-')}</MAC><IPv4Address>{IP}</IPv4Address></ProbeMatch>"
)


@pytest.fixture
def office(tmp_path):
    """A ledger with one camera that said what it is, and the auditor at an officer's desk."""
    url = f"sqlite:///{tmp_path}/ledger.db"
    seen = (Observation("sadp.reply", SADP), Observation("mac", MAC))
    with Ledger.open(url) as ledger:
        ledger.start(Run("r1", "HQ", "scan", SEEN, "H. Roy"))
        endpoint = Endpoint(ip=IP, mac=MAC, port=37020, transport="udp")
        ledger.append("r1", [Attempt("sadp", endpoint, Outcome.ANSWERED, seen, SEEN)])
        ledger.finish("r1")

    def run(*words, code=None):
        ended = subprocess.run(
            [sys.executable, "-m", "auditor", "--db", url, *words],
            cwd=tmp_path, capture_output=True, text=True, timeout=120,
            env={**os.environ, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"},
        )  # fmt: skip
        assert "Traceback" not in ended.stderr, ended.stderr
        if code is not None:
            assert ended.returncode == code, ended.stdout + ended.stderr
        return ended

    run.folder = tmp_path
    run.url = url
    return run


def verdict(office, pack, *more):
    lines = office("assess", "--pack", pack, "--json", *more).stdout.splitlines()
    (device,) = [json.loads(line) for line in lines if line.startswith("{")]
    return device["verdicts"][pack]


def today(days=0):
    return (datetime.now(UTC) + timedelta(days=days)).date().isoformat()


def test_the_day_of_the_assessment_decides_in_quebec(office):
    assert verdict(office, QC, "--as-of", "2023-12-20") == "not_applicable"
    assert verdict(office, QC, "--as-of", "2023-12-21") == "review"
    assert verdict(office, QC, "--as-of", "2023-12-22") == "undetermined"


def test_a_recorded_date_decides_and_its_withdrawal_opens_the_question_again(office):
    said = office(
        "decide", IP, "asset.acquired=2024-02-02", "--by", "H. Roy", "--reason", "invoice 7", code=0
    )
    assert verdict(office, QC) == "nonconforming"
    name = re.search(r"record-[0-9a-f]+", said.stdout)[0]
    office("withdraw", name, "--by", "H. Roy", "--reason", "wrong invoice", code=0)
    assert verdict(office, QC) == "undetermined"


def test_an_exemption_needs_another_persons_approval_and_ends_by_itself(office):
    paper = office.folder / "signed.pdf"
    paper.write_bytes(b"%PDF signed")
    words = ["except", IP, "--pack", GC, "--requested-by", "B. Tremblay", "--expires", today(30),
             "--reason", "parts are late", "--control", "no Internet", "--document", str(paper)]  # fmt: skip
    refused = office(*words, "--approved-by", "B. Tremblay", code=2)
    assert "same person" in refused.stderr
    office(*words, "--approved-by", "A. Roy", code=0)
    assert verdict(office, GC) == "not_applicable"
    assert verdict(office, GC, "--as-of", today(31)) == "nonconforming"


def test_a_disposal_without_a_record_is_refused_and_with_one_closes(office):
    step = ["remove", IP, "disposed", "--by", "G. Okafor", "--reason", "plan"]
    assert "no proof" in office(*step, code=2).stderr
    assert verdict(office, GC) == "nonconforming"
    paper = office.folder / "disposal.txt"
    paper.write_text("R-2291")
    office(*step, "--document", str(paper), code=0)
    assert verdict(office, GC) == "not_applicable"
    with Ledger.open(office.url) as ledger:
        (kept,) = ledger.decisions()
    assert kept.document_sha256 == hashlib.sha256(b"R-2291").hexdigest()


def test_the_same_camera_seen_again_at_another_site_is_open_again(office):
    paper = office.folder / "disposal.txt"
    paper.write_text("R-2291")
    office(
        "remove",
        IP,
        "disposed",
        "--by",
        "G. Okafor",
        "--reason",
        "plan",
        "--document",
        str(paper),
        code=0,
    )
    again = datetime.now(UTC) + timedelta(minutes=1)
    with Ledger.open(office.url) as ledger:
        ledger.start(Run("r2", "Depot", "scan", again, "H. Roy"))
        seen = (Observation("sadp.reply", SADP), Observation("mac", MAC))
        endpoint = Endpoint(ip="198.51.100.7", mac=MAC, port=37020, transport="udp")
        ledger.append("r2", [Attempt("sadp", endpoint, Outcome.ANSWERED, seen, again)])
        ledger.finish("r2")
    lines = office("assess", "--pack", GC, "--json").stdout.splitlines()
    found = {
        d["site"]: d["verdicts"][GC] for d in map(json.loads, (x for x in lines if x[:1] == "{"))
    }
    assert found["Depot"] == "nonconforming"
    assert found["HQ"] == "not_applicable"


def test_a_worksheet_goes_out_comes_back_and_settles_the_verdict(office):
    out = office.folder / "sheets"
    office("questions", "--pack", QC, "--out", str(out), code=0)
    english, french = (out / f"questions.{language}.csv" for language in ("en", "fr"))
    assert "acquis" in french.read_text("utf-8-sig")
    rows = list(csv.DictReader(english.read_text("utf-8-sig").splitlines()))
    for row in rows:
        row["answer"] = "2019-05-05" if row["field"] == "asset.acquired" else ""
    with english.open("w", encoding="utf-8", newline="") as sheet:
        writer = csv.DictWriter(sheet, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    office("questions", "--read", str(english), "--by", "H. Roy", code=0)
    assert verdict(office, QC) == "review"


def test_a_persons_word_on_the_maker_stands_beside_what_the_device_said(office):
    office("decide", IP, "maker=Axis", "--by", "H. Roy", "--reason", "label read", code=0)
    assert verdict(office, GC) == "conforming"
    told = office("explain", IP, "--pack", GC).stdout
    assert "H. Roy" in told
    assert "Hikvision" in told


def test_a_users_own_pack_is_checked_with_all_mistakes_at_once(office):
    pack = office.folder / "mine.toml"
    text = (ROOT / "auditor" / "data" / "packs" / f"{GC}.toml").read_text("utf-8")
    pack.write_text(
        text.replace('status = "in_force"', 'status = "x"').replace(
            'use = "prohibited"', 'use = "y"'
        )
    )
    told = office("packs", "check", str(pack), code=2)
    said = told.stdout + told.stderr
    lines = [number for number, line in enumerate(text.splitlines(), 1)
             if line in {'status = "in_force"', 'use = "prohibited"'}]  # fmt: skip
    assert len(lines) == 2
    assert all(f"mine.toml:{number}" in said for number in lines)


def test_what_a_list_alone_says_is_never_conforming(office):
    with Ledger.open(office.url) as ledger:
        ledger.start(Run("r3", "HQ", "import", SEEN, "H. Roy"))
        listed = (Observation("asset.manufacturer", "Axis"), Observation("asset.tag", "INV-9"))
        line = Attempt(
            "asset_csv",
            Endpoint(transport="file"),
            Outcome.ANSWERED,
            listed,
            SEEN,
            origin=Origin.FILE,
        )
        ledger.append("r3", [line])
        ledger.finish("r3")
    lines = office("assess", "--pack", GC, "--json").stdout.splitlines()
    found = [json.loads(x) for x in lines if x[:1] == "{"]
    listed = [d for d in found if d["maker"] == "Axis" or not d["ips"]]
    assert [d["verdicts"][GC] for d in listed] == ["undetermined"]
