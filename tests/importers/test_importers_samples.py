"""Exports of every tool that officers will hand in, English and French, with made-up devices.

Each sample has the headings of its tool; the expectation says what its first row must tell.
"""

import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from auditor.importers.asset_csv import IMPORTER
from auditor.model.block import Block
from auditor.model.observation import Attempt, Origin
from auditor.plugins import Mapped, Options, Rejected, Sample

SAMPLES = Path(__file__).parent / "samples" / "asset_csv"
MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)
FILE, SIGHTING = Origin.FILE, Origin.SIGHTING

EXPECTED = {
    "snipeit_import.csv": ("snipeit_csv", FILE, 2, {
        "asset.tag": "AST-0001", "asset.name": "Door camera", "asset.acquired": "2023-01-23",
        "asset.cost": "1234.50", "asset.replacement": "2028-01-23", "asset.order": "PO-17",
        "asset.location": "HQ > Floor 1", "asset.organisation": "Ministry of Examples"}),
    "snipeit_minimal.csv": ("snipeit_csv", FILE, 1, {
        "asset.model": "AC-2143", "mac": "44:19:b6:0a:0b:0c", "asset.serial": "ACME20230101A"}),
    "snipeit_report_fr.csv": ("asset_csv", FILE, 1, {
        "asset.tag": "AST-0101", "asset.acquired": "2020-02-02", "mac": "44:19:b6:00:01:01",
        "asset.cost": "1234.50", "asset.location": "Siège", "asset.replacement": "2025-02-02"}),
    "snipeit_bad.csv": ("snipeit_csv", FILE, 2, {
        "asset.tag": "AST-0201", "asset.name": "Caméra été", "asset.acquired": "2023-01-23"}),
    "lansweeper.csv": ("lansweeper_csv", FILE, 2, {
        "asset.name": "CAM-LOBBY", "ip": "10.1.2.3", "mac": "44:19:b6:00:02:01",
        "device.hostname": "cam-lobby.example.org", "asset.category": "Webcam"}),
    "lansweeper_short.csv": ("lansweeper_csv", FILE, 1, {
        "asset.name": "CAM-DOOR", "mac": "44:19:b6:00:02:09", "asset.description": "Door; code: [removed]"}),
    "glpi_fr.csv": ("glpi_csv", FILE, 2, {
        "asset.name": "Caméra hall", "asset.organisation": "Exemples > Siège", "ip": "10.2.0.1",
        "mac": "44:19:b6:00:03:01", "asset.serial": "ACME9001X", "asset.tag": "INV-9001",
        "asset.location": "Site 1 > Bâtiment 1 > Étage 1 > Local 12", "asset.category": "Caméra"}),
    "glpi_en.csv": ("glpi_csv", FILE, 1, {"asset.serial": "ACME9003X", "asset.manufacturer": "Acme Cameras"}),
    "servicenow.csv": ("servicenow_csv", FILE, 1, {
        "asset.tag": "AST-5001", "asset.location": "East\nwing", "mac": "44:19:b6:00:04:01",
        "asset.category": "cmdb_ci_ip_camera", "asset.model": "AC-5"}),
    "intune.csv": ("intune_csv", FILE, 1, {"device.hostname": "PC-77", "asset.serial": "BSP77X1"}),
    "netbox_import.csv": ("netbox_csv", FILE, 1, {
        "asset.name": "cam-netbox-1", "asset.tag": "AST-7001", "asset.serial": "ACME7001X",
        "asset.model": "AC-7", "asset.category": "camera"}),
    "netbox_table.csv": ("netbox_csv", FILE, 1, {"ip": "10.4.0.2", "asset.model": "AC-7"}),
    "netbox_macs.csv": ("netbox_csv", FILE, 1, {"mac": "44:19:b6:00:07:03", "asset.name": "cam-netbox-3"}),
    "runzero_servicenow.csv": ("runzero_csv", SIGHTING, 1, {
        "ip": "10.5.0.1", "mac": "44:19:b6:00:08:01", "device.brand": "Acme Cameras",
        "device.model": "AC-8", "device.ip": "169.254.8.1", "device.id": "aa-11"}),
    "runzero_assets.csv": ("runzero_csv", SIGHTING, 1, {
        "ip": "10.5.0.2", "device.ip": "10.5.0.3", "device.hostname": "cam-rz"}),
    "sadp.csv": ("sadp_csv", SIGHTING, 1, {
        "ip": "10.0.0.5", "mac": "bc:5e:33:57:5a:98", "device.model": "DS-K1T671M-L",
        "device.firmware": "V3.2.30build 230531",
        "device.serial": "DS-K1T671M-L20230531V030230ENAA7715198"}),
    "sadp_short.csv": ("sadp_csv", SIGHTING, 1, {"device.model": "DS-2CD2042WD-I", "ip": "10.0.0.6"}),
    "sadp_open.csv": ("sadp_csv", SIGHTING, 1, {
        "device.channels_digital": "16", "mac": "bc:5e:33:57:5a:9a", "device.model": "DS-7616NI-K2"}),
    "ivms4200.csv": ("ivms_csv", FILE, 1, {"ip": "10.6.0.1", "asset.name": "Front door"}),
    "milestone.csv": ("milestone_csv", FILE, 1, {
        "ip": "10.7.0.1", "mac": "44:19:b6:00:07:01", "asset.vms_driver": "Acme ONVIF"}),
    "milestone_old.csv": ("milestone_csv", FILE, 1, {"ip": "10.7.0.2"}),
    "tkh.csv": ("tkh_csv", FILE, 1, {"ip": "10.8.0.1", "device.model": "AC-3", "device.serial": "ACME8001X"}),
    "genetec_fr.csv": ("asset_csv", FILE, 1, {
        "ip": "10.9.0.1", "mac": "44:19:b6:00:09:01", "asset.manufacturer": "Acmé",
        "asset.firmware": "1.2.3"}),
    "exacq.csv": ("exacq_csv", FILE, 1, {"asset.vms_driver": "AcmePI0x00350000", "ip": "10.10.0.1"}),
    "ise.csv": ("ise_csv", SIGHTING, 1, {"mac": "44:19:b6:00:11:01", "asset.category": "Acme-Camera"}),
    "netdisco_ports.csv": ("netdisco_csv", SIGHTING, 1, {
        "mac": "44:19:b6:00:12:01", "asset.switch": "10.0.0.254",
        "asset.switch_port": "GigabitEthernet1/0/7", "asset.vlan": "120"}),
    "netdisco_nodes.csv": ("netdisco_csv", SIGHTING, 1, {
        "ip": "10.12.0.1", "mac": "44:19:b6:00:12:02", "device.hostname": "cam-nd.example.org"}),
    "netalertx.csv": ("netalertx_csv", SIGHTING, 1, {
        "ip": "10.13.0.1", "mac": "44:19:b6:00:13:01", "device.hostname": "cam-nax", "asset.site": "HQ"}),
    "fedramp.csv": ("fedramp_csv", FILE, 1, {
        "asset.tag": "CAM-1", "ip": "10.14.0.1", "asset.manufacturer": "Acme", "asset.model": "AC-6",
        "asset.serial": "ACME1401X", "asset.vlan": "140", "device.hostname": "cam-1.example.gov"}),
    "windows_dhcp.csv": ("windows_dhcp_csv", SIGHTING, 1, {
        "ip": "10.15.0.1", "mac": "44:19:b6:00:15:01", "dhcp.hostname": "cam-win.example.org"}),
    "kea_leases.csv": ("kea_csv", SIGHTING, 1, {
        "ip": "10.16.0.1", "mac": "44:19:b6:00:16:01", "dhcp.hostname": "cam-kea"}),
    "kea_leases6.csv": ("kea_csv", SIGHTING, 1, {
        "ip": "2001:db8:16::5", "mac": "44:19:b6:00:16:61", "dhcp.hostname": "cam-kea6"}),
    "windows_dhcp_console.txt": ("windows_dhcp_csv", SIGHTING, 1, {
        "ip": "10.15.1.5", "mac": "44:19:b6:00:15:51", "dhcp.hostname": "cam1.example.org",
        "asset.description": "lobby"}),
    "liste_ministere.csv": ("asset_csv", FILE, 2, {
        "asset.tag": "M-001", "asset.manufacturer": "Acmé", "ip": "10.17.0.1",
        "mac": "44:19:b6:00:17:01", "asset.building": "Tour A", "asset.floor": "3",
        "asset.room": "312", "asset.acquired": "2019-06-15", "asset.owner_type": "landlord",
        "asset.funding": "Fonds d'immobilisation"}),
    "officer_list.tsv": ("asset_csv", FILE, 1, {
        "asset.name": "Lobby", "mac": "44:19:b6:00:18:01", "asset.serial": "ACME1801X",
        "asset.building": "B", "asset.acquired": "2021-07-08", "asset.owner_type": "landlord",
        "asset.contract": "C-17"}),
}  # fmt: skip


