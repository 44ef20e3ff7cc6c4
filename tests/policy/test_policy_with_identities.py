"""The line from observations to verdicts with the shipped knowledge: who made it, and so what."""

import pytest

from auditor import wiring
from auditor.audit import relations_of
from auditor.identify.identify import of_observations
from auditor.model.observation import Observation
from auditor.policy.ties import relation_to

GC, QC, B = "ca-gc-hikvision-2025", "ca-qc-mcn-2023", "us-ndaa-889a1B"
BLOCK = Observation("mac", "44:19:b6:11:22:33")
SADP = (
    "<ProbeMatch><Types>inquiry</Types><DeviceDescription>{}</DeviceDescription>"
    "<MAC>44-19-b6-11-22-33</MAC><IPv4Address>192.0.2.5</IPv4Address></ProbeMatch>"
)


@pytest.fixture(scope="module")
def knowledge():
    return wiring.knowledge()


def judged(world, knowledge, pack, *observations, **records):
    from dataclasses import replace

    identity = of_observations(observations, knowledge)
    one = replace(world.device("x", **records), identity=identity)
    return world.verdict(one, pack, relations=relations_of(knowledge))


@pytest.mark.parametrize(("model", "federal", "quebec"), [
    pytest.param("DS-2CD2143G2-I", "nonconforming", "nonconforming", id="its-own-camera"),
    pytest.param("IPC-T221H", "nonconforming", "nonconforming", id="sold-under-its-own-trade-name"),
])  # fmt: skip
def test_a_device_that_answers_its_makers_protocol(world, knowledge, model, federal, quebec):
    reply = Observation("sadp.reply", SADP.format(model))
    assert judged(world, knowledge, GC, reply, BLOCK) == federal
    assert judged(world, knowledge, QC, reply, BLOCK, acquired="2024-01-05") == quebec


def test_a_silent_device_in_the_makers_block_is_reviewed_everywhere(world, knowledge):
    for pack in (GC, QC, B):
        assert judged(world, knowledge, pack, BLOCK) == "review"


def test_a_list_that_says_honeywell_does_not_hide_what_answers(world, knowledge):
    reply = Observation("sadp.reply", SADP.format("DS-2CD2143G2-I"))
    listed = Observation("asset.manufacturer", "Honeywell")
    assert judged(world, knowledge, GC, reply, BLOCK, listed) == "nonconforming"


def test_an_innocent_camera_is_cleared_by_name(world, knowledge):
    realm = Observation("http.wwwauth", 'Digest realm="AXIS_ACCC8ED78C7B", nonce="0"')
    for pack in (GC, QC, B):
        assert judged(world, knowledge, pack, realm, Observation("mac", "ac:cc:8e:d7:8c:7b")) in {
            "conforming", "not_applicable",
        }  # fmt: skip


def test_a_bare_web_server_is_nobodys(world, knowledge):
    server = Observation("http.server", "webserver")
    assert judged(world, knowledge, GC, server) == "undetermined"


@pytest.mark.parametrize(
    "name", ["Hikvision", "Dahua", "Huawei", "ZTE", "Hytera", "Uniview", "TP-Link"]
)
def test_packs_and_entities_call_a_maker_by_the_same_name(world, knowledge, name):
    assert name in relations_of(knowledge)
    assert any(name == entity.name for pack in world.packs.values() for entity in pack.raw.entity)


@pytest.mark.parametrize(("name", "kinds"), [
    ("EZVIZ", ("subsidiary",)), ("HiLook", ("listed",)), ("HiWatch", ("listed",)),
    ("Prama", ("affiliate",)), ("LTS", ("oem_rebrand",)), ("Axis", None),
])  # fmt: skip
def test_the_table_of_makers_reads_as_packs_need_it(knowledge, name, kinds):
    found = relation_to(name, ["Hikvision"], relations_of(knowledge), None)
    assert (found and found[1]) == kinds


def test_a_brand_of_seller_and_maker_is_probable_at_most(world, knowledge):
    title = Observation("asset.manufacturer", "LTS")
    assert judged(world, knowledge, GC, title) == "review"
