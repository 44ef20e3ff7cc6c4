"""Which rows of lists are one device: many sites in one list, one address for many, shared tags."""

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.identify.correlate import correlate
from auditor.identify.identify import identify
from auditor.model.observation import Origin
from tests.identify.made_up import Writer

A, B, C = "00:aa:00:00:00:01", "00:aa:00:00:00:02", "00:aa:02:00:00:03"
IP = "192.168.1.64"
CODES = ("shared_tag",)


def devices(writer):
    return correlate(writer.rows)


def named(writer):
    """Give what lists call each device, and whether it was heard."""
    return sorted(
        (sorted({s.observation.value for s in d.sightings if s.observation.field == "asset.name"}),
         "scan" in d.sources)
        for d in devices(writer)
    )  # fmt: skip


def row(writer, name="", maker="", site="", ip=IP, model="", tag="", serial="", **more):
    said = {"asset.name": name, "asset.manufacturer": maker, "asset.site": site,
            "asset.model": model, "asset.tag": tag, "asset.serial": serial}  # fmt: skip
    return writer.listed(*((f, v) for f, v in said.items() if v), ip=ip, **more)


# ---------------------------------------------------------------- sites of a list's own


def test_one_address_at_four_sites_of_a_list_is_four_devices():
    writer = Writer()
    for site, maker in (
        ("North", "Acme"),
        ("East", "Acme"),
        ("South", "Initech"),
        ("West", "Acme"),
    ):
        row(writer, "Lobby", maker, site)
    assert [d.recorded("asset.manufacturer") for d in devices(writer)].count("Acme") == 3
    assert len(devices(writer)) == 4
    assert {d.site for d in devices(writer)} == {"hq"}


def test_the_same_list_of_many_sites_next_month_is_the_same_devices():
    writer = Writer()
    for hours, run in ((0, "march"), (30 * 24, "april")):
        for site in ("North", "East", "South"):
            row(writer, "Lobby", "Acme", site, hours=hours, run=run)
    assert len(devices(writer)) == 3


def test_a_column_of_sites_that_names_only_a_building_meets_the_wire():
    writer = Writer().arp(IP, A)
    row(writer, "Lobby", "Acme", "Annex")
    (device,) = devices(writer)
    assert device.recorded("asset.site") == "Annex"


def test_of_many_sites_the_one_that_was_scanned_meets_the_wire():
    writer = Writer(site="North").arp(IP, A)
    row(writer, "Dock", "Initech", "East")
    row(writer, "Lobby", "Acme", "north")
    assert named(writer) == [(["Dock"], False), (["Lobby"], True)]


def test_in_a_list_that_names_its_own_site_another_place_is_another_site():
    writer = Writer(site="North").arp(IP, A)
    row(writer, "Gate", "Acme", "North", ip="10.0.0.9")
    row(writer, "Dock", "Initech", "East")
    assert named(writer) == [([], True), (["Dock"], False), (["Gate"], False)]


def test_what_was_heard_at_the_address_of_many_sites_is_none_of_them():
    writer = Writer().arp(IP, A).http(IP, "AcmeWeb/1")
    row(writer, "Dock", "Initech", "East")
    row(writer, "Lobby", "Acme", "South")
    assert named(writer) == [([], True), (["Dock"], False), (["Lobby"], False)]


def test_a_host_name_that_two_sites_of_a_list_use_joins_nobody():
    writer = Writer()
    for site, run in (("North", "one"), ("East", "one"), ("East", "two")):
        writer.listed(("asset.site", site), ("device.hostname", "cam1"), run=run)
    assert len(devices(writer)) == 3  # one run saw the name at two devices: it is nobody's
    writer = Writer()
    for site, run in (("North", "one"), ("East", "two"), ("East", "three")):
        writer.listed(("asset.site", site), ("device.hostname", "cam1"), run=run)
    assert len(devices(writer)) == 2


# ---------------------------------------------------------------- several rows at one address


def test_rows_of_one_list_that_differ_are_devices_of_their_own_though_they_share_an_address():
    writer = Writer()
    row(writer, "Lobby", "Acme", model="AC-1234")
    row(writer, "Gate", "Acme", model="AC-1234")
    row(writer, "Dock", "Initech")
    assert named(writer) == [(["Dock"], False), (["Gate"], False), (["Lobby"], False)]


@pytest.mark.parametrize("what", ["name", "model", "maker", "tag", "serial"])
def test_any_difference_between_two_rows_of_one_list_counts(what):
    writer = Writer()
    row(writer, **{what: "SN-11111"})
    row(writer, **{what: "SN-22222"})
    assert len(devices(writer)) == 2


def test_cameras_that_are_called_by_numbers_are_told_apart():
    writer = Writer()
    for name in ("1", "2", "11", "B"):
        row(writer, name, "Acme")
    row(writer, "1", "Acme", model="-")
    assert len(devices(writer)) == 4


