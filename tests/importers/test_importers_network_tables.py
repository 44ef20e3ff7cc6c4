"""Tables that switches, routers and computers print, in the layouts of their makers."""

import io
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.errors import DataError
from auditor.importers import arp_table, mac_table
from auditor.importers.tables import Part, best, templates
from auditor.model.observation import Attempt, Origin
from auditor.plugins import Options, Rejected, Sample

SAMPLES = Path(__file__).parent / "samples"
MOMENT = datetime(2026, 3, 4, 12, tzinfo=UTC)


def read(module, raw):
    raw = raw.encode() if isinstance(raw, str) else raw
    return list(module.read(io.BytesIO(raw), Options("hq", MOMENT, name="f")))


def facts(items):
    return [item for item in items if isinstance(item, Attempt)]


def refused(items):
    return [item for item in items if isinstance(item, Rejected)]


def said(attempt):
    return {o.field: o.value for o in attempt.observations}


def sample(name):
    return (SAMPLES / name).read_bytes()


@pytest.mark.parametrize(
    ("name", "ip", "mac", "vlan"),
    [
        ("ios.txt", "10.26.0.1", "44:19:b6:00:26:01", 120),
        ("nxos.txt", "10.26.1.1", "44:19:b6:00:26:11", 121),
        ("junos.txt", "10.26.2.2", "44:19:b6:00:26:22", 122),
        ("procurve.txt", "10.26.3.1", "44:19:b6:00:26:31", None),  # 24 is a port
        ("eos.txt", "10.26.4.1", "44:19:b6:00:26:41", None),
        ("vrp.txt", "10.26.5.1", "44:19:b6:00:26:51", 125),
        ("comware.txt", "10.26.6.1", "44:19:b6:00:26:61", 126),
        ("linux_neigh.txt", "10.26.7.2", "44:19:b6:00:26:72", None),
        ("linux_arp.txt", "10.26.8.2", "44:19:b6:00:26:82", None),
        ("windows.txt", "10.26.9.1", "44:19:b6:00:26:91", None),
        ("windows_fr.txt", "10.26.9.2", "44:19:b6:00:26:92", None),
    ],
)
def test_an_arp_table_of_any_maker_says_who_has_which_address(name, ip, mac, vlan):
    found = facts(read(arp_table, sample(f"arp_table/{name}")))
    by_ip = {f.endpoint.ip: f for f in found if f.endpoint.ip}
    assert (by_ip[ip].endpoint.mac, by_ip[ip].endpoint.vlan) == (mac, vlan)
    assert all(f.origin is Origin.SIGHTING for f in found)
    assert len(by_ip) >= 2


@pytest.mark.parametrize(
    ("name", "mac", "vlan", "port"),
    [
        ("ios.txt", "44:19:b6:00:27:01", "127", "Gi1/0/7"),
        ("ios_destination.txt", "44:19:b6:00:27:21", "128", "FastEthernet0/3"),
        ("ios_6500.txt", "44:19:b6:00:27:32", "129", "Gi3/2"),
        ("ios_4500.txt", "44:19:b6:00:27:41", "130", "GigabitEthernet2/1"),
        ("nxos.txt", "44:19:b6:00:27:52", "131", "Eth1/4"),
        ("procurve.txt", "44:19:b6:00:27:61", "132", "24"),
        ("eos.txt", "44:19:b6:00:27:71", "133", "Et3"),
        ("vrp.txt", "44:19:b6:00:27:82", "134", "GE0/0/2"),
        ("junos.txt", "44:19:b6:00:27:91", "cameras", "ge-0/0/1.0"),
    ],
)
def test_an_address_table_of_any_maker_says_who_is_at_which_port(name, mac, vlan, port):
    found = {f.endpoint.mac: said(f) for f in facts(read(mac_table, sample(f"mac_table/{name}")))}
    assert found[mac]["asset.vlan"] == vlan
    assert found[mac]["asset.switch_port"] == port


def test_the_prompt_names_the_switch():
    found = facts(read(mac_table, sample("mac_table/ios.txt")))
    assert {said(f)["asset.switch"] for f in found} == {"sw-floor1"}


def test_a_port_with_many_addresses_is_no_devices_own():
    found = [said(f) for f in facts(read(mac_table, sample("mac_table/ios.txt")))]
    uplinks = [f for f in found if "asset.switch_uplink" in f]
    assert len(uplinks) == 6
    assert {f["asset.switch_uplink"] for f in uplinks} == {"Gi1/0/48 (6 addresses)"}
    assert not any("asset.switch_port" in f for f in uplinks)


def test_rows_of_the_switch_itself_are_left_out_and_said():
    reasons = {r.line: r.reason for r in refused(read(mac_table, sample("mac_table/ios.txt")))}
    assert reasons == {
        7: "names the hardware address of no device",
        8: "is an address of the switch itself",
    }


def test_a_device_that_was_fixed_to_its_port_is_a_device():
    found = {f.endpoint.mac for f in facts(read(mac_table, sample("mac_table/ios.txt")))}
    assert "44:19:b6:00:27:02" in found  # STATIC at Gi1/0/8


