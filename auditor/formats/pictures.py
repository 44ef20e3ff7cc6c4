"""The geometry of the pictures in a report; the templates draw it as inline SVG.

No picture carries a fact that does not also stand beside it as text.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

SPAN = 1000.0  # width of a bar in its own units
LEAST = 8.0  # what is not nothing is never too thin to see


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of a bar: what it stands for and where it lies."""

    key: str
    x: str
    width: str


def segments(pairs: Iterable[tuple[str, int]]) -> tuple[Segment, ...]:
    """Divide a bar in proportion; a small share is widened at the cost of the large ones."""
    counts = [(key, count) for key, count in pairs if count > 0]
    whole = sum(count for _, count in counts)
    widths = [max(SPAN * count / whole, LEAST) for _, count in counts]
    scale = SPAN / sum(widths) if widths else 1.0
    drawn, x = [], 0.0
    for (key, _), width in zip(counts, widths, strict=True):
        drawn.append(Segment(key, _units(x), _units(width * scale)))
        x += width * scale
    return tuple(drawn)


def _units(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a curve with the day or moment and the value that it shows."""

    x: str
    y: str
    label: str
    value: int


@dataclass(frozen=True, slots=True)
class Curve:
    """A step curve inside a box of `width` x `height`, and the top of its scale."""

    path: str
    points: tuple[Point, ...]
    top: int
    width: int = 640
    height: int = 200


def curve(values: Sequence[tuple[float, str, int]]) -> Curve | None:
    """Draw (position, label, value) as steps over a scale from 0; None for fewer than two."""
    if len(values) < 2:
        return None
    left, right, high, low = 44.0, 628.0, 16.0, 168.0
    first, last = values[0][0], values[-1][0]
    top = max(1, *(value for *_, value in values))
    points = tuple(
        Point(
            _units(left + (right - left) * (at - first) / ((last - first) or 1.0)),
            _units(low - (low - high) * value / top),
            label,
            value,
        )
        for at, label, value in values
    )
    steps = [f"M{points[0].x} {points[0].y}"]
    steps += [f"H{point.x}V{point.y}" for point in points[1:]]
    return Curve("".join(steps), points, top)


def timeline(events: Sequence[tuple[float, str]]) -> tuple[Point, ...]:
    """Place (position, label) on a line, the earliest first; nothing where all are one day."""
    placed = sorted(events)
    if len({at for at, _ in placed}) < 2:
        return ()
    left, right = 12.0, 628.0
    first, last = placed[0][0], placed[-1][0]
    return tuple(
        Point(_units(left + (right - left) * (at - first) / (last - first)), "12", label, 0)
        for at, label in placed
    )
