"""Every hardware address of a device says from where it is known, and none is made up."""

import pytest

from auditor.identify.correlate import correlate
from auditor.identify.explain import explain, load_words
from auditor.identify.identify import identify
from auditor.model.device import Assessed
from auditor.model.observation import Origin
from tests.identify.conftest import DATA
from tests.identify.made_up import Writer

MAC, IP = "00:aa:00:00:00:01", "10.0.0.1"
WORDS = load_words(DATA)


def device(*rows):
    writer = Writer()
    for tool, transport, origin in rows:
        seen = ("mac", MAC), ("sadp.reply", "<ProbeMatch/>")
        writer.row(tool, IP, MAC, *seen, transport=transport, origin=origin)
    (found,) = correlate(writer.rows)
    return found


@pytest.mark.parametrize(
    ("tool", "transport", "origin", "source"),
    [
        ("arp", "arp", Origin.WIRE, "arp"),
        ("connect", "tcp", Origin.WIRE, "arp"),
        ("ndp", "ndp", Origin.WIRE, "ndp"),
        ("passive", "arp", Origin.SIGHTING, "arp"),
        ("passive", "udp", Origin.SIGHTING, "overheard"),
        ("pcap", "udp", Origin.SIGHTING, "overheard"),
        ("sadp", "udp", Origin.WIRE, "own_reply"),
        ("onvif", "udp", Origin.WIRE, "own_reply"),
        ("router_arp", "arp", Origin.SIGHTING, "router_table"),
        ("arp_table", "file", Origin.SIGHTING, "imported"),
        ("asset_csv", "file", Origin.FILE, "imported"),
        ("officer", "file", Origin.OFFICER, "officer"),
    ],
)
def test_who_told_it_is_kept(tool, transport, origin, source):
    (known,) = device((tool, transport, origin)).mac_sources
    assert (known.mac, known.sources, known.tools) == (MAC, (source,), (tool,))


def test_several_sources_stand_nearest_first():
    (known,) = device(
        ("asset_csv", "file", Origin.FILE),
        ("sadp", "udp", Origin.WIRE),
        ("arp", "arp", Origin.WIRE),
    ).mac_sources
    assert known.sources == ("arp", "own_reply", "imported")
    assert known.tools == ("arp", "asset_csv", "sadp")


def test_every_address_has_a_source_and_nothing_else_has():
    writer = Writer().arp(IP, MAC).arp("10.0.0.2", "02:00:00:00:00:09").http("10.0.0.3")
    writer.row("asset_csv", "10.0.0.2", None, ("asset.tag", "T-1"), origin=Origin.FILE)
    for found in correlate(writer.rows):
        assert tuple(known.mac for known in found.mac_sources) == found.macs


def test_what_a_reply_says_of_another_is_no_source_for_it():
    writer = Writer().arp(IP, MAC).arp("10.0.0.66", "00:bb:00:00:00:66")
    said = ("mac", MAC), ("sadp.sender", "10.0.0.66")
    writer.row("sadp", IP, MAC, *said, transport="udp")  # the second station speaks of the first
    owner = next(d for d in correlate(writer.rows) if MAC in d.macs)
    assert owner.mac_sources[0].sources == ("arp",)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_explain_says_it_in_words(known, language):
    found = device(("sadp", "udp", Origin.WIRE))
    told = "\n".join(explain(Assessed(found, identify(found, known)), known, language))
    assert WORDS[language]["mac_own_reply"] in told
    assert WORDS[language]["mac_told"].format(mac=MAC, tools="sadp") in told
    assert WORDS[language]["mac_arp"] not in told
