"""What a discovery reply claims of addresses, and what answered ARP."""

import pytest

from auditor.identify.correlate import correlate
from auditor.identify.identify import identify
from auditor.model.address import AddressSet
from auditor.model.coverage_note import Note
from auditor.model.observation import Origin, Outcome
from tests.identify.made_up import Writer

OURS, THEIRS, OTHER = "00:aa:00:00:00:01", "00:bb:00:00:00:02", "00:aa:00:00:00:09"
SENDER, VICTIM = "10.0.0.7", "10.0.0.4"


def scene(ip, mac, sender=SENDER):
    """Two devices answer ARP; then the one at SENDER says in a reply that it is `ip`, `mac`."""
    writer = Writer().arp(VICTIM, THEIRS).arp(SENDER, OURS)
    seen = (("sadp.reply", "<ProbeMatch/>"), ("mac", mac))
    if ip != sender:
        seen = (*seen, ("sadp.sender", sender))
    return writer.row("sadp", ip, mac, *seen, transport="udp", port=37020)


def replies(device):
    return [s for s in device.sightings if s.observation.field == "sadp.reply"]


@pytest.mark.parametrize(
    ("ip", "mac"),
    [
        pytest.param(VICTIM, THEIRS, id="address and MAC of another"),
        pytest.param(SENDER, THEIRS, id="MAC of another"),
        pytest.param(VICTIM, OTHER, id="address of another"),
    ],
)
def test_who_speaks_of_another_device_speaks_of_itself(ip, mac):
    found = {d.ips[0]: d for d in correlate(scene(ip, mac).rows)}
    assert set(found) == {VICTIM, SENDER}
    assert found[VICTIM].macs == (THEIRS,) and not replies(found[VICTIM])
    assert found[SENDER].macs == (OURS,) and replies(found[SENDER])


def test_a_reply_may_come_before_anybody_answered_arp():
    writer = scene(VICTIM, THEIRS)
    writer.rows.reverse()
    found = {d.ips[0]: d for d in correlate(writer.rows)}
    assert not replies(found[VICTIM]) and replies(found[SENDER])


def test_a_camera_on_a_foreign_subnet_is_known_by_its_reply():
    (*_, camera) = correlate(scene("192.168.1.64", OTHER).rows)
    assert (camera.ips, camera.macs) == (("192.168.1.64",), (OTHER,))


def test_a_reply_that_states_its_own_addresses_is_its_own():
    found = {d.ips[0]: d for d in correlate(scene(SENDER, OURS).rows)}
    assert found[SENDER].macs == (OURS,) and replies(found[SENDER])


def test_a_mac_that_nobody_else_has_stands():
    devices = correlate(scene(SENDER, OTHER).rows)
    assert [d.macs for d in devices if replies(d)] == [(OTHER,)]


def test_two_hosts_with_one_address_are_told_apart_by_their_replies():
    writer = Writer().arp(VICTIM, THEIRS).arp(VICTIM, OURS)
    writer.row("sadp", VICTIM, OURS, ("sadp.reply", "x"), ("mac", OURS), transport="udp")
    found = {d.macs: d for d in correlate(writer.rows)}
    assert replies(found[(OURS,)]) and not replies(found[(THEIRS,)])


# ---------------------------------------------------------------- what stands, and is doubted

EMPTY = "10.0.0.5"  # swept, and nobody answers there
SAYS = ("sadp.reply", "AcmeProbe")


def swept(*silent, run="r1", of="10.0.0.0/29"):
    """Two devices answer a sweep of the segment; `silent` addresses do not."""
    writer = Writer().arp(VICTIM, THEIRS, run=run).arp("10.0.0.6", OURS, run=run)
    note = Note(AddressSet.parse([of]), AddressSet.parse(silent))
    return writer.row("arp", transport="arp", detail=str(note), outcome=Outcome.SILENT, run=run)


def judged(known, writer, wanted):
    """Give the standing, the codes of what speaks against it, and the device at an address."""
    (device,) = (d for d in correlate(writer.rows) if wanted in d.ips)
    found = identify(device, known)
    return found.standing, [clash.code for clash in found.contradictions], device


def claim(writer, ip, mac=OTHER, tool="sadp", **more):
    seen = (SAYS, ("mac", mac)) if mac else (SAYS,)
    return writer.row(tool, ip, mac, *seen, transport="udp", **more)


