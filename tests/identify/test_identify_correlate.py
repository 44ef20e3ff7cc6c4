"""Which ledger rows are one device: by which key, with which weight, and what undoes it."""

import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.identify.correlate import correlate, group
from auditor.identify.identify import identify
from auditor.identify.keys import WEIGHTS, hostname_key, serial_key
from auditor.model.decision import Decision, DecisionKind
from auditor.model.observation import Origin, Outcome
from tests.identify.made_up import START, Writer

A, B, C = "00:aa:00:00:00:01", "00:aa:00:00:00:02", "00:aa:02:00:00:03"
CAPTURES = Path(__file__).parent.parent / "captures"
SERIAL, OTHER_SERIAL = ("device.serial", "AC20190910123456"), ("device.serial", "AC20200101999999")


def devices(writer, *decisions):
    return correlate(writer.rows, decisions)


def keys(device):
    return [link.key for link in device.links]


def decide(kind, number, *subject, values=(), withdraws=None, site="hq"):
    return Decision(
        id=f"d{number}",
        kind=kind,
        by="an officer",
        at=START + timedelta(days=number),
        reason="seen on site",
        subject=(("site", site), *subject),
        values=tuple(values),
        withdraws=withdraws,
    )


def test_what_answers_at_an_address_is_the_holder_of_the_address():
    (device,) = devices(Writer().arp("10.0.0.1", A).http("10.0.0.1"))
    assert (device.ips, device.macs) == (("10.0.0.1",), (A,))
    assert [s.observation.field for s in device.sightings] == ["mac", "http.server"]
    (link,) = device.links
    assert (link.key, link.weight) == ("ip_in_window", 60)
    assert link.because


def test_the_same_addresses_at_two_sites_are_two_devices():
    writer = Writer().arp("10.0.0.1", A).arp("10.0.0.1", A, site="branch")
    assert [d.site for d in devices(writer)] == ["branch", "hq"]


def test_a_device_that_moves_by_dhcp_stays_one():
    writer = Writer().arp("10.0.0.1", A).arp("10.0.0.9", A, hours=30, run="r2")
    (device,) = devices(writer)
    assert device.ips == ("10.0.0.9", "10.0.0.1")
    assert keys(device) == ["mac"]


def test_an_address_that_changes_hands_keeps_its_holders_apart():
    writer = Writer().arp("10.0.0.1", A).http("10.0.0.1", "one")
    writer.arp("10.0.0.1", C, hours=48, run="r2").http("10.0.0.1", "two", hours=48, run="r2")
    one, other = sorted(devices(writer), key=lambda d: d.first_seen)
    assert [s.observation.value for s in one.sightings] == [A, "one"]
    assert [s.observation.value for s in other.sightings] == [C, "two"]


def test_two_interfaces_with_one_serial_are_one_device():
    writer = Writer().row("sadp", "10.0.0.1", A, SERIAL).row("sadp", "10.0.0.2", B, SERIAL)
    (device,) = devices(writer)
    assert device.macs == (A, B)
    assert keys(device) == ["serial"]


def test_two_devices_with_different_serials_stay_apart_at_one_address():
    writer = Writer().row("sadp", "10.0.0.1", None, SERIAL)
    writer.row("sadp", "10.0.0.1", None, OTHER_SERIAL, hours=1)
    assert len(devices(writer)) == 2


def test_a_label_that_shows_the_end_of_the_serial_is_no_contradiction():
    writer = Writer().row("sadp", "10.0.0.1", A, ("device.serial", "AC-1234AAWR123456789"))
    writer.listed(("asset.serial", "123456789"), ("asset.tag", "T1"), ip="10.0.0.1")
    (device,) = devices(writer)
    assert device.sources == ("asset_csv", "scan")


def test_the_books_meet_the_wire_at_the_address():
    writer = Writer().arp("10.0.0.1", A)
    writer.listed(("asset.tag", "T1"), ("asset.owner", "Parks"), ip="10.0.0.1")
    (device,) = devices(writer)
    assert device.recorded("asset.owner") == "Parks"
    assert device.on_wire


def test_the_books_with_another_mac_are_another_device():
    writer = Writer().arp("10.0.0.1", A)
    writer.listed(("asset.tag", "T1"), ip="10.0.0.1", mac=C)
    assert len(devices(writer)) == 2


def test_a_device_only_in_the_books_is_not_on_the_wire():
    (device,) = devices(Writer().listed(("asset.tag", "T1"), ("asset.serial", "SN-12345")))
    assert not device.on_wire
    assert device.ips == device.macs == ()