def test_several_commands_in_one_paste_are_told_apart():
    found = facts(read(arp_table, sample("arp_table/ios.txt")))
    assert [f.tool for f in found] == ["arp_table", "arp_table", "mac_table"]
    assert said(found[2])["asset.switch_port"] == "Gi1/0/7"


def test_several_switches_in_one_paste_are_told_apart():
    paste = sample("mac_table/ios.txt") + sample("mac_table/nxos.txt") + sample("mac_table/vrp.txt")
    found = facts(read(mac_table, paste))
    assert {said(f)["asset.switch"] for f in found} == {"sw-floor1", "nx1", "s5700"}
    assert len(found) == 8 + 2 + 2


def test_a_row_without_an_answer_is_told_with_its_line():
    (only,) = refused(read(arp_table, sample("arp_table/linux_neigh.txt")))
    assert (only.line, only.reason) == (3, "names no hardware address")


def test_a_row_of_an_unknown_layout_is_read_where_it_says_one_address_of_each_kind():
    rows = "x=1 10.0.0.1 ~ 4419.b600.0001 !\n# 4419.b600.0002 nothing else\n"
    items = read(arp_table, rows)
    assert [(f.endpoint.ip, f.endpoint.mac) for f in facts(items)] == [
        ("10.0.0.1", "44:19:b6:00:00:01")
    ]
    assert [r.line for r in refused(items)] == [2]


def test_every_template_can_be_used_and_ours_are_among_them():
    part = Part("", [(1, "Internet  10.26.0.1  12   4419.b600.2601  ARPA   Vlan120")])
    assert "cisco_ios" in best(part)
    assert len(templates()) > 50
    assert any("windows" in name for name in templates())


def test_the_counts_add_up():
    for path in (*(SAMPLES / "arp_table").glob("*"), *(SAMPLES / "mac_table").glob("*")):
        rows = [
            line for line in path.read_text().splitlines()
            if any(word in line for word in ("4419", "44:19", "44-19", "ncomplete", "FAILED", "0100.0ccc", "0219", "0000.0000", "ff-ff", "01-00"))
        ]  # fmt: skip
        assert len(read(arp_table, path.read_bytes())) == len(rows), path.name


def test_a_table_of_twenty_thousand_rows_is_read_in_seconds():
    head = "sw1#show mac address-table\nVlan    Mac Address       Type        Ports\n"
    rows = (
        f" 127    4419.{n >> 16:04x}.{n & 0xFFFF:04x}    DYNAMIC     Gi1/0/{n % 48}\n"
        for n in range(20_000)
    )
    began = time.monotonic()
    assert len(facts(read(mac_table, head + "".join(rows)))) == 20_000
    assert time.monotonic() - began < 20


def test_what_holds_no_table_is_refused():
    with pytest.raises(DataError, match="no table"):
        read(arp_table, "sw1#show version\nCisco IOS Software\n")


@pytest.mark.parametrize("name", ["arp_table/ios.txt", "mac_table/nxos.txt"])
def test_a_table_may_end_anywhere(name):
    raw = sample(name)
    for cut in range(0, len(raw), 3):
        with suppress(DataError):
            read(arp_table, raw[:cut])


@pytest.mark.parametrize("module", [arp_table, mac_table])
@settings(max_examples=40, deadline=None)
@given(raw=st.text(alphabet="4419.b600:-0123456789abcdef \t#>|,/\nshowarp", max_size=400))
def test_noise_is_rows_or_a_refusal_in_words(module, raw):
    raw = b"sw1#show ip arp\n10.0.0.1 4419.b600.0001 x\n" + raw.encode()
    assert 0 <= module.recognise(Sample("x", raw, len(raw))) <= 100
    with suppress(DataError):
        read(module, raw)


def test_a_hostile_line_takes_no_time():
    line = "4419.b600.0001 " + "a, " * 100_000
    began = time.monotonic()
    with suppress(DataError):
        read(mac_table, f"vlan   mac address     type    learn     age   ports\n{line}\n" * 20)
    assert time.monotonic() - began < 20


# ---------------------------------------------------------------- layouts that no template was for

