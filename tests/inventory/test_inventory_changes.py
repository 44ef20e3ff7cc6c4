"""What changed between two reports, and why."""

import pytest

from auditor.inventory.changes import changes, misshapen


def device(id="d1", maker="Hikvision", verdicts=None, evidence=(), site="OTT", **more):
    return {
        "id": id,
        "site": site,
        "maker": maker,
        "standing": "confirmed",
        "verdicts": verdicts or {"p": "nonconforming"},
        "evidence": list(evidence),
        "macs": [],
        **more,
    }


def report(*devices, packs=(("p", "1"),), data=(("oui", "1"),), **more):
    return {
        "devices": list(devices),
        "packs": [{"id": id, "version": version} for id, version in packs],
        "data_versions": [list(pair) for pair in data],
        **more,
    }


def said(before, after):
    return {(c.kind, c.device, c.because) for c in changes(before, after)}


def test_nothing_changed():
    assert not changes(report(device()), report(device()))


def test_new_and_gone():
    assert said(report(device("d1")), report(device("d2"))) == {
        ("new", "d2", "evidence"),
        ("gone", "d1", "evidence"),
    }


def test_a_device_is_known_again_by_serial_and_hardware_address():
    before = report(device("d1", serial="S1"), device("d3", macs=["44:19:b6:00:00:01"]))
    after = report(device("d2", serial="S1"), device("d4", macs=["44:19:b6:00:00:01"]))
    assert not changes(before, after)


def test_the_same_serial_at_another_site_reappeared():
    before, after = report(device(serial="S1")), report(device("d9", serial="S1", site="MTL"))
    assert ("reappeared", "d9", "evidence") in said(before, after)


def test_a_verdict_that_moved_with_the_pack_moved_by_rules():
    after = report(device(verdicts={"p": "review"}), packs=(("p", "2"),))
    assert said(report(device()), after) == {("verdict", "d1", "rules")}


def test_a_maker_that_moved_with_the_data_moved_by_data():
    before = report(device(maker=None), data=(("oui", "1"),))
    after = report(device(), data=(("oui", "2"),))
    assert said(before, after) == {("identity", "d1", "data")}


def test_a_maker_that_moved_with_what_was_seen_moved_by_evidence():
    before = report(device(maker=None))
    after = report(device(evidence=[{"field": "http.server", "value": "x"}]))
    assert said(before, after) == {("identity", "d1", "evidence")}


def test_a_verdict_that_an_exemption_moved_moved_by_decision():
    finding = {"device": "d1", "pack": "p", "exempted_by": "x1"}
    after = report(device(verdicts={"p": "review"}), findings=[finding])
    assert said(report(device()), after) == {("verdict", "d1", "decision")}


def test_gone_with_a_recorded_removal_is_gone_with_proof():
    removal = {"kind": "removal", "subject": [["serial", "S1"]]}
    after = report(decisions=[removal])
    assert said(report(device(serial="S1")), after) == {("gone", "d1", "proof")}


def test_a_pack_that_was_added_changes_nothing_else():
    after = report(
        device(verdicts={"p": "nonconforming", "q": "review"}), packs=(("p", "1"), ("q", "1"))
    )
    assert not changes(report(device()), after)


def aged(age, sha="a", day="2026-11-02"):
    version = {"name": "oui", "version": "1", "sha256": sha, "age_days": age, "stale": age > 90}
    return {"data_versions": [version], "snapshot": {"as_of": day}}


def test_a_verdict_that_moved_with_the_day_alone_moved_by_date():
    before = report(device()) | aged(10)
    after = report(device(verdicts={"p": "review"})) | aged(100, day="2027-02-01")
    assert said(before, after) == {("verdict", "d1", "date")}
    assert said(before, after | aged(100, "b", "2027-02-01")) == {("verdict", "d1", "data")}


@pytest.mark.parametrize("wrong", [
    {"devices": 5}, {"devices": [5]}, {"devices": [{}]}, {"devices": None},
    {"devices": [device() | {"macs": 5}]}, {"devices": [device(evidence=[5])]},
    {"devices": [device() | {"verdicts": [1]}]}, report(device(), findings=5),
    report(device(), findings=["x"]), report(device(), decisions=[{"subject": 5}]),
    report(device(), decisions=[{"subject": [["mac"]]}]), report(device()) | {"data_versions": 5},
    report(device()) | {"snapshot": 5}, report(device()) | {"packs": {"p": 1}},
], ids=repr)  # fmt: skip
def test_what_is_no_report_is_said_to_be_none(wrong):
    assert misshapen(wrong)


def test_a_report_is_one():
    removal = {"kind": "removal", "subject": [["serial", "S1"]]}
    assert misshapen(report(device(), decisions=[removal], findings=[])) == ""
