"""A door made of memory: plays a probe against canned replies and keeps what it said and saw."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from auditor.errors import DataError
from auditor.model.observation import Observation, Outcome
from auditor.plugins import Conversation, Heard, Peer, Say

CAPTURES = Path(__file__).parent / "captures"
MOST_STEPS = 1_000  # a conversation longer than this has lost its way

Reply = bytes | Heard
Replies = Sequence[Reply] | Callable[[Say], Reply]


@dataclass
class Played:
    """What a conversation said, what it saw, and how it ended."""

    said: list[Say] = field(default_factory=list)
    observations: list[Observation] = field(default_factory=list)
    outcome: Outcome = Outcome.SILENT

    def values(self, name: str) -> list[str]:
        return [seen.value for seen in self.observations if seen.field == name]

    @property
    def value(self) -> dict[str, str]:
        return {seen.field: seen.value for seen in reversed(self.observations)}


def play(conversation: Conversation, replies: Replies = ()) -> Played:
    """Answer each Say by the next reply (nothing, once they are used up) within its limits."""
    played = Played()
    waiting = iter(()) if callable(replies) else iter(replies)
    answer: Heard | None = None
    try:
        for _ in range(MOST_STEPS):
            step = conversation.send(answer)
            answer = None
            if isinstance(step, Observation):
                played.observations.append(step)
                continue
            played.said.append(step)
            answer = _heard(replies(step) if callable(replies) else next(waiting, b""), step)
            if answer.data or answer.certificate:
                played.outcome = Outcome.ANSWERED
        raise AssertionError("the conversation does not end")
    except StopIteration:
        pass
    except DataError:
        played.outcome = Outcome.GARBLED
    return played


def _heard(reply: Reply, say: Say) -> Heard:
    if isinstance(reply, Heard):
        return reply
    data = reply[: say.limit_bytes]
    return Heard(data, Outcome.ANSWERED if data else Outcome.SILENT)


def heard_by_bytes(raw: bytes, say: Say) -> Heard:
    """Let the reply drip in byte by byte, and stop where `done` says that it is whole."""
    for end in range(1, min(len(raw), say.limit_bytes) + 1):
        if say.done and say.done(raw[:end]):
            return Heard(raw[:end], Outcome.ANSWERED)
    return _heard(raw, say)


def peer(port: int = 80, ip: str = "192.0.2.7", **more) -> Peer:
    return Peer(ip, port, **more)


def capture(name: str) -> bytes:
    return (CAPTURES / name).read_bytes()