@pytest.mark.parametrize("mac", [OTHER, None])
def test_where_nobody_answers_a_reply_confirms_nothing(known, mac):
    standing, codes, device = judged(known, claim(swept(EMPTY), EMPTY, mac), EMPTY)
    assert (standing, codes) == ("probable", ["nobody_there"])
    assert device.macs == ((OTHER,) if mac else ())


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(("http", EMPTY, {"port": 80}), id="a-reply"),
        pytest.param(("http", EMPTY, {"port": 80, "outcome": Outcome.REFUSED}), id="a-refusal"),
        pytest.param(("icmp", EMPTY, {"transport": "icmp"}), id="an-echo"),
        pytest.param(("arp", EMPTY, {"transport": "arp"}), id="ARP-later-on"),
    ],
)
def test_any_answer_to_a_question_of_ours_shows_that_somebody_is_there(known, answer):
    tool, ip, more = answer
    writer = claim(swept(EMPTY), EMPTY)
    writer.row(tool, ip, OTHER if tool == "arp" else None, **more)
    assert judged(known, writer, EMPTY)[:2] == ("confirmed", [])


def test_another_reply_to_a_group_does_not(known):
    writer = claim(claim(swept(EMPTY), EMPTY), EMPTY, tool="dhip")
    assert judged(known, writer, EMPTY)[:2] == ("probable", ["nobody_there"])


def test_silence_to_our_questions_does_not(known):
    writer = claim(swept(EMPTY), EMPTY)
    writer.row("http", EMPTY, outcome=Outcome.SILENT, port=80)
    assert judged(known, writer, EMPTY)[:2] == ("probable", ["nobody_there"])


@pytest.mark.parametrize(
    "where",
    [
        pytest.param("192.168.1.64", id="a-factory-address-on-a-foreign-subnet"),
        pytest.param("10.0.0.7", id="an-address-that-nobody-was-asked-for"),
    ],
)
def test_where_nobody_was_asked_a_reply_stands(known, where):
    assert judged(known, claim(swept(EMPTY), where), where)[:2] == ("confirmed", [])


def test_a_sweep_of_another_run_says_nothing_of_this_one(known):
    writer = claim(swept(EMPTY, run="r0"), EMPTY)
    assert judged(known, writer, EMPTY)[:2] == ("confirmed", [])


def test_what_the_device_says_itself_is_not_weakened(known):
    """A doubted reply takes nothing from what was answered in person, in an earlier visit."""
    writer = Writer().arp(EMPTY, OTHER, run="r0")
    writer.row("https", EMPTY, None, ("tls.subject", "O=Acme,"), port=443, run="r0")
    claim(writer, EMPTY, run="r1", hours=24 * 7)
    note = Note(AddressSet.parse([EMPTY]), AddressSet.parse([EMPTY]))
    writer.row("arp", transport="arp", detail=str(note), outcome=Outcome.SILENT, run="r1")
    standing, codes, _ = judged(known, writer, EMPTY)
    assert (standing, codes) == ("confirmed", ["nobody_there"])


def test_a_reply_with_another_mac_than_answers_there_confirms_nothing(known):
    """A camera behind a bridge looks like that, and a forger at its own address as well."""
    devices = correlate(claim(swept(EMPTY), VICTIM).rows)
    (device,) = (d for d in devices if any(s.observation.field == SAYS[0] for s in d.sightings))
    found = identify(device, known)
    assert found.maker.value == "Acme" and found.standing == "probable"
    assert [clash.code for clash in found.contradictions] == ["other_mac"]


def test_a_bridged_camera_that_answers_in_person_is_confirmed(known):
    writer = swept(EMPTY)
    writer.arp("10.0.0.3", "02:00:00:00:00:33")
    writer.row("https", "10.0.0.3", None, ("tls.subject", "O=Acme,"), port=443)
    assert judged(known, claim(writer, "10.0.0.3"), "10.0.0.3")[0] == "confirmed"


def test_the_mac_of_another_device_is_not_placed_where_nobody_answers(known):
    writer = claim(swept(EMPTY), EMPTY, THEIRS)
    found = {d.ips[0]: d for d in correlate(writer.rows)}
    assert not replies(found[VICTIM]) and found[VICTIM].macs == (THEIRS,)
    assert found[EMPTY].macs == ()
    assert judged(known, writer, EMPTY)[:2] == ("probable", ["nobody_there"])


def test_a_mac_that_answers_elsewhere_confirms_nothing_on_a_foreign_subnet(known):
    writer = claim(swept(EMPTY), "192.168.1.64", THEIRS)
    standing, codes, _ = judged(known, writer, VICTIM)
    assert standing != "confirmed" and "mac_elsewhere" in codes


