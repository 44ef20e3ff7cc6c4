"""What still stands of all that was heard of a device, and what later answers took the place of."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from auditor.model.device import Asked, Sighting
from auditor.model.observation import Origin, Outcome

_HEARD = (Origin.WIRE, Origin.SIGHTING)


def superseded(sightings: Iterable[Sighting], asked: Iterable[Asked] = ()) -> tuple[Sighting, ...]:
    """Give what the same questions have heard otherwise since; empty where nothing changed."""
    kept = tuple(sightings)
    standing = {id(s) for s in current(kept, asked)}
    return tuple(s for s in kept if id(s) not in standing)


def current(sightings: Iterable[Sighting], asked: Iterable[Asked] = ()) -> Iterator[Sighting]:
    """Leave out what is superseded: by the field, and as a whole by a later answer or a no."""
    kept = tuple(sightings)
    latest: dict[tuple[str, int, str], datetime] = {}
    for s in kept:
        if s.origin in _HEARD:
            key = (s.tool, s.endpoint.port, s.observation.field)
            before = latest.get(key)
            latest[key] = s.seen if before is None else max(before, s.seen)
    known = {(a.tool, a.port, a.ip): a for a in asked if a.outcome.is_knowledge}
    for s in kept:
        name = s.observation.field
        lasts = s.origin not in _HEARD or name == "mac"
        since = None if lasts else known.get((s.tool, s.endpoint.port, s.endpoint.ip))
        if lasts or (s.seen == latest[s.tool, s.endpoint.port, name] and not _undone(s, since)):
            yield s


def _undone(sighting: Sighting, since: Asked | None) -> bool:
    """Tell whether a later outcome of the same question at the same address leaves nothing.

    A stream is one answer, so a later one stands for all of it. Replies to a group come in
    pieces: only a refusal ends them.
    """
    if since is None or sighting.origin is not Origin.WIRE or sighting.seen >= since.when:
        return False
    return since.outcome is Outcome.REFUSED or sighting.endpoint.transport == "tcp"