def test_rows_that_only_say_more_of_the_same_thing_are_one_device():
    writer = Writer()
    row(writer, "Lobby", "Acme")
    row(writer, "Lobby", "Acme Cameras Ltd.", model="AC-1234")
    writer.listed(("asset.notes", "repaired"), ip=IP)
    assert len(devices(writer)) == 1


def test_two_lists_that_name_one_address_differently_are_still_joined_with_the_wire():
    writer = Writer().arp(IP, A)
    row(writer, "Lobby", "Acme", run="register")
    row(writer, "Camera 4", run="video")
    assert len(devices(writer)) == 1


def test_the_mended_list_finds_its_device_on_the_wire():
    writer = Writer().arp(IP, A)
    row(writer, "Lobby", "Acme", run="old")
    row(writer, "Gate", "Acme", run="old")
    assert len(devices(writer)) == 3
    row(writer, "Gate", "Acme", run="new", hours=2)
    assert named(writer) == [(["Gate"], True), (["Lobby"], False)]


def test_a_row_that_shares_a_mac_with_the_wire_is_it_whoever_else_has_the_address():
    writer = Writer().arp(IP, A).http(IP, "AcmeWeb/1")
    row(writer, "Lobby", "Acme", mac=A)
    row(writer, "Gate", "Acme")
    assert named(writer) == [(["Gate"], False), (["Lobby"], True)]


def test_a_device_that_moved_does_not_draw_two_rows_of_one_list_together():
    writer = Writer().arp("10.0.0.1", A).arp("10.0.0.2", A, hours=1)
    row(writer, "Lobby", ip="10.0.0.1")
    row(writer, "Gate", ip="10.0.0.2")
    assert len(devices(writer)) == 2


def test_a_hundred_rows_at_one_address_are_a_hundred_devices():
    writer = Writer()
    for number in range(100):
        row(writer, f"Camera {number}")
    assert len(devices(writer)) == 100
    assert len({d.id for d in devices(writer)}) == 100


# ---------------------------------------------------------------- tags


def lot(writer=None):
    writer = writer or Writer()
    for number in range(1, 5):
        row(writer, maker="Acme", tag="LOT-1", serial=f"AC2019091012345{number}",
            ip=f"10.0.0.{number}", mac=f"00:aa:00:00:01:0{number}")  # fmt: skip
    return writer


def test_a_lot_number_in_the_column_of_tags_swallows_nobody(known):
    found = devices(lot())
    assert [len(d.macs) for d in found] == [1, 1, 1, 1]
    for device in found:
        assert tuple(c.code for c in identify(device, known).contradictions) == CODES


def test_two_lists_that_count_their_tags_alike_are_not_mixed():
    writer = Writer()
    row(writer, maker="Initech", tag="12", serial="SN-11111", mac=C, ip="10.0.0.1", run="one")
    row(writer, maker="Acme", tag="12", serial="SN-22222", mac=A, ip="10.0.1.1", run="two")
    assert len(devices(writer)) == 2


@pytest.mark.parametrize(
    ("one", "other", "count"),
    [
        ({"maker": "Acme"}, {"maker": "Initech"}, 2),
        ({"maker": "Acme"}, {"maker": "ACME Cameras Ltd."}, 1),
        ({"maker": "Acme"}, {"maker": "愛克美"}, 1),
        ({"maker": "Acme"}, {"maker": "Unknown"}, 1),
        ({"site": "North"}, {"site": "East"}, 2),
        ({"serial": "SN-11111"}, {"serial": "SN-22222"}, 2),
        ({"serial": "SN-11111"}, {"maker": "Acme"}, 1),
        ({"mac": A}, {"mac": B}, 2),
        ({"mac": A, "serial": "SN-11111"}, {"mac": B, "serial": "SN-11111"}, 1),
        ({"name": "Lobby"}, {"name": "Hall"}, 1),
        ({"name": "Lobby", "run": "r"}, {"name": "Hall", "run": "r"}, 2),
        ({"ip": "10.0.0.1", "run": "r"}, {"ip": "10.0.0.2", "run": "r", "maker": "Acme"}, 2),
        ({"ip": "10.0.0.1"}, {"ip": "10.0.0.2", "maker": "Acme"}, 1),
    ],
)
def test_what_two_rows_with_one_tag_are(one, other, count):
    writer = Writer()
    row(writer, **{"run": "one", "ip": None, "tag": "T1", "maker": "Acme"} | one)
    row(writer, **{"run": "two", "ip": None, "tag": "T1", "maker": ""} | other)
    assert len(devices(writer)) == count


def test_an_officer_who_finds_a_tag_on_another_device_speaks_of_the_one_in_the_list():
    writer = Writer()
    row(writer, maker="Acme", tag="T1", serial="SN-11111", ip=None)
    writer.row("walkdown_csv", None, None, ("asset.tag", "T1"), ("asset.serial", "SN-22222"),
               ("asset.manufacturer", "Initech"), origin=Origin.OFFICER, transport="file",
               run="walk")  # fmt: skip
    assert len(devices(writer)) == 1