EXOS = """X440-G2 # show fdb
Mac                     Vlan       Age  Flags         Port / Virtual Port List
------------------------------------------------------------------------------
44:19:b6:00:08:01    CCTV(0010) 0000  d m           12
44:19:b6:00:08:02    CCTV(0010) 0032  d m           13

Flags : d - Dynamic, s - Static, p - Permanent
"""
JUNOS = """admin@ex3400> show ethernet-switching table

   Vlan                MAC                 MAC      Logical                SVLBNH/      Active
   name                address             flags    interface              VENH Index   source
   CCTV                44:19:b6:00:02:01   D        ge-0/0/12.0
   default             44:19:b6:00:02:03   D        xe-0/1/0.0
"""
TPLINK = """TL-SG3428#show mac address-table all

 MAC                VLAN    Port     Type            Aging
 ---                ----    ----     ----            -----
 44:19:b6:00:13:01  1       Gi1/0/5  dynamic         aging
 44:19:b6:00:13:02  1       Gi1/0/6  dynamic         aging
"""
MIKROTIK = """[admin@MikroTik] > /interface bridge host print
Flags: D - DYNAMIC; L - LOCAL; E - EXTERNAL
Columns: MAC-ADDRESS, VID, ON-INTERFACE, BRIDGE
 #    MAC-ADDRESS        VID  ON-INTERFACE  BRIDGE
 0 D  44:19:B6:00:0B:01   10  ether5        bridge1
 1 D  44:19:B6:00:0B:02   10  ether6        bridge1
 2 DL 48:8F:5A:00:00:01       bridge1       bridge1
"""
DLINK = """DGS-1210:5# show fdb
VID  VLAN Name                        MAC Address       Port Type
---- -------------------------------- ----------------- ---- ---------------
1    default                          44-19-B6-00-09-01 5    Dynamic
1    east wing                        44-19-B6-00-09-02 6    Dynamic
1    default                          00-1C-F0-00-00-01 CPU  Self
"""
FORTI = """S124EP # diagnose switch mac-address list

MAC: 44:19:b6:00:0c:01  VLAN: 10 Port: port3(port-id 3)
  Flags: 0x00000060 [ hit dynamic ]
MAC: 44:19:b6:00:0c:02  VLAN: 10 Port: port4(port-id 4)
  Flags: 0x00000060 [ hit dynamic ]
"""
CHASSIS = """switch-idf2# show mac-address

 Status and Counters - Port Address Table

  MAC Address   Port  VLAN
  ------------- ----- ----
  e8a0ed-1a0041 L3    10
  e8a0ed-1a0042 A1    10
"""


@pytest.mark.parametrize(
    ("printed", "switch", "rows"),
    [
        (EXOS, "X440-G2", [("10", "12"), ("10", "13")]),
        (JUNOS, "ex3400", [("CCTV", "ge-0/0/12.0"), ("default", "xe-0/1/0.0")]),
        (TPLINK, "TL-SG3428", [("1", "Gi1/0/5"), ("1", "Gi1/0/6")]),
        (MIKROTIK, "MikroTik", [("10", "ether5"), ("10", "ether6")]),
        (DLINK, "DGS-1210", [("1", "5"), ("1", "6")]),
        (FORTI, "S124EP", [("10", "port3"), ("10", "port4")]),
        (CHASSIS, "switch-idf2", [("10", "L3"), ("10", "A1")]),
    ],
    ids=("exos", "junos", "tplink", "mikrotik", "dlink", "forti", "chassis"),
)
def test_more_makers_address_tables_are_known_and_read(printed, switch, rows):
    sample = Sample("x", printed.encode(), len(printed))
    assert mac_table.recognise(sample) > max(25, arp_table.recognise(sample))
    found = [said(f) for f in facts(read(mac_table, printed))]
    assert [(f["asset.vlan"], f["asset.switch_port"]) for f in found] == rows
    assert {f["asset.switch"] for f in found} == {switch}


def test_a_table_may_begin_its_lines_with_tabulators():
    printed = (
        "asa# show arp\n\tinside 10.6.0.5 4419.b600.0f01 30\n\tinside 10.6.0.6 4419.b600.0f02 120\n"
    )
    assert arp_table.recognise(Sample("x", printed.encode(), len(printed))) > 25
    assert [f.endpoint.ip for f in facts(read(arp_table, printed))] == ["10.6.0.5", "10.6.0.6"]


def test_a_client_identifier_of_type_ethernet_is_a_hardware_address_and_any_other_is_none():
    printed = (
        "R1#show ip dhcp binding\n"
        "IP address          Client-ID/              Lease expiration        Type\n"
        "10.28.0.5           0144.19b6.0900.01       Nov 30 2026 10:00 AM    Automatic\n"
        "10.28.0.6           4419.b609.0002          Infinite                Manual\n"
        "10.28.0.7           0063.6973.636f.2d34.34  Nov 30 2026 10:00 AM    Automatic\n"
    )
    items = read(arp_table, printed)
    assert [(f.endpoint.ip, f.endpoint.mac) for f in facts(items)] == [
        ("10.28.0.5", "44:19:b6:09:00:01"),
        ("10.28.0.6", "44:19:b6:09:00:02"),
    ]
    assert [(r.line, r.reason) for r in refused(items)] == [(5, "names no hardware address")]


def test_who_says_that_it_is_an_address_table_has_rows_of_any_layout_read():
    printed = b"~ 44:19:b6:00:00:01 => port Gi0/3 12 !\n~ 44:19:b6:00:00:02 | 7 8 | a b\n"
    options = Options("hq", MOMENT, name="f", kind="mac_table")
    found = facts(mac_table.read(io.BytesIO(printed), options))
    assert [f.endpoint.mac for f in found] == ["44:19:b6:00:00:01", "44:19:b6:00:00:02"]
    assert (said(found[0])["asset.vlan"], said(found[0])["asset.switch_port"]) == ("12", "Gi0/3")
    assert "asset.switch_port" not in said(found[1])
