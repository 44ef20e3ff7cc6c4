"""The geometry of bars, curves and timelines."""

from hypothesis import given
from hypothesis import strategies as st

from auditor.formats.pictures import LEAST, SPAN, curve, segments, timeline

COUNTS = st.lists(st.tuples(st.sampled_from("abcdef"), st.integers(0, 10**9)), max_size=7)


@given(COUNTS)
def test_a_bar_is_filled_exactly_and_in_order(pairs):
    drawn = segments(pairs)
    assert [one.key for one in drawn] == [key for key, count in pairs if count]
    if drawn:
        assert abs(sum(float(one.width) for one in drawn) - SPAN) < 0.1
        ends = [float(one.x) + float(one.width) for one in drawn]
        assert all(
            abs(end - float(after.x)) < 0.05 for end, after in zip(ends, drawn[1:], strict=False)
        )


@given(COUNTS)
def test_what_is_not_nothing_is_never_too_thin_to_see(pairs):
    assert all(float(one.width) > LEAST / 2 for one in segments(pairs))


def test_a_curve_needs_two_points_and_starts_from_zero():
    assert curve([(1.0, "a", 5)]) is None
    drawn = curve([(1.0, "a", 10), (2.0, "b", 0)])
    assert (drawn.points[0].y, drawn.points[1].y) == ("16", "168")
    assert drawn.top == 10


def test_a_timeline_places_the_first_left_and_the_last_right():
    placed = timeline([(20.0, "c"), (10.0, "a"), (15.0, "b")])
    assert [(point.label, point.x) for point in placed] == [("a", "12"), ("b", "320"), ("c", "628")]


def test_one_day_is_no_timeline():
    assert timeline([(10.0, "a"), (10.0, "b")]) == ()
