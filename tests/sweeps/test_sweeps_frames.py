"""What raw frames and overheard ones tell the sweeps."""

import pytest

from auditor.plugins import Medium, Sweep, load
from auditor.sweeps import dhip, icmp, mdns, ndp, passive, ssdp, syn
from tests.drive import capture

SWEEPS = {sweep.name: sweep for sweep in load("auditor.sweeps", "SWEEP", Sweep)}


def values(found):
    return {seen.field: seen.value for seen in found.observations}


@pytest.mark.parametrize(
    ("sweep", "name", "ip", "mac"),
    [
        (dhip, "dhip_camera.bin", "192.0.2.108", "6c:1c:71:00:00:01"),
        (mdns, "mdns_reply.bin", "192.0.2.9", "ac:cc:8e:00:00:01"),
        (ssdp, "ssdp_reply.txt", "192.0.2.9", None),
        (ndp, "frame_ndp_advert.bin", "fe80::c62f:90ff:fe00:1", "c4:2f:90:00:00:01"),
        (syn, "frame_syn_ack.bin", "192.0.2.64", None),
        (passive, "frame_sadp_multicast.bin", "192.0.2.64", "c4:2f:90:00:00:01"),
        (passive, "frame_arp_vlan.bin", "192.0.2.64", "c4:2f:90:00:00:01"),
        (passive, "frame_dhcp_discover.bin", None, "00:40:8c:00:00:05"),
    ],
)
def test_an_answer_names_the_device(sweep, name, ip, mac):
    (found,) = sweep.SWEEP.read(capture(name), "192.0.2.9")
    assert (found.endpoint.ip, found.endpoint.mac) == (ip, mac)
    assert mac is None or values(found)["mac"] == mac


def test_silence_and_noise_name_nobody():
    for sweep in (icmp, ndp, syn, passive):
        assert sweep.SWEEP.read(b"", "") == ()
        assert sweep.SWEEP.read(bytes(64), "") == ()


def test_listening_sends_nothing():
    assert SWEEPS["passive"].medium is Medium.PASSIVE
    assert SWEEPS["passive"].request is None


def test_whoever_names_hardware_addresses_is_asked_before_those_who_only_knock():
    order = sorted(SWEEPS.values(), key=lambda sweep: sweep.order)
    names = [sweep.name for sweep in order]
    assert names.index("arp") < names.index("syn")
    assert names[-1] == "passive"


def test_replies_of_the_camera_discovery_are_also_awaited_at_its_own_port():
    assert SWEEPS["sadp"].also_port == SWEEPS["sadp"].port == 37020
