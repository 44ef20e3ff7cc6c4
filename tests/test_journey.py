"""The whole line on real packets: the simulated department is audited, and the truth compared.

Truth lies in one file (auditor/data/lab/department.toml); nothing is expected here that does
not stand there.
"""

import json
import os
import sys
from pathlib import Path

import pytest

from auditor.errors import EnvironmentLack
from auditor.lab.department import Department
from auditor.model.address import AddressSet

ROOT = Path(__file__).parent.parent
ACCUSED = {"nonconforming", "review"}
GC, QUEBEC = "ca-gc-hikvision-2025", "ca-qc-mcn-2023"
HOUSE = {"Hikvision", "EZVIZ", "HiLook", "HIKMICRO"}
COMMAND = [sys.executable, "-m", "auditor"]

pytestmark = [pytest.mark.network, pytest.mark.slow]


@pytest.fixture(scope="module")
def audited(tmp_path_factory):
    """One audit of the whole department: how it ended, its report, what the devices witnessed."""
    out = tmp_path_factory.mktemp("journey")
    try:
        lab = Department.start()
    except EnvironmentLack as lack:
        pytest.skip(f"skipped, because {lack.what}")
    with lab:
        run = lab.run(
            [
                *(*COMMAND, "--db", f"sqlite:///{out}/ledger.db", "audit", *lab.networks),
                *("--site", "Department", "--pack", GC, "--pack", QUEBEC),
                *("--pace", "400", "--out", str(out / "report")),
            ],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            timeout=280,
        )
        witnessed = lab.report()
        truth = lab.truth
    assert run.returncode in {1, 3}, run.stderr[-3000:]
    report = json.loads((out / "report" / "report.json").read_text())
    return run, report, witnessed, truth, out


def found(report, device):
    """The reported device that a true one became; None when it was not found."""
    mac = device.mac.lower()
    by_mac = [d for d in report["devices"] if mac in d["macs"]]
    return (
        by_mac[0] if by_mac else next((d for d in report["devices"] if device.ip in d["ips"]), None)
    )


def not_assessed(report):
    gaps = report["coverage"]["not_assessed"]
    return AddressSet.parse(part for gap in gaps for part in gap["ranges"])


def test_every_listed_device_is_found(audited):
    _, report, _, truth, _ = audited
    missed = {}
    for device in truth.devices:
        seen = found(report, device)
        if not device.listed or device.seen == "never":
            continue
        verdicts = seen["verdicts"] if seen else {}
        wanted = GC if device.maker in HOUSE else QUEBEC
        if verdicts.get(wanted) not in ACCUSED | {"undetermined"} or seen["maker"] is None:
            missed[device.name] = verdicts
    assert not missed


def test_no_innocent_is_accused(audited):
    """A pack accuses only devices of the makers that it names."""
    _, report, _, truth, _ = audited
    named = {GC: HOUSE, QUEBEC: HOUSE | {"Dahua"}}
    accused = {
        (device.name, pack): verdict
        for device in truth.devices
        if (seen := found(report, device))
        for pack, verdict in seen["verdicts"].items()
        if verdict in ACCUSED and device.maker not in named[pack]
    }
    assert not accused


def test_makers_models_and_classes_are_named_as_they_are(audited):
    _, report, _, truth, _ = audited
    wrong = {}
    for device in truth.devices:
        seen = found(report, device)
        for trait in ("maker", "brand", "model", "serial", "device_class"):
            wanted = getattr(device, trait)
            if seen and wanted is not None and seen[trait] != wanted and trait != "brand":
                wrong[device.name, trait] = (seen[trait], wanted)
    assert not wrong


def test_nobody_is_found_who_is_not_there(audited):
    _, report, _, truth, _ = audited
    real = {device.ip for device in truth.devices}
    real |= {ip for d in truth.devices if d.range for ip in AddressSet.parse([d.range])}
    macs = {mac.lower() for device in truth.devices for mac in (device.mac, *device.flap)}
    ghosts = [
        d["id"] for d in report["devices"] if not (set(d["ips"]) & real or set(d["macs"]) & macs)
    ]
    assert not ghosts


def test_every_hardware_address_says_where_it_is_known_from(audited):
    _, report, _, _, _ = audited
    for device in report["devices"]:
        assert [known["mac"] for known in device["mac_sources"]] == device["macs"]
        assert all(known["sources"] and known["tools"] for known in device["mac_sources"])


def test_a_router_that_answers_for_a_range_is_one_finding(audited):
    _, report, _, truth, _ = audited
    for device in truth.devices:
        if device.range:
            inside = set(AddressSet.parse([device.range]))
            assert len([d for d in report["devices"] if set(d["ips"]) & inside]) <= 1


def test_every_silent_device_is_reported_as_not_assessed(audited):
    _, report, _, truth, _ = audited
    left = not_assessed(report)
    silent = [device.ip for device in truth.devices if device.silent]
    assert silent
    assert [ip for ip in silent if ip not in left] == []


def test_every_address_of_the_scope_is_assessed_or_named(audited):
    _, report, _, _, _ = audited
    for network in report["coverage"]["networks"]:
        gaps = sum(
            gap["count"]
            for gap in report["coverage"]["not_assessed"]
            if gap["network"] == network["network"]
        )
        assert network["assessed"] + gaps == network["addresses"]


def test_the_exit_code_says_incomplete_and_the_sentence_says_both(audited):
    run, report, _, _, _ = audited
    assert run.returncode == 3
    last = run.stdout.splitlines()
    assert "nonconforming" in last[-2] and "incomplete" in last[-2]
    assert Path(last[-1]).name == "report.en.html" and Path(last[-1]).is_file()
    assert report["counts"]


def test_the_devices_were_treated_well(audited):
    _, _, witnessed, _, _ = audited
    assert witnessed["violations"] == []
    assert witnessed["dead"] == {}


def test_progress_is_silent_where_there_is_no_terminal(audited):
    run, *_ = audited
    assert "\r" not in run.stderr and "\x1b" not in run.stderr


def test_the_report_and_the_chain_verify(audited):
    import subprocess

    *_, out = audited
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    for words in (
        ["verify", str(out / "report")],
        ["--db", f"sqlite:///{out}/ledger.db", "db", "verify"],
    ):
        run = subprocess.run(
            [*COMMAND, *words], capture_output=True, text=True, env=env, check=False
        )
        assert run.returncode == 0, run.stdout


def test_report_json_follows_its_published_schema(audited):
    import jsonschema

    _, report, _, _, _ = audited
    schema = json.loads((ROOT / "auditor/data/schemas/report.schema.json").read_text())
    jsonschema.validate(report, schema)


def test_the_same_ledger_gives_the_same_verdicts_without_a_scan(audited):
    import subprocess

    _, report, _, _, out = audited
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = [
        "--db",
        f"sqlite:///{out}/ledger.db",
        "devices",
        "--json",
        "--pack",
        GC,
        "--pack",
        QUEBEC,
    ]
    run = subprocess.run([*COMMAND, *words], capture_output=True, text=True, env=env, check=False)
    again = {d["id"]: d["verdicts"] for d in map(json.loads, run.stdout.splitlines())}
    assert again == {d["id"]: d["verdicts"] for d in report["devices"]}