def test_what_somebody_else_captured_is_no_reply_to_us(known):
    writer = swept(EMPTY)
    writer.row("pcap", EMPTY, OTHER, SAYS, transport="udp", origin=Origin.SIGHTING)
    assert judged(known, writer, EMPTY)[1] == []


def test_a_camera_on_a_foreign_subnet_with_an_ipv6_address_on_the_segment_stands(known):
    writer = swept(EMPTY).row("ndp", "fe80::9", OTHER, ("mac", OTHER), transport="ndp")
    assert judged(known, claim(writer, "192.168.1.64"), "192.168.1.64")[:2] == ("confirmed", [])


# ---------------------------------------------------------------- whose frame it came in

FORGER, AT = "00:bb:00:00:00:66", "10.0.0.2"


def forged(ip, mac=None, frame=FORGER):
    writer = swept(EMPTY).arp(AT, FORGER)
    seen = (SAYS, *((("mac", mac),) if mac else ()), ("link.source", frame))
    return writer.row("sadp", ip, mac, *seen, transport="udp", port=37020)


@pytest.mark.parametrize("mac", [None, THEIRS])
def test_a_reply_in_the_name_of_another_is_laid_at_the_door_of_who_sent_it(known, mac):
    writer = forged(VICTIM, mac)
    standing, codes, device = judged(known, writer, AT)
    found = {d.ips[0]: d for d in correlate(writer.rows)}
    assert not replies(found[VICTIM]) and found[VICTIM].macs == (THEIRS,)
    assert device.macs == (FORGER,) and replies(device)
    assert (standing, codes) == ("probable", ["sent_by_other"])


def test_a_forged_factory_address_confirms_nothing(known):
    standing, codes, _ = judged(known, forged("192.168.1.64", OTHER), "192.168.1.64")
    assert (standing, codes) == ("probable", ["sent_by_other"])


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(OTHER, id="its-own-frame"),
        pytest.param("00:cc:00:00:00:77", id="a-bridge-that-nothing-else-shows"),
    ],
)
def test_a_true_factory_address_stands(known, frame):
    writer = forged("192.168.1.64", OTHER, frame)
    assert judged(known, writer, "192.168.1.64")[:2] == ("confirmed", [])


def test_a_reply_in_the_frame_of_who_answers_there_stands(known):
    assert judged(known, forged(VICTIM, THEIRS, THEIRS), VICTIM)[:2] == ("confirmed", [])


def test_a_frame_that_nothing_else_shows_leaves_the_reply_in_doubt(known):
    standing, codes, _ = judged(known, forged(VICTIM, None, "00:cc:00:00:00:77"), VICTIM)
    assert (standing, codes) == ("probable", ["sent_by_other"])


# ---------------------------------------------------------------- two stations at one address


TWICE = "10.0.0.5"
SIGN = ("tls.subject", "O=Acme,")


def told_at_both(*macs, spoken_with=None):
    writer = Writer()
    for mac in macs:
        writer.arp(TWICE, mac)
    return writer.row("https", TWICE, spoken_with, SIGN, port=443)


def standings(known, writer):
    devices = [(d, identify(d, known)) for d in correlate(writer.rows)]
    return {
        d.macs[0]: (found.standing, [clash.code for clash in found.contradictions])
        for d, found in devices
        if any(s.observation.field == SIGN[0] for s in d.sightings)
    }


def test_what_was_said_where_two_stations_answer_confirms_nothing(known):
    found = standings(known, told_at_both(FORGER, "00:bb:00:00:00:67"))
    assert found == {FORGER: ("probable", ["two_stations"])}


def test_what_was_said_where_one_station_answers_twice_is_its_own(known):
    assert standings(known, told_at_both(FORGER, FORGER)) == {FORGER: ("confirmed", [])}


def test_whom_the_kernel_spoke_to_is_credited_and_not_who_answered_first(known):
    other = "00:bb:00:00:00:67"
    found = standings(known, told_at_both(FORGER, spoken_with=other))
    assert found == {other: ("probable", ["two_stations"])}


def test_a_second_station_in_another_run_speaks_against_nothing(known):
    writer = told_at_both(FORGER).arp(TWICE, "00:bb:00:00:00:67", run="r2", hours=24 * 90)
    assert standings(known, writer) == {FORGER: ("confirmed", [])}
