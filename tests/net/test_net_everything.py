"""One box that answers for a whole network, and devices that only look like it."""

import pytest

from auditor.model.address import AddressSet
from auditor.net.everything import OPEN, REFUSED, differs, noise, suspects

NET = 0x0A320000  # 10.50.0.0
WHOLE = AddressSet.parse(["10.50.0.0/24"])
PORTS = (80, 443, 554)


def signs(numbers, ttl=63):
    return {NET + number: ttl for number in numbers}


@pytest.mark.parametrize(
    ("asked", "heard", "found"),
    [
        pytest.param(WHOLE, signs(range(256)), 256, id="everybody-the-ends-as-well"),
        pytest.param(WHOLE, signs(range(1, 255)), 0, id="a-full-network-of-hosts"),
        pytest.param(WHOLE, signs([0, *range(1, 200, 2), *range(100, 256)]), 207, id="some-lost"),
        pytest.param(WHOLE, signs([0, 5, 255]), 0, id="three-hosts-of-a-larger-network"),
        pytest.param(
            AddressSet.parse(["10.50.0.10-10.50.0.40"]), signs(range(10, 41)), 0,
            id="a-row-of-devices",
        ),
        pytest.param(
            AddressSet.parse(["10.50.0.10-10.50.0.99"]), signs(range(10, 100)), 90,
            id="so-many-without-a-gap",
        ),
        pytest.param(AddressSet.parse(["10.50.0.0/29"]), signs(range(8)), 0, id="too-few-to-tell"),
        pytest.param(
            WHOLE, signs(range(256)) | signs(range(20, 30), ttl=127), 246,
            id="hosts-among-them-are-as-far-as-they-are",
        ),
    ],
)  # fmt: skip
def test_suspects(asked, heard, found):
    assert sum(len(suspect.members) for suspect in suspects(asked, heard)) == found


def everybody(answers, count=16):
    return [answers] * count


@pytest.mark.parametrize(
    ("sample", "found"),
    [
        pytest.param(everybody(dict.fromkeys(PORTS, REFUSED)), dict.fromkeys(PORTS, REFUSED),
                     id="refuses-for-all"),
        pytest.param(everybody({80: OPEN}), {80: OPEN}, id="a-proxy-of-one-port"),
        pytest.param([{80: OPEN}] * 8 + [{80: REFUSED}] * 8, {}, id="each-answers-for-itself"),
        pytest.param([{80: OPEN}] * 8 + [{}] * 8, {}, id="half-of-them-only"),
        pytest.param([{80: OPEN}] * 15 + [{80: OPEN, 554: OPEN}], {80: OPEN}, id="one-host-there"),
        pytest.param(
            [dict.fromkeys(PORTS, OPEN)] * 14 + [{80: OPEN, 443: REFUSED, 554: REFUSED}] * 2,
            dict.fromkeys(PORTS, OPEN), id="hosts-that-refuse-what-the-box-accepts",
        ),
    ],
)  # fmt: skip
def test_noise(sample, found):
    (suspect,) = suspects(WHOLE, signs(range(256)))
    assert noise(suspect, sample, PORTS) == found


def test_devices_of_one_kind_have_ports_open_and_closed():
    (row,) = suspects(AddressSet.parse(["10.50.0.10-10.50.0.99"]), signs(range(10, 100)))
    assert noise(row, everybody({80: OPEN, 443: REFUSED}), PORTS) == {}


def test_devices_in_a_row_of_which_a_few_differ_are_no_box():
    (row,) = suspects(AddressSet.parse(["10.50.0.10-10.50.0.99"]), signs(range(10, 100)))
    cameras, others = {80: OPEN, 554: OPEN}, {80: OPEN, 554: REFUSED}
    noisy = noise(row, [cameras] * 13 + [others] * 3, (80, 554))
    assert differs(cameras, noisy)


def test_only_who_differs_from_the_box_is_there():
    noisy = {80: OPEN, 443: OPEN}
    assert not differs({80: OPEN, 443: OPEN}, noisy)
    assert not differs({}, noisy)
    assert differs({80: OPEN, 443: REFUSED}, noisy)
    assert differs({554: OPEN}, noisy)
