"""A list of an officer may have the headings of a machine's export: it is still the officer's."""

import io
from datetime import UTC, datetime

import pytest

from auditor.importers.asset_csv import IMPORTER
from auditor.model.block import Block
from auditor.model.observation import Attempt, Origin
from auditor.plugins import Options

MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)
REGISTER = (
    "Asset Tag,Device Type,Manufacturer,Model,IPv4 Address,MAC Address,Device Serial Number\n"
    "F1,IP Camera,Acme,AC-1,10.60.0.1,,ACC1122\n"
)
PLAIN = (
    "Device Type,Status,IPv4 Address,MAC Address,Device Serial Number\n"
    "IP Camera,Active,10.60.0.1,02:00:5e:00:00:01,ACC1122\n"
)
DISCOVERED = (
    "Device Type,Status,IPv4 Address,MAC Address,Device Serial Number\n"
    "AC-2143,Active,10.60.0.1,44:19:b6:00:60:01,AC-214320190422AAWRD12345678\n"
)
DISCOVERED_FR = (
    "Type d'appareil;État;Adresse IPv4;Adresse MAC;Numéro de série de l'appareil\n"
    "AC-2143;Actif;10.60.0.1;44:19:b6:00:60:01;AC-214320190422AAWRD12345678\n"
)
WHOLE = (
    "Index,Device Type,Status,IPv4 Address,Port,IPv4 Gateway,HTTP Port,Device Serial Number,MAC Address\n"
    "001,AC-2143,Inactive,10.60.0.1,8000,10.60.0.254,80,,44:19:b6:00:60:01\n"
)


def first(text, **said):
    found = IMPORTER.read(io.BytesIO(text.encode()), Options("hq", MOMENT, name="f", **said))
    facts = [item for item in found if isinstance(item, Attempt | Block)]
    (fact,) = facts[0].attempts() if isinstance(facts[0], Block) else facts
    return fact, {o.field: o.value for o in fact.observations}


@pytest.mark.parametrize("text", [REGISTER, PLAIN, REGISTER.replace("Acme,AC-1", ",")])
def test_a_register_with_a_machines_headings_is_a_record_and_no_sighting(text):
    fact, said = first(text)
    assert (fact.tool, fact.origin) == ("asset_csv", Origin.FILE)
    assert said["asset.category"] == "IP Camera"
    assert said["asset.serial"] == "ACC1122"
    assert "device.model" not in said


def test_a_machines_columns_beside_a_registers_make_it_no_export():
    head, row, _ = WHOLE.split("\n")
    fact, _ = first(f"{head},Asset Tag\n{row},T1\n")
    assert (fact.tool, fact.origin) == ("asset_csv", Origin.FILE)


@pytest.mark.parametrize("text", [DISCOVERED, DISCOVERED_FR, WHOLE])
def test_what_a_discovery_tool_wrote_is_a_sighting(text):
    fact, said = first(text)
    assert (fact.tool, fact.origin) == ("sadp_csv", Origin.SIGHTING)
    assert said["device.model"] == "AC-2143"


def test_who_says_what_a_list_is_has_the_last_word():
    fact, said = first(PLAIN, kind="sadp_csv")
    assert (fact.tool, said["device.model"]) == ("sadp_csv", "IP Camera")
