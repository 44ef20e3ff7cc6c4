"""The moments of a run never go back, whatever is done to the clock."""

from datetime import UTC, datetime, timedelta

import pytest

from auditor.commands.moments import Moments

NOON = datetime(2026, 3, 8, 6, 59, tzinfo=UTC)  # a minute before Toronto's clocks go forward
DAY = timedelta(days=1)


class Clock:
    """A wall clock that is set by the test, and seconds that pass."""

    def __init__(self):
        self.set = timedelta(0)
        self.passed = 0.0

    def wall(self):
        return NOON + self.set + timedelta(seconds=self.passed)

    def elapsed(self):
        return self.passed


@pytest.fixture
def clock():
    return Clock()


@pytest.mark.parametrize("jump", [DAY, -DAY, timedelta(hours=1), timedelta(seconds=-3)])
def test_a_clock_that_is_set_is_said_once_and_no_moment_goes_back(clock, jump):
    moments = Moments(clock.wall, elapsed=clock.elapsed)
    given = []
    for second in range(10):
        clock.passed += 1
        if second == 4:
            clock.set = jump
        given.append(moments.now())
    assert given == sorted(given) and len(set(given)) == 10
    assert len(moments.jumps) == 1
    assert ("forward" in moments.jumps[0]) == (jump > timedelta(0))
    assert given[-1] == (clock.wall() if jump > timedelta(0) else clock.wall() - jump)


def test_a_clock_that_is_set_there_and_back_is_said_twice(clock):
    moments = Moments(clock.wall, elapsed=clock.elapsed)
    clock.set = DAY
    there = moments.now()
    clock.set = timedelta(0)
    clock.passed += 1
    assert moments.now() == there + timedelta(seconds=1)
    assert ["forward" in said for said in moments.jumps] == [True, False]


def test_small_corrections_are_not_worth_a_word(clock):
    moments = Moments(clock.wall, elapsed=clock.elapsed)
    for step in (0.5, -0.5, 1.5, -1.5):
        clock.set += timedelta(seconds=step)
        clock.passed += 1
        moments.now()
    assert moments.jumps == []


def test_a_resumed_run_goes_on_behind_its_last_moment(clock):
    moments = Moments(clock.wall, after=NOON + DAY, elapsed=clock.elapsed)
    clock.passed += 1
    assert moments.now() == NOON + DAY + timedelta(seconds=1)
    assert len(moments.jumps) == 1 and "before what this run wrote down" in moments.jumps[0]
