"""What a datagram or frame tells about a device, before anybody decides what to do with it.

Sweeps that ask, listening that only hears, and captures that are read from a file all meet
the same bytes; this is what the encodings of this room make of them.
"""

from dataclasses import dataclass

from auditor.model.observation import Endpoint, Observation


@dataclass(frozen=True, slots=True)
class Seen:
    """One device that a message speaks of.

    protocol: the encoding it came in, e.g. `arp`, `dhcp`, `sadp`.
    """

    protocol: str
    endpoint: Endpoint
    observations: tuple[Observation, ...] = ()


def told(raw: bytes, *pairs: tuple[str, str | None]) -> tuple[Observation, ...]:
    """Make observations of the (field, value) pairs that have a value; `raw` stands behind all."""
    return tuple(Observation(field, value, raw) for field, value in pairs if value)
