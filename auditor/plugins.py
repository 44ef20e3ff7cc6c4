"""The kinds of plug-in as frozen values, what they are handed, and how they are found.

A plug-in is one new file that ends in one constant (`PROBE = Probe(…)`); adding the file is
the whole registration. A probe or a sweep is pure: it says which bytes to send and reads
the bytes that came. It is handed its conversation and cannot open one, so the scope guard,
which sits under the sockets, cannot be gone round.
"""

import importlib
import pkgutil
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, TypeVar

from auditor.errors import DataError
from auditor.model.block import Block
from auditor.model.observation import Attempt, Endpoint, Observation, Outcome
from auditor.model.scope import Pace

if TYPE_CHECKING:  # what is reported is no matter of a scan, and takes its time to load
    from auditor.model.device import Assessed, Coverage
    from auditor.model.policy import Question, Text, Verdict
    from auditor.model.report import Report

# ---------------------------------------------------------------- probes: what is it?


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom a probe speaks to. tls: whether the port is spoken to inside TLS.

    known: what earlier questions of this run already told about the host. needless: tells of
    what was seen in this conversation, and of fields that a reply is told by, whether such a
    reply can add nothing any more.
    """

    ip: str
    port: int
    tls: bool = False
    known: tuple[Observation, ...] = ()
    community: str | None = field(default=None, repr=False)
    needless: Callable[[Sequence[Observation], Sequence[str]], bool] | None = field(
        default=None, repr=False, compare=False
    )


@dataclass(frozen=True, slots=True)
class Say:
    """Send `data` (may be empty: only listen) and collect a reply.

    done: tells from what has come so far whether the reply is whole; without it the reply is
    whole when the peer closes or stays idle. limit_bytes: more is not read. fresh: on a new
    connection (the first Say always is). TLS peers: the handshake happens before `data`.
    tells: the fields that the reply is told by, where nothing else comes of it: it is not
    asked, and the conversation ends, when they can add nothing to what is known of the peer.
    """

    data: bytes
    done: Callable[[bytes], bool] | None = None
    limit_bytes: int = 16_384
    fresh: bool = False
    idle_s: float = 2.0
    tells: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Heard:
    """What came back: bytes (maybe none), how it ended, the peer's certificate (DER).

    detail: for people; inside TLS, the version that was agreed on, e.g. `TLSv1.2`.
    """

    data: bytes
    outcome: Outcome
    certificate: bytes = b""
    detail: str = ""


# A conversation yields what to say (and is sent what was heard) or what it has seen (and is
# sent None). It returns when it is done. What it has yielded survives whatever comes later.
#
# How it ends: a conversation that finds another protocol than its own yields what it saw and
# raises DataError; the door records GARBLED and keeps the observations. One that returns
# without a single Say has nothing to ask (what is `known` answers it already, or speaks of
# another port): no connection is opened and no attempt is recorded. A Say without `fresh`
# after the peer has closed is heard as no bytes, never as an error.
Conversation = Generator[Say | Observation, Heard | None, None]


@dataclass(frozen=True, slots=True)
class Probe:
    """One protocol that can tell what a device is.

    transport: tcp | udp. ports: names of port lists in data/ports.toml. source: RFC or
    description of the protocol. order: lower asks first. speak: pure.
    needs_community: only used when the scope authorises SNMP. listens: sends nothing; a port
    whose owner speaks first is not sent another protocol's words afterwards. late: asked when
    others have answered, because its answer seldom adds anything; listening is late by itself.
    """

    name: str
    transport: str
    ports: tuple[str, ...]
    speak: Callable[[Peer], Conversation]
    source: str
    order: int = 50
    tls: bool = False
    needs_community: bool = False
    listens: bool = False
    late: bool = False


# ---------------------------------------------------------------- sweeps: who is there?


MOST_TIMES = 2  # that a group is asked in a run, whatever the profile says
MANY_QUESTIONS = 12  # in thirty seconds: a segment on which all groups may be asked twice at once


class Medium(StrEnum):
    """How a sweep asks; the net room has one engine for each."""

    FRAME = "frame"  # one raw frame per address (ARP, TCP SYN, ICMP): needs CAP_NET_RAW
    GROUP = "group"  # one datagram per segment, many answers (SADP, WS-Discovery, SSDP, mDNS)
    CONNECT = "connect"  # TCP connect per address and port; needs no privilege
    PASSIVE = "passive"  # sends nothing


@dataclass(frozen=True, slots=True)
class Found:
    """One device that a sweep's reply speaks of.

    The endpoint may lie outside the authorised networks (a camera on its factory address):
    it is recorded and never contacted.
    """

    endpoint: Endpoint
    observations: tuple[Observation, ...] = ()


@dataclass(frozen=True, slots=True)
class Sweep:
    """One way to find out who is there.

    group, port, request: for GROUP (request gives the bytes of one datagram; its argument is
    a random 128-bit number for the message id). also_port: replies may come to this port as
    well (SADP). read: pure: the bytes of one reply and the sender's IP -> what was found;
    our own echo gives nothing. kind: for FRAME, the frame builder in net.link: arp|syn|icmp|ndp.
    again: a group in which devices answer that nothing else finds; asked twice under any pace.
    """

    name: str
    medium: Medium
    source: str
    group: str = ""
    port: int = 0
    request: Callable[[int], bytes] | None = None
    read: Callable[[bytes, str], tuple[Found, ...]] | None = None
    also_port: int = 0
    kind: str = ""
    order: int = 50
    again: bool = False

    @property
    def for_all(self) -> bool:
        """Tell whether one question of it is heard by everybody on a segment."""
        return self.medium is Medium.GROUP or self.kind == "ndp"

    def times(self, pace: Pace) -> int:
        """Tell how often everybody on a segment is asked in a run (see decision 0012)."""
        if (
            ":" in self.group
        ):  # IPv6 neighbours are found by their echo; what they tell is asked once
            return 1
        sparing = pace.discovery_per_30s < MANY_QUESTIONS and not self.again
        return min(pace.rounds, 1 if sparing else MOST_TIMES)


# ---------------------------------------------------------------- importers: what did others see?


@dataclass(frozen=True, slots=True)
class Sample:
    """What an importer may look at to recognise a file: its name is only a tie-breaker."""

    name: str
    head: bytes  # the first 64 KiB
    size: int


@dataclass(frozen=True, slots=True)
class Options:
    """What the user said about a file.

    mapping: column heading -> field. dates: `dmy`, `mdy`, `ymd` or empty (ask when ambiguous).
    headings: further headings -> field, before those of data/headings.toml; secrets: further
    headings of columns that are dropped. moment: taken as the time of records that carry none.
    zone: of times that name none. name: of the file, for `detail`. kind: the tool that wrote
    the file where the user says so, else empty.
    """

    site: str
    moment: datetime
    mapping: Mapping[str, str] = field(default_factory=dict)
    dates: str = ""
    headings: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[str, ...] = ()
    zone: str = "UTC"
    sheet: str = ""
    name: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that was not taken: where, and why. text: the row with secrets removed."""

    line: int
    reason: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class Noted:
    """Something about a record that was taken, but not whole: what was left out, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Mapped:
    """How one column was understood. score: 100 exact alias, less when fuzzy, 0 unused.

    dropped: a column of secrets that was thrown away before anything was stored.
    reason: for people, e.g. the suggestion that was too uncertain to be used.
    """

    column: str
    field: str | None
    score: int
    dropped: bool = False
    reason: str = ""


# a Block stands for one attempt per record; importers of long tables give blocks
Item = Attempt | Block | Rejected | Noted | Mapped


@dataclass(frozen=True, slots=True)
class Importer:
    """One format that an organisation's knowledge comes in.

    recognise: 0 (not mine) … 100 (certain), by content. read: streams attempts with origin
    FILE (or SIGHTING for captures), rejected rows and the mapping; never raises for a bad row,
    raises DataError when the file as a whole is not what it claims. isolated: run in a child
    process with limits (workbooks, archives).
    """

    name: str
    recognise: Callable[[Sample], int]
    read: Callable[[BinaryIO, Options], Iterator[Item]]
    source: str
    isolated: bool = False
    columns: bool = False  # has columns: --map and --dry-run's mapping apply


# ---------------------------------------------------------------- checks: what does a rule ask?


@dataclass(frozen=True, slots=True)
class Case:
    """All that a check may look at. today: the day of the assessment in the officer's zone.

    site_facts: e.g. {"sensitive": "yes"}; identified: when the maker was first established.
    """

    assessed: "Assessed"
    coverage: "Coverage"
    today: date
    identified: datetime | None = None
    site_facts: Mapping[str, str] = field(default_factory=dict)
    organisation: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a check concludes; words come from the rule, `facts` fill its blanks."""

    verdict: "Verdict"
    reason: str  # key of the rule's words, e.g. `listed`, `affiliate`, `after_cutoff`
    facts: tuple[tuple[str, str], ...] = ()
    ask: "tuple[Question, ...]" = ()