@pytest.mark.parametrize(
    ("field", "value", "key"),
    [("asset.tag", "T-100", "asset_tag"), ("device.id", "uuid-1", "sadp_id"),
     ("asset.serial", "SN-12345", "serial")],
)  # fmt: skip
def test_strong_keys_join_across_sources(field, value, key):
    writer = Writer().listed((field, value)).row("sadp", "10.0.0.1", A, (field, value))
    (device,) = devices(writer)
    assert keys(device) == [key]
    assert device.links[0].weight == WEIGHTS[key][0]


def test_an_address_alone_survives_a_monthly_scan_and_not_a_year():
    writer = Writer().http("10.0.0.1").http("10.0.0.1", hours=31 * 24, run="r2")
    assert len(devices(writer)) == 1
    assert len(devices(Writer().http("10.0.0.1").http("10.0.0.1", hours=365 * 24, run="r2"))) == 2


def test_a_randomised_mac_does_not_churn():
    writer = Writer()
    for night in range(5):
        mac = f"02:00:00:00:00:{night:02x}"
        writer.arp("10.0.0.7", mac, hours=24 * night, run=f"r{night}")
    (device,) = devices(writer)
    assert len(device.macs) == 5


def test_a_randomised_mac_follows_its_host_name():
    writer = Writer()
    for night in range(3):
        seen = ("dhcp.hostname", "Pixel-7.example.org")
        writer.row("dhcp", f"10.0.0.{night + 1}", f"02:00:00:00:00:{night:02x}", seen,
                   hours=24 * night, run=f"r{night}", transport="link")  # fmt: skip
    (device,) = devices(writer)
    assert device.hostnames == ("pixel-7",)
    assert "hostname" in keys(device)


def test_a_default_host_name_joins_nobody():
    writer = Writer()
    for number in range(3):
        seen = ("dhcp.hostname", "front-desk")
        writer.row("dhcp", f"10.0.0.{number}", f"02:00:00:00:00:{number:02x}", seen)
    assert len(devices(writer)) == 3


@pytest.mark.parametrize("mac", [C, "52:54:00:00:00:01"], ids=["registered", "local"])
def test_a_router_that_answers_for_a_range_is_one_device(mac):
    writer = Writer()
    for number in range(1, 255):
        writer.arp(f"10.9.0.{number}", mac)
    (device,) = devices(writer)
    assert device.ips == ("10.9.0.1",)
    (proxy,) = [link for link in device.links if link.key == "proxy_arp"]
    assert proxy.value == "10.9.0.1-10.9.0.254"


@pytest.mark.parametrize("mac", [C, "52:54:00:00:00:01"], ids=["registered", "local"])
def test_what_answers_behind_such_a_router_is_a_device_of_its_own_without_its_mac(known, mac):
    writer = Writer()
    for number in range(1, 20):
        writer.arp(f"10.9.0.{number}", mac)
    writer.http("10.9.0.5", "AcmeWeb/1").row("http", "10.9.0.6", mac, ("http.server", "AcmeWeb/1"))
    router, *behind = devices(writer)
    assert router.macs == (mac,)
    assert [d.ips for d in behind] == [("10.9.0.5",), ("10.9.0.6",)]
    for device in behind:
        assert device.macs == ()
        found = identify(device, known)
        assert found.maker.value == "Acme"
        assert not found.contradictions


@pytest.mark.parametrize("outcome", [Outcome.ANSWERED, Outcome.REFUSED])
def test_addresses_that_connections_found_behind_one_mac_are_not_one_device(outcome):
    writer = Writer()
    for number in range(1, 11):
        writer.row("connect", f"10.9.0.{number}", C, ("mac", C), port=80, outcome=outcome)
    found = devices(writer)
    assert [d.ips for d in found] == [(f"10.9.0.{number}",) for number in range(1, 11)]
    assert all(d.macs == () for d in found)


def test_the_few_hosts_behind_what_a_sweep_called_a_router_are_devices_of_their_own():
    note = "asked=10.9.0.1-10.9.0.60; proxy=10.9.0.1-10.9.0.60; router=" + C
    writer = Writer().row("arp", None, C, ("mac", C), transport="arp", detail=note,
                          outcome=Outcome.GARBLED)  # fmt: skip
    for number in (61, 62):
        writer.arp(f"10.9.0.{number}", C).http(f"10.9.0.{number}")
    found = devices(writer)
    assert [(d.ips, d.macs) for d in found if len(d.sightings) and not d.macs] == [
        (("10.9.0.61",), ()),
        (("10.9.0.62",), ()),
    ]


