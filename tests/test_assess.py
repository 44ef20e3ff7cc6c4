"""`assess` remembers, says what changed and why, and costs nothing when nothing has changed."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor import audit, mass, wiring
from auditor.model.block import Block
from auditor.model.observation import Attempt, Endpoint, Observation, Origin, Outcome, Run
from auditor.store.ledger import Ledger

ROOT = Path(__file__).parent.parent
NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
PACKS = ("ca-gc-hikvision-2025",)


@pytest.fixture
def url(tmp_path):
    return f"sqlite:///{tmp_path}/ledger.db"


def listed(ledger, count, run="imp"):
    """Put `count` assets into a ledger; every fifth stands in a listed maker's block."""
    blocks = ["44:19:b6", "ac:cc:8e", "00:06:5b", "70:b3:d5", "00:01:42"]
    rows = tuple(
        (
            f"10.0.{n >> 8}.{n & 255}",
            f"{blocks[n % 5]}:00:{n >> 8:02x}:{n & 255:02x}",
            f"x:{n}",
            (f"A{n}",),
        )
        for n in range(count)
    )
    with ledger.importing(Run(run, "HQ", "import", NOON), "a" * 64, "HQ", "x.csv") as batch:
        block = Block(
            "asset_csv", ("asset.tag",), rows, NOON, Outcome.ANSWERED, Origin.FILE, "file"
        )
        batch.append([block])


def run(url, *words, env=None):
    return subprocess.run(
        [sys.executable, "-m", "auditor", "--db", url, *words],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), **(env or {})},
        check=False,
        timeout=200,
    )


def test_one_process_and_two_conclude_the_same(url):
    with Ledger.open(url) as ledger:
        listed(ledger, 6_000)
        when = audit.When(NOON.date(), "UTC")
        knowledge, packs = wiring.knowledge(), wiring.packs(PACKS)
        task, _ = mass.prepare(ledger, url, knowledge, packs, when, wiring.presence(), {})
        alone = sorted(mass.conclude(task, workers=1), key=lambda told: told.device)
        together = sorted(mass.conclude(task, workers=2), key=lambda told: told.device)
        whole = audit.assess(ledger, knowledge, packs, when, wiring.presence())
    assert alone == together
    assert len(alone) == len(whole.devices) == 6_000
    assert {t.device: t.maker for t in alone} == {
        a.device.id: a.identity.maker.value for a in whole.devices
    }


def test_nothing_new_is_said_at_once(url):
    with Ledger.open(url) as ledger:
        listed(ledger, 20)
    first, again = run(url, "assess"), run(url, "assess")
    assert "nothing has changed" not in first.stderr
    assert "nothing has changed" in again.stderr
    assert first.stdout == again.stdout


def test_new_facts_are_the_reason(url):
    with Ledger.open(url) as ledger:
        ledger.start(Run("r1", "HQ", "scan", NOON))
        mac = Observation("mac", "70:b3:d5:00:00:01")
        ledger.append(
            "r1", [Attempt("arp", Endpoint("10.0.0.1", mac.value), Outcome.ANSWERED, (mac,), NOON)]
        )
        run(url, "assess")
        seen = Observation("http.server", "App-webs/", b"App-webs/")
        ledger.append(
            "r1", [Attempt("http", Endpoint("10.0.0.1", port=80), Outcome.ANSWERED, (seen,), NOON)]
        )
    said = run(url, "assess").stderr
    assert "now Hikvision (probable)" in said and "because of new facts" in said


def test_a_new_registry_judges_anew_without_a_scan_and_says_so(url, tmp_path):
    """The same facts: a block that nobody was known to hold is registered since."""
    with Ledger.open(url) as ledger:
        ledger.start(Run("r1", "HQ", "scan", NOON))
        mac = Observation("mac", "f0:00:0f:00:00:01")
        ledger.append(
            "r1", [Attempt("arp", Endpoint("10.0.0.1", mac.value), Outcome.ANSWERED, (mac,), NOON)]
        )
    env = {"XDG_DATA_HOME": str(tmp_path)}
    assert "1 undetermined" in run(url, "assess", env=env).stdout
    shipped = (wiring.shipped("oui_data") / "vendors.tsv").read_text("utf-8")
    manuf = tmp_path / "newer.tsv"
    new = "24\tF0000F\tHangzhou Hikvision Digital Technology Co.,Ltd.\n"
    manuf.write_text(shipped + new, "utf-8")
    updated = run(url, "oui", "update", str(manuf), env=env)
    assert updated.returncode == 0, updated.stderr
    said = run(url, "assess", env=env)
    assert "was unknown (unknown), now Hikvision (probable)" in said.stderr
    assert "same facts, new oui" in said.stderr


def test_another_day_is_a_reason(url):
    with Ledger.open(url) as ledger:
        listed(ledger, 10)
    run(url, "assess", "--as-of", "2024-01-01", "--pack", PACKS[0])
    said = run(url, "assess", "--as-of", "2026-01-01", "--pack", PACKS[0])
    assert "judged as of 2026-01-01" in said.stderr


def test_assess_as_json_gives_every_device(url):
    with Ledger.open(url) as ledger:
        listed(ledger, 7)
    assert len([json.loads(line) for line in run(url, "assess", "--json").stdout.splitlines()]) == 7