def test_a_row_that_fits_two_bearers_of_a_tag_is_neither():
    writer = lot()
    writer.listed(("asset.tag", "LOT-1"), ("asset.owner", "Parks"), run="another")
    assert len(devices(writer)) == 5


def test_a_tag_that_more_than_a_few_bear_is_no_key():
    writer = Writer()
    for number in range(400):
        row(writer, f"Camera {number}", tag="MISC", ip=None)
    found = devices(writer)
    assert len(found) == len({d.id for d in found}) == 400


def test_a_short_serial_of_two_makers_joins_only_those_of_one_maker():
    writer = Writer()
    row(writer, maker="Acme", serial="12345", ip=None, run="one")
    row(writer, maker="Initech", serial="12345", ip=None, run="two")
    row(writer, maker="Acme", serial="12345", ip=None, run="three")
    assert len(devices(writer)) == 2


@given(seed=st.integers(0, 10_000))
def test_lists_taken_in_another_order_are_the_same_devices(seed):
    dice = random.Random(seed)
    writer = lot(Writer().arp(IP, A).http(IP, "AcmeWeb/1"))
    for number in range(8):
        row(writer, dice.choice(["", "Lobby", "Gate"]), dice.choice(["", "Acme", "Initech"]),
            dice.choice(["", "North", "East"]), dice.choice([IP, None]), tag=dice.choice(["", "T1"]),
            run=dice.choice(["one", "two"]), hours=number, detail=f"list.csv:{number}")  # fmt: skip
    shuffled = list(writer.rows)
    dice.shuffle(shuffled)
    renumbered = [replace(r, seq=at) for at, r in enumerate(shuffled, 1)]
    one, other = correlate(writer.rows), correlate(renumbered)
    assert sorted(d.id for d in one) == sorted(d.id for d in other)
    assert len({d.id for d in one}) == len(one)


# ---------------------------------------------------------------- rows without any key


FIELDS = ("name", "manufacturer", "location")
MONTHS = {"one": 0, "two": 1, "three": 2, "four": 3}


def bare(writer, *rows, run="one", file="list.csv", fields=FIELDS):
    for line, values in enumerate(rows, 2):
        seen = [(f"asset.{f}", v) for f, v in zip(fields, values, strict=True) if f and v]
        writer.listed(*seen, run=run, detail=f"{file}:{line}", hours=MONTHS[run])
    return writer


LOBBY, GATE, DOCK = ("Lobby", "Acme", "L1"), ("Gate", "Acme", "L2"), ("Dock", "Initech", "L3")


@pytest.mark.parametrize("file", ["list.csv", "copy.csv"])
def test_a_list_without_keys_that_comes_again_is_the_same_devices(file):
    writer = bare(Writer(), LOBBY, GATE)
    ids = {d.id for d in devices(writer)}
    bare(writer, LOBBY, GATE, run="two", file=file)
    assert {d.id for d in devices(writer)} == ids
    bare(writer, DOCK, LOBBY, GATE, run="three", file=file)
    assert len(devices(writer)) == 3
    assert {d.id for d in devices(writer)} > ids
    (device,) = [d for d in devices(writer) if d.recorded("asset.name") == "Lobby"]
    assert [(link.key, link.value) for link in device.links] == [
        ("same_row", "asset_csv list.csv:2")
    ]


def test_equal_rows_are_as_many_devices_as_one_list_has_of_them():
    writer = bare(Writer(), LOBBY, LOBBY, LOBBY)
    assert len(devices(writer)) == 3
    assert len(devices(bare(writer, LOBBY, LOBBY, LOBBY, run="two"))) == 3
    assert len(devices(bare(writer, LOBBY, LOBBY, run="three"))) == 3
    assert len(devices(bare(writer, *[LOBBY] * 5, run="four"))) == 5


def test_rows_that_hold_only_a_maker_are_not_those_of_another_file():
    rows = [("", "Acme", ""), ("", "Acme", "")]
    writer = bare(bare(Writer(), *rows), *rows, run="two", file="other.csv")
    assert len(devices(writer)) == 4
    assert len(devices(bare(writer, *rows, run="three"))) == 4


def test_a_list_that_is_read_anew_with_more_columns_is_the_same_devices():
    writer = bare(Writer(), LOBBY, GATE, fields=("name", "", "location"))
    bare(writer, LOBBY, GATE, run="two")
    bare(writer, LOBBY, GATE, run="three", fields=("name", "brand", "room"))
    assert len(devices(writer)) == 2


def test_another_camera_on_the_line_of_a_list_is_another_device():
    writer = bare(Writer(), LOBBY, GATE)
    bare(writer, ("Lobby", "Initech", "L1"), GATE, run="two")
    assert len(devices(writer)) == 3


def test_rows_without_keys_at_two_sites_stay_apart():
    writer = bare(Writer(), LOBBY)
    writer.listed(*[(f"asset.{f}", v) for f, v in zip(("name", "manufacturer", "location"), LOBBY,
                    strict=True)], site="branch", run="two")  # fmt: skip
    assert len(devices(writer)) == 2