def test_a_history_of_leases_makes_no_router_of_a_laptop():
    writer = Writer()
    for number in range(1, 30):
        writer.row("dhcp_leases", f"10.0.0.{number}", A, run="leases", transport="file",
                   origin=Origin.FILE)  # fmt: skip
    (device,) = devices(writer)
    assert len(device.ips) == 29
    assert keys(device) == ["mac"]


@pytest.mark.parametrize("field", ["asset.tag", "asset.serial", "device.id", "onvif.endpoint"])
def test_an_identifier_at_many_addresses_of_one_list_is_no_key(field):
    writer = Writer()
    for number in range(1, 30):
        seen = (field, "5f5a69c2-e0ae-504f-829b-00afab5b9a3d")
        writer.row("xlsx", f"10.0.0.{number}", None, seen, origin=Origin.FILE, transport="file")
    assert len(devices(writer)) == 29


def test_a_serial_that_everybody_has_is_no_key():
    writer = Writer()
    for number in range(6):
        writer.row("sadp", f"10.0.0.{number}", f"00:aa:00:00:01:{number:02x}",
                   ("device.serial", "0123456789"))  # fmt: skip
    assert len(devices(writer)) == 6


def test_a_mac_pasted_over_a_whole_column_is_no_key():
    writer = Writer()
    for number in range(6):
        writer.listed(("asset.serial", f"SN-1000{number}"), ("asset.tag", f"T{number}"), mac=A)
    assert len(devices(writer)) == 6


def test_silence_is_no_device_and_belongs_to_the_device_that_was_asked():
    writer = Writer().arp("10.0.0.1", A)
    writer.row("rtsp", "10.0.0.1", outcome=Outcome.SILENT, port=554)
    writer.row("rtsp", "10.0.0.2", outcome=Outcome.SILENT, port=554)
    (device,) = devices(writer)
    assert [(a.tool, a.outcome) for a in device.asked] == [
        ("arp", Outcome.ANSWERED),
        ("rtsp", Outcome.SILENT),
    ]


def test_an_answer_is_not_undone_by_a_later_silence():
    writer = Writer().http("10.0.0.1")
    writer.row("http", "10.0.0.1", outcome=Outcome.SILENT, port=80, hours=2, run="r2")
    (device,) = devices(writer)
    assert [a.outcome for a in device.asked] == [Outcome.ANSWERED]


def test_the_summary_of_a_sweep_is_no_device():
    assert devices(Writer().row("arp", outcome=Outcome.SILENT, transport="arp")) == ()


def test_a_refusal_is_somebody():
    (device,) = devices(Writer().row("http", "10.0.0.1", outcome=Outcome.REFUSED, port=80))
    assert device.ips == ("10.0.0.1",)


def test_what_was_seen_before_the_conversation_broke_off_counts():
    writer = Writer().row("http", "10.0.0.1", None, ("http.server", "x"), outcome=Outcome.CRASHED)
    assert len(devices(writer)) == 1


def test_the_same_thing_seen_a_hundred_times_is_kept_twice():
    writer = Writer()
    for hour in range(100):
        writer.http("10.0.0.1", hours=hour, run=f"r{hour}")
    (device,) = devices(writer)
    first, last = device.sightings
    assert (first.seen, last.seen) == (device.first_seen, device.last_seen)


def test_the_serial_in_a_discovery_reply_joins_two_interfaces():
    reply = (CAPTURES / "sadp_camera.xml").read_text("utf-8")
    writer = Writer().row("sadp", "10.0.0.1", A, ("sadp.reply", reply))
    writer.row("sadp", "10.0.0.2", B, ("sadp.reply", reply), hours=1)
    (device,) = devices(writer)
    assert device.macs == (B, A)
    notice = (CAPTURES / "dhip_camera.bin").read_bytes().decode("utf-8", "backslashreplace")
    writer = Writer().row("dhip", "10.0.0.1", A, ("dhip.reply", notice))
    assert len(devices(writer.row("dhip", "10.0.0.2", B, ("dhip.reply", notice)))) == 1


def test_the_label_of_the_books_is_the_end_of_the_serial_on_the_wire():
    writer = Writer().row("sadp", "10.0.0.1", A, ("device.serial", "AC-1234AAWR123456789"))
    writer.listed(("asset.serial", "123456789"), ("asset.tag", "T1"))
    (device,) = devices(writer)
    assert keys(device) == ["serial_end"]
    other = Writer().row("sadp", "10.0.0.1", A, ("device.serial", "AC-1234AAWR123456789"))
    other.row("sadp", "10.0.0.2", B, ("device.serial", "AR-9999CCWR123456789"))
    assert len(devices(other)) == 2


ENDPOINT = ("onvif.endpoint", "urn:uuid:5f5a69c2-e0ae-504f-829b-00AFAB5B9A3D")