def read(name):
    options = Options("hq", MOMENT, name=name)
    return list(IMPORTER.read(io.BytesIO((SAMPLES / name).read_bytes()), options))


def facts(items):
    found = []
    for item in items:
        if isinstance(item, Block):
            found += item.attempts()
        elif isinstance(item, Attempt):
            found.append(item)
    return found


def said(attempt):
    ends = {"ip": attempt.endpoint.ip, "mac": attempt.endpoint.mac}
    seen = {o.field: o.value for o in reversed(attempt.observations)}
    return seen | {name: text for name, text in ends.items() if text}


def test_every_sample_is_expected():
    assert set(EXPECTED) == {path.name for path in SAMPLES.iterdir()}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_export_says_what_its_tool_meant(name):
    tool, origin, rows, expected = EXPECTED[name]
    items = read(name)
    found = facts(items)
    assert len(found) == rows
    assert not [item for item in items if isinstance(item, Rejected)]
    first = said(found[0])
    assert {field: first.get(field) for field in expected} == expected
    assert {(a.tool, a.origin) for a in found} == {(tool, origin)}


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_an_export_is_recognised_without_its_name(name):
    raw = (SAMPLES / name).read_bytes()
    assert IMPORTER.recognise(Sample("x", raw, len(raw))) >= 25


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_no_secret_of_an_export_gets_through(name):
    items = read(name)
    assert "Tr0ub4dor" not in repr(items)
    if b"Tr0ub4dor" in (SAMPLES / name).read_bytes():
        assert any(isinstance(item, Mapped) and item.dropped for item in items)


def test_a_machines_own_time_is_the_time_of_its_record():
    (found,) = facts(read("netalertx.csv"))
    assert found.started == datetime(2026, 2, 2, 2, 2, 2, tzinfo=UTC)
    (found,) = facts(read("runzero_assets.csv"))
    assert found.started == datetime(2022, 12, 25, 22, 41, 58, tzinfo=UTC)


def test_two_network_cards_are_one_device():
    (found,) = facts(read("runzero_assets.csv"))
    assert found.endpoint.mac == "44:19:b6:00:08:02"
    assert "44:19:b6:00:08:03" in [o.value for o in found.observations if o.field == "mac"]


@pytest.mark.parametrize("name", ["glpi_fr.csv", "sadp.csv", "liste_ministere.csv"])
def test_an_export_may_be_cut_anywhere(name):
    raw = (SAMPLES / name).read_bytes()
    from auditor.errors import DataError

    whole = len(facts(read(name)))
    for cut in range(len(raw)):
        options = Options("hq", MOMENT, name=name)
        try:
            items = list(IMPORTER.read(io.BytesIO(raw[:cut]), options))
        except DataError:
            continue
        assert len(facts(items)) <= whole
        assert "Tr0ub4dor" not in repr(items)
