"""Turns what the encodings saw into what a sweep found; no sweep of its own."""

from collections.abc import Iterable

from auditor.plugins import Found
from auditor.wire.seen import Seen


def found(seen: Iterable[Seen]) -> tuple[Found, ...]:
    """Give each device that was seen as the endpoint it spoke from and what it told."""
    return tuple(Found(device.endpoint, device.observations) for device in seen)