def test_a_discovery_identifier_follows_a_device_whose_mac_nobody_saw():
    writer = Writer().row("onvif", "10.0.0.1", None, ENDPOINT)
    writer.row("onvif", "10.0.0.8", None, ENDPOINT, hours=50 * 24, run="r2")
    (device,) = devices(writer)
    assert keys(device) == ["discovery_id"]


def test_clones_that_ship_with_one_identifier_stay_apart():
    writer = Writer().row("onvif", "10.0.0.1", A, ENDPOINT).row("onvif", "10.0.0.2", B, ENDPOINT)
    assert len(devices(writer)) == 2
    default = ("ssdp.usn", "uuid:00000000-0000-0000-0000-000000000001")
    writer = Writer().row("ssdp", "10.0.0.1", None, default).row("ssdp", "10.0.0.2", None, default)
    assert len(devices(writer)) == 2


# ---------------------------------------------------------------- decisions


def mixed_up():
    return Writer().arp("10.0.0.1", A).arp("10.0.0.2", B).http("10.0.0.2", "AcmeWeb/1")


def test_a_decision_merges_what_no_key_joins():
    merge = decide(DecisionKind.MERGE, 1, ("mac", A), ("mac", B.upper()))
    (device,) = devices(mixed_up(), merge)
    assert device.macs == (A, B)
    assert device.links[0].weight == 100


@pytest.mark.parametrize(
    "undo",
    [
        decide(DecisionKind.SPLIT, 2, ("mac", A), ("mac", B)),
        decide(DecisionKind.SPLIT, 2, ("mac", A), values=(("mac", B),)),
        decide(DecisionKind.WITHDRAWN, 2, withdraws="d1"),
    ],
    ids=["split", "split-with-values", "withdrawn"],
)
def test_a_wrong_merge_is_undone_without_a_trace(undo):
    merge = decide(DecisionKind.MERGE, 1, ("mac", A), ("mac", B))
    assert devices(mixed_up(), merge, undo) == devices(mixed_up())


def test_a_split_keeps_apart_what_a_key_joins():
    serial = ("asset.serial", SERIAL[1])
    writer = Writer().listed(serial, mac=A).listed(serial, mac=B)
    assert len(devices(writer)) == 1
    split = decide(DecisionKind.SPLIT, 1, ("mac", A), ("mac", B))
    assert [d.macs for d in sorted(devices(writer, split), key=lambda d: d.macs)] == [(A,), (B,)]


def test_a_later_merge_overrules_an_earlier_split():
    split = decide(DecisionKind.SPLIT, 1, ("mac", A), ("mac", B))
    merge = decide(DecisionKind.MERGE, 2, ("mac", A), ("mac", B))
    assert len(devices(mixed_up(), split, merge)) == 1


def joined_by_address():
    writer = Writer().arp("10.0.0.1", A).http("10.0.0.1", "AcmeWeb/1")
    return writer.listed(("asset.tag", "T1"), ip="10.0.0.1")


@pytest.mark.parametrize("key", [("mac", A), ("asset.tag", "T1")])
def test_one_identifier_is_split_from_whatever_it_is_part_of(key):
    assert len(devices(joined_by_address())) == 1
    found = devices(joined_by_address(), decide(DecisionKind.SPLIT, 1, key))
    wire, book = sorted(found, key=lambda d: not d.on_wire)
    assert [s.observation.field for s in wire.sightings] == ["mac", "http.server"]
    assert book.sources == ("asset_csv",)


def test_an_address_is_split_from_the_rest_of_a_device():
    writer = Writer().row("sadp", "10.0.0.1", A, SERIAL).row("sadp", "10.0.0.2", B, SERIAL)
    found = devices(writer, decide(DecisionKind.SPLIT, 1, ("ip", "10.0.0.2")))
    assert sorted(d.ips for d in found) == [("10.0.0.1",), ("10.0.0.2",)]


def test_what_is_split_from_a_merge_leaves_the_others_merged():
    merge = decide(DecisionKind.MERGE, 1, ("mac", A), ("mac", B), ("mac", C))
    writer = Writer().arp("10.0.0.1", A).arp("10.0.0.2", B).arp("10.0.0.3", C)
    assert len(devices(writer, merge)) == 1
    found = devices(writer, merge, decide(DecisionKind.SPLIT, 2, ("mac", B)))
    assert sorted(sorted(d.macs) for d in found) == [[A, C], [B]]


