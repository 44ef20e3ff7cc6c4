"""What an officer signs beside the findings: duties, annexes, registers, the answer table.

Frozen values that the policy room fills and a format lays out; no words are made there and
nothing is computed here. A value of None is a blank that a person must fill in.
"""

from dataclasses import dataclass
from datetime import date

from auditor.model.decision import Decision
from auditor.model.policy import Due, Question, Text, Verdict


@dataclass(frozen=True, slots=True)
class Element:
    """One blank of a form. required: a blank value is printed as REQUIRED, else as optional.

    source: the field or trait that the value was taken from; empty when blank.
    """

    key: str
    label: Text
    value: str | None
    required: bool = True
    source: str = ""


@dataclass(frozen=True, slots=True)
class AnnexItem:
    """The form of one device: its elements in order, and what is due for it."""

    device: str
    site: str
    verdict: Verdict
    elements: tuple[Element, ...]
    due: tuple[Due, ...] = ()


@dataclass(frozen=True, slots=True)
class Annex:
    """One form that an instrument (or good practice under it) asks for, device by device.

    id: e.g. `us-889`, unique within the pack. unconfirmed: what the form rests on that could
    not be confirmed; printed with it.
    """

    id: str
    pack: str
    pack_version: str
    title: Text
    intro: Text
    citation: str
    items: tuple[AnnexItem, ...]
    unconfirmed: tuple[Text, ...] = ()
    citation_fr: str = ""

    @property
    def cited(self) -> Text:
        """Give the citation as each language writes it."""
        return Text(self.citation, self.citation_fr or self.citation)


@dataclass(frozen=True, slots=True)
class Clock:
    """One running or answered duty. state: `due` | `overdue` | `done` | `done_late`.

    days_left: calendar days until it is due, negative when overdue. provisional: the start
    is not recorded yet, so the date may move.
    """

    device: str
    pack: str
    due: Due
    state: str
    days_left: int
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One device in the table that parliaments and access requests ask for.

    device_class, owner_type: codes (`camera`, `own`, …), `unknown` where nobody said.
    connected: `yes` | `no` | `unknown`. Dates and assessments as recorded, None when blank.
    """

    device: str
    organisation: str
    site: str
    device_class: str
    owner_type: str
    connected: str
    maker: str | None
    brand: str | None
    model: str | None
    bought: str | None
    removed: str | None
    replacement: str | None
    privacy_assessment: str | None


@dataclass(frozen=True, slots=True)
class AnswerTotal:
    """How many devices share organisation, site, class, owner type and connection."""

    organisation: str
    site: str
    device_class: str
    owner_type: str
    connected: str
    count: int


@dataclass(frozen=True, slots=True)
class ExceptionRow:
    """One exemption and how it stands today; printed whatever its state.

    state: `active` | `ends_soon` (30 days) | `ends_very_soon` (7 days) | `expired` |
    `withdrawn` | `exceeded` (covers more devices than it was granted for, so holds for none)
    | `void` (lacks what an exemption must have; problems says what).
    """

    decision: Decision
    state: str
    days_left: int
    devices: tuple[str, ...]
    problems: tuple[Text, ...] = ()


@dataclass(frozen=True, slots=True)
class RemovalStep:
    """One recorded step of taking a device away: found isolated unplugged disposed."""

    step: str
    day: date
    by: str
    decision: str
    proof: str = ""


@dataclass(frozen=True, slots=True)
class RemovalRow:
    """How far the removal of one device has come.

    state: `found` | `isolated` | `unplugged` | `disposed` | `reappeared`. proof:
    `disposal_record` | `absence` (scans, port down and no lease together) | empty.
    seen_again: where and when it was seen after that, empty when it was not.
    """

    device: str
    site: str
    state: str
    steps: tuple[RemovalStep, ...]
    proof: str = ""
    seen_again: str = ""


@dataclass(frozen=True, slots=True)
class BurnPoint:
    """How many of the devices that had to go stood in each state at the end of one day."""

    day: date
    found: int
    isolated: int
    unplugged: int
    disposed: int

    @property
    def open(self) -> int:
        """Count the devices whose removal is not proved."""
        return self.found + self.isolated + self.unplugged


@dataclass(frozen=True, slots=True)
class QuestionRow:
    """One missing fact of one device: a line of the worksheet that goes to the person to ask."""

    site: str
    device: str
    label: str  # what the person recognises it by: address, brand, model, tag, room
    packs: tuple[str, ...]
    question: Question
    answer: str = ""


@dataclass(frozen=True, slots=True)
class Annexes:
    """Everything of this module that one report carries."""

    clocks: tuple[Clock, ...] = ()
    annexes: tuple[Annex, ...] = ()
    answers: tuple[AnswerRow, ...] = ()
    totals: tuple[AnswerTotal, ...] = ()
    exceptions: tuple[ExceptionRow, ...] = ()
    removals: tuple[RemovalRow, ...] = ()
    burn_down: tuple[BurnPoint, ...] = ()
    questions: tuple[QuestionRow, ...] = ()