@dataclass(frozen=True, slots=True)
class Check:
    """A template that rules of packs fill with parameters.

    params: a pydantic model class (extra = "forbid"). examine(case, params, relations) is
    pure; `relations` maps a maker or brand to its relationship with a listed entity.
    """

    name: str
    params: type
    examine: Callable[..., Answer]
    says: "Text"


# ---------------------------------------------------------------- formats: a report as bytes


@dataclass(frozen=True, slots=True)
class Written:
    """One file of the output: its name inside the output folder and its bytes in pieces."""

    name: str
    pieces: Iterable[bytes]


T = TypeVar("T")
Words = Mapping[str, str]  # key -> text in one language; a missing key is an error


class Renderer(Protocol):
    """Turns a report into files. words: per language. resources: the reports/ folder."""

    def __call__(
        self,
        report: "Report",
        words: Mapping[str, Words],
        languages: Sequence[str],
        resources: Path,
    ) -> Iterator[Written]:
        """Give the files of this format; the same report gives the same bytes."""


@dataclass(frozen=True, slots=True)
class Format:
    """One output format; `name` is what `--format` takes."""

    name: str
    render: Renderer
    source: str
    per_language: bool = False


# ---------------------------------------------------------------- finding them


def load(package: str, constant: str, kind: type[T]) -> tuple[T, ...]:
    """Import every module of `package` and collect its `constant`, sorted by name.

    A module without the constant is a helper and is passed over; a constant of another kind
    is a defect of that file and is said so.
    """
    found: list[T] = []
    home = importlib.import_module(package)
    for entry in pkgutil.iter_modules(home.__path__):
        module = importlib.import_module(f"{package}.{entry.name}")
        value = getattr(module, constant, None)
        if value is None:
            continue
        if not isinstance(value, kind):
            raise DataError(
                f"{package}.{entry.name}.{constant} is a {type(value).__name__}",
                hint=f"make it a {kind.__name__}",
            )
        found.append(value)
    return tuple(sorted(found, key=lambda plugin: str(getattr(plugin, "name", ""))))