def test_devices_are_merged_by_their_ids_too():
    writer = Writer().http("10.0.0.1").http("10.0.0.2")
    one, other = devices(writer)
    merge = decide(DecisionKind.MERGE, 1, ("device", one.id), ("device", other.id))
    (device,) = devices(writer, merge)
    assert device.ips == ("10.0.0.1", "10.0.0.2")
    assert len(devices(writer, merge, decide(DecisionKind.SPLIT, 2, ("device", one.id)))) == 2


def test_a_decision_of_another_site_says_nothing_here():
    merge = decide(DecisionKind.MERGE, 1, ("mac", A), ("mac", B), site="branch")
    assert len(devices(mixed_up(), merge)) == 2


def test_a_decision_about_nothing_that_exists_does_nothing():
    merge = decide(DecisionKind.MERGE, 1, ("mac", "no address"), ("serial", "?"), ("tag", "gone"))
    assert devices(mixed_up(), merge) == devices(mixed_up())


# ---------------------------------------------------------------- ids and order


def test_new_evidence_does_not_rename_a_device():
    writer = Writer().http("10.0.0.1")
    (before,) = devices(writer)
    writer.arp("10.0.0.1", A, hours=1).row("sadp", "10.0.0.1", A, SERIAL, hours=2)
    writer.listed(("asset.serial", SERIAL[1]), ("asset.tag", "T1"), hours=3)
    (after,) = devices(writer)
    assert after.id == before.id


def test_ids_are_unique_even_for_rows_without_any_key():
    writer = Writer()
    for line in range(50):
        writer.listed(("asset.description", "camera"), detail=f"list.csv:{line}")
    assert len({device.id for device in devices(writer)}) == 50


ROWS = [
    lambda w, n: w.arp(f"10.0.0.{n % 4}", f"00:aa:00:00:00:{n % 3:02x}", hours=n, run=f"r{n % 2}"),
    lambda w, n: w.http(f"10.0.0.{n % 4}", f"AcmeWeb/{n % 2}", hours=n, run=f"r{n % 2}"),
    lambda w, n: w.listed(("asset.tag", f"T{n % 3}"), ip=f"10.0.0.{n % 5}", hours=n),
    lambda w, n: w.row("sadp", f"10.0.0.{n % 4}", None, ("device.serial", f"SN-{n % 3}0000")),
]


@given(seed=st.integers(0, 10_000), count=st.integers(0, 25))
def test_every_row_with_a_presence_is_in_exactly_one_device(seed, count):
    dice, writer = random.Random(seed), Writer()
    for number in range(count):
        dice.choice(ROWS)(writer, dice.randrange(12) if number else 0)
    groups = group(writer.rows)
    taken = [seq for found in groups for seq in found.seqs]
    assert sorted(taken) == [row.seq for row in writer.rows]
    assert len({found.id for found in groups}) == len(groups)


@given(seed=st.integers(0, 10_000))
def test_the_same_rows_in_another_ledger_order_are_the_same_devices(seed):
    """Bundles are merged in any order, so the numbers of the rows must not decide."""
    dice, writer = random.Random(seed), Writer()
    for number in range(8):
        writer.arp(f"10.0.0.{number}", f"00:aa:00:00:00:{number:02x}", hours=number)
        writer.http(f"10.0.0.{number}", f"AcmeWeb/{number}", hours=number)
    shuffled = list(writer.rows)
    dice.shuffle(shuffled)
    renumbered = [replace(row, seq=at) for at, row in enumerate(shuffled, 1)]
    assert [d.id for d in correlate(renumbered)] == [d.id for d in correlate(writer.rows)]
    assert [d.macs for d in correlate(renumbered)] == [d.macs for d in correlate(writer.rows)]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("ds-2cd2143 aawr123", "DS-2CD2143AAWR123"),
        ("N/A", None),
        ("0000000000", None),
        ("6.37E+15", None),
        ("abc", None),
        ("ABCDEF", None),
        ("To be filled by O.E.M.", None),
    ],
)
def test_what_a_serial_is_worth_as_a_key(text, key):
    assert serial_key(text) == key


@pytest.mark.parametrize(
    ("text", "key"),
    [("Lobby-Cam.example.org.", "lobby-cam"), ("ipcamera", None), ("", None), ("10", None)],
)
def test_what_a_host_name_is_worth_as_a_key(text, key):
    assert hostname_key(text) == key


def test_where_a_fact_comes_from_is_kept():
    writer = Writer().arp("10.0.0.1", A)
    writer.row("pcap", "10.0.0.1", A, ("mac", A), origin=Origin.SIGHTING)
    writer.row("officer", "10.0.0.1", A, ("asset.owner", "Parks"), origin=Origin.OFFICER, hours=1)
    (device,) = devices(writer)
    assert device.sources == ("officer", "pcap", "scan")
