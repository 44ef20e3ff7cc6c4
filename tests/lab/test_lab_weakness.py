"""A fragile device bears exactly what its limits say, and remembers what killed it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auditor.lab.record import Touches
from auditor.lab.town import Weakness
from auditor.lab.truth import Fragile

SYN, ACK, RST = 0x02, 0x10, 0x04


class Patient:
    """A fragile device under test, with a clock that the test turns."""

    def __init__(self, listed=(), talks=None, **limits):
        self.touches = Touches("weak", "10.20.1.9", "02:00:00:00:00:09")
        self.deaths = 0
        self.weakness = Weakness(Fragile(**limits), self.touches, self.die, listed, talks)
        self.source = 40_000

    def die(self):
        self.deaths += 1

    def connect(self, moment, port=80):
        self.source += 1
        self.weakness.tcp(moment, port, self.source, SYN)

    @property
    def why(self):
        return self.touches.dead


@given(st.integers(1, 8), st.integers(1, 30))
def test_an_even_pace_at_the_limit_is_survived(rate, count):
    patient = Patient(connects_per_s=rate, total=30)
    for number in range(count):
        patient.connect(100 + number / rate)
    assert patient.why is None


@given(st.integers(1, 8), st.floats(0.2, 0.9))
def test_one_more_within_a_second_is_death(rate, span):
    patient = Patient(connects_per_s=rate)
    for number in range(rate + 1):
        patient.connect(100 + number * span / rate)
    assert patient.why == f"more than {rate} connections in a second"
    assert patient.deaths == 1


def test_a_repeated_connection_request_is_still_one_connection():
    patient = Patient(connects_per_s=1)
    for moment in (1.0, 1.2, 1.6):
        patient.weakness.tcp(moment, 80, 40_000, SYN)
    assert patient.why is None


def test_frames_of_a_running_conversation_cost_nothing():
    patient = Patient(connects_per_s=1, total=1)
    patient.connect(1.0)
    for number in range(100):
        patient.weakness.tcp(1.0 + number / 1000, 80, 40_001, ACK)
    assert patient.why is None


def test_too_many_connections_in_all_are_death_however_slow():
    patient = Patient(total=30)
    for number in range(30):
        patient.connect(100.0 * number)
    assert patient.why is None
    patient.connect(5_000)
    assert patient.why == "more than 30 connections"


@pytest.mark.parametrize(("allowed", "sent", "dies"), [(0, 1, True), (2, 2, False), (2, 3, True)])
def test_a_reset_is_death_beyond_what_is_allowed(allowed, sent, dies):
    patient = Patient(resets=allowed)
    for number in range(sent):
        patient.weakness.tcp(float(number), 554, 40_000, RST | ACK)
    assert (patient.why == "a reset to port 554") is dies


def test_too_many_open_at_once_are_death():
    patient = Patient(open=2)
    patient.touches.open = 2
    patient.weakness.opened()
    assert patient.why is None
    patient.touches.open = 3
    patient.weakness.opened()
    assert patient.why == "more than 2 connections open at once"


def test_the_first_cause_of_death_is_kept_and_it_dies_once():
    patient = Patient(connects_per_s=1)
    patient.weakness.tcp(1.0, 80, 40_000, RST)
    for moment in (2.0, 2.1, 2.2):
        patient.connect(moment)
    assert patient.why == "a reset to port 80"
    assert patient.deaths == 1


@pytest.mark.parametrize(("strangers", "dies"), [(False, True), (True, False)])
def test_a_connection_to_a_port_that_nobody_listed_is_death(strangers, dies):
    patient = Patient(listed=(80, 554), strangers=strangers)
    patient.connect(1.0, 554)
    assert patient.why is None
    patient.connect(2.0, 9100)
    assert patient.why == ("a connection to port 9100" if dies else None)


@pytest.mark.parametrize(
    ("port", "first", "dies"),
    [
        (80, b"GET / HTTP/1.1\r\n", False),
        (80, b"\x16\x03\x01", True),
        (80, b'{"cmd": ', True),
        (443, b"\x16\x03\x01\x02", False),
        (443, b"GET / HTTP/1.1\r\n", True),
        (23, b"\xff\xfd\x01", False),  # not asked in lines: whatever it hears is its own affair
    ],
)
def test_what_no_honest_client_begins_with_is_death(port, first, dies):
    patient = Patient(talks={80: False, 443: True})
    patient.weakness.tcp(1.0, port, 40_000, ACK, first)
    assert (patient.why is not None) is dies
    patient.weakness.tcp(1.1, port, 40_000, ACK, b"GET and so on")
    assert (patient.why is not None) is dies
    assert Patient(talks={80: False, 443: True}, garbage=True).why is None


def test_a_violation_of_any_kind_is_death_unless_it_bears_garbage():
    patient, tough = Patient(), Patient(garbage=True)
    for each in (patient, tough):
        each.touches.violation("port 80: method POST")
    assert patient.why == "port 80: method POST" and tough.why is None
