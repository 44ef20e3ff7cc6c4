"""What a discovery reply claims of addresses, and what answered ARP."""

import pytest

from auditor.identify.correlate import correlate
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
