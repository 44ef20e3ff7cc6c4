"""The forms, registers and tables that an officer signs beside the findings."""

from datetime import UTC, datetime

from auditor.policy.annexes import annexes_of, answer_totals, owner_type
from auditor.policy.removals import removal

GC, QC, B, UK = (
    "ca-gc-hikvision-2025", "ca-qc-mcn-2023", "us-ndaa-889a1B", "uk-wms-2022-11-24",
)  # fmt: skip
NINE = [
    "contract_no", "order_no", "supplier_name", "supplier_uei", "supplier_cage", "brand", "model_no",
    "item_description", "mitigation",
]  # fmt: skip


def all_of(world, devices, *packs, decisions=(), **more):
    findings = world.ruled(devices, *packs, decisions=decisions, **more)
    chosen = [world.packs[name] for name in packs]
    return annexes_of(devices, findings, chosen, decisions, world.today, **more)


def form(annexes, name):
    return next(annex for annex in annexes.annexes if annex.id == name)


def test_the_889_report_has_its_nine_elements_prefilled_and_blanks_that_are_required(world):
    one = world.device(
        "Hikvision", brand="Hikvision", purpose="public_safety", contract="W911-24-C-0001",
        supplier="Corner Shop", model_number="DS-2CD2143",
    )  # fmt: skip
    (item,) = form(all_of(world, [one], B), "us-889").items
    assert [element.key for element in item.elements] == NINE
    values = {element.key: element.value for element in item.elements}
    assert values["contract_no"] == "W911-24-C-0001"
    assert values["brand"] == "Hikvision"
    assert values["model_no"] == "DS-2CD2143"
    assert values["item_description"] == "camera"
    blank = [e for e in item.elements if e.value is None]
    assert [e.key for e in blank] == ["order_no", "supplier_uei", "supplier_cage", "mitigation"]
    assert all(e.required and not e.source for e in blank)
    assert {due.duty for due in item.due} == {"initial", "followup", "rfo"}


def test_a_device_whose_purpose_is_open_is_on_the_889_form_and_an_innocent_one_is_not(world):
    devices = [world.device("Dahua"), world.device("Axis", name="d2")]
    assert [item.device for item in form(all_of(world, devices, B), "us-889").items] == ["d1"]


def test_the_form_carries_what_its_pack_could_not_confirm(world):
    annex = form(all_of(world, [world.device("Dahua")], B), "us-889")
    assert any("72 hours" in text.en for text in annex.unconfirmed)


def test_quebec_asks_for_a_risk_assessment_and_four_controls_of_old_devices(world):
    old = world.device("Hikvision", acquired="2021-01-01", control_firewall="FW-2")
    new = world.device("Hikvision", name="d2", acquired="2024-01-01")
    (item,) = form(all_of(world, [old, new], QC), "risk-assessment").items
    assert item.device == "d1"
    told = {element.key: element.value for element in item.elements}
    assert told["control_firewall"] == "FW-2"
    assert [key for key in told if key.startswith("control_")] == [
        "control_internet", "control_functions", "control_firewall", "control_storage",
    ]  # fmt: skip
    assert told["risk_assessment"] is None


def test_the_uk_annex_takes_the_sites_own_fact(world):
    one = world.device("Hikvision", core_network="no", replacement="2027-03")
    annexes = all_of(world, [one], UK, site_facts={"HQ": {"sensitive": "yes"}})
    (item,) = form(annexes, "uk-removal").items
    told = {element.key: element.value for element in item.elements}
    assert told == {
        "sensitive": "yes", "core_network": "no", "removal_plan": "2027-03", "removed": None,
    }  # fmt: skip


def test_the_answer_table_has_every_device_once_and_its_totals_add_up(world):
    devices = [
        world.device(
            "Hikvision", owner_type="Locateur", acquired="2019", privacy_assessment="none"
        ),
        world.device("Axis", name="d2", owner_type="own"),
        world.device("Hikvision", name="d3", looked=False, kind=None),
        world.device("Dahua", name="d4", site="Depot", owner_type="own", kind="recorder"),
    ]
    annexes = all_of(world, devices, GC, organisation={"name": "Department of Examples"})
    assert sorted(row.device for row in annexes.answers) == ["d1", "d2", "d3", "d4"]
    assert sum(total.count for total in annexes.totals) == len(devices)
    rows = {row.device: row for row in annexes.answers}
    assert rows["d1"].owner_type == "landlord"
    assert rows["d1"].bought == "2019"
    assert rows["d1"].connected == "yes"
    assert rows["d3"].connected == "unknown"
    assert rows["d3"].device_class == "unknown"
    assert {row.organisation for row in annexes.answers} == {"Department of Examples"}


def test_owner_types_in_two_languages_are_one_code():
    assert {owner_type(word) for word in ("landlord", "Bailleur", "LOCATEUR")} == {"landlord"}
    assert owner_type("entrepreneur") == owner_type("vendor") == "contractor"
    assert owner_type(None) == "unknown"
    assert owner_type("condominium board") == "condominium board"


def test_totals_of_nothing_are_nothing():
    assert answer_totals([]) == ()


def test_a_disposed_device_is_removed_on_that_day_and_not_connected(world):
    seen = datetime(2026, 3, 1, tzinfo=UTC)
    gone = removal(
        by="G. Okafor", at=datetime(2026, 4, 16, 12, tzinfo=UTC), reason="replaced",
        subject=[("device", "d1")], step="disposed", certificate="R-1",
    )  # fmt: skip
    annexes = all_of(world, [world.device("Hikvision", first=seen)], GC, decisions=[gone])
    (row,) = annexes.answers
    assert (row.removed, row.connected) == ("2026-04-16", "no")
    assert annexes.removals[0].state == "disposed"
    assert annexes.burn_down[-1].disposed == 1


def test_every_nonconforming_device_is_on_the_list_of_removals(world):
    devices = [world.device("Hikvision"), world.device("Axis", name="d2")]
    annexes = all_of(world, devices, GC)
    assert [(row.device, row.state) for row in annexes.removals] == [("d1", "found")]


def test_questions_and_clocks_travel_with_the_annexes(world):
    annexes = all_of(world, [world.device("Dahua")], B, QC)
    fields = {row.question.field for row in annexes.questions}
    assert fields == {"asset.purpose", "asset.acquired"}
    assert len(annexes.clocks) == 3
