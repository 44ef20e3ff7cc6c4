"""A policy pack as the rest of the program knows it: frozen, checked, with nothing to look up.

The same classes are what the reader validates a TOML file into; a key that none of them
knows is a mistake of the file.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from auditor.model.policy import Source, Text, Verdict
from auditor.plugins import Check
from auditor.policy.words import typeset

STRICT = ConfigDict(extra="forbid")
Status = Literal[
    "in_force",
    "litigated",
    "partly",
    "proposed",
    "enacted_not_in_force",
    "done",
    "superseded",
    "repealed",
]
# instruments of these states are applied; the others are printed and judge nothing
APPLIED = frozenset({"in_force", "litigated", "partly", "done"})
State = Literal["prohibited", "restricted", "undetermined", "not_addressed"]
ACTIONS = (
    "purchase",
    "use",
    "renew",
    "authorisation",
    "import_marketing",
    "export",
    "contract_eligibility",
)
NonEmpty = Annotated[str, Field(min_length=1)]


def _both(value: object) -> object:
    """Refuse words in one language only, before they become a Text."""
    if not isinstance(value, dict) or set(value) != {"en", "fr"}:
        raise ValueError("write { en = …, fr = … }: both languages, and nothing else")
    if not all(isinstance(words, str) and words.strip() for words in value.values()):
        raise ValueError("the words of one language are missing")
    return {"en": value["en"], "fr": typeset(value["fr"])}


def _pairs(value: object) -> object:
    return tuple(value.items()) if isinstance(value, dict) else value


def _cited(value: object) -> object:
    """Take a citation that is the same in both languages as one string."""
    return {"en": value, "fr": value} if isinstance(value, str) else value


Words = Annotated[Text, BeforeValidator(_both)]
Citation = Annotated[Text, BeforeValidator(_both), BeforeValidator(_cited)]


@dataclass(frozen=True, slots=True)
class Instrument:
    """The legal act. citation: None where none has been published."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    type: NonEmpty
    issuer: Words
    citation: Citation | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Dates:
    """When it was announced, took effect, was amended, ends, and when old equipment must be gone."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    announced: date | None = None
    in_force: date | None = None
    amended: tuple[date, ...] = ()
    ended: date | None = None
    deadline_legacy: date | None = None


@dataclass(frozen=True, slots=True)
class Binds:
    """Whom the instrument binds. kinds: codes of organisations; empty: nobody in particular."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    says: Words
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entity:
    """A company that the instrument names. name: canonical; legal: as the instrument writes it."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: NonEmpty
    legal: NonEmpty
    group: str = ""


@dataclass(frozen=True, slots=True)
class Legacy:
    """What becomes of equipment that was there before."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    rule: NonEmpty
    says: Words


@dataclass(frozen=True, slots=True)
class Waiver:
    """Something that the instrument does not reach, or that may be granted; a person decides."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: NonEmpty
    says: Words


@dataclass(frozen=True, slots=True)
class Duty:
    """A report or an act with a clock.

    within, unit: how long. start: `identified`, or `submitted:<id of another duty>`.
    calendar: ISO country whose public holidays are no business days. on: reason codes that
    start it. variant: clauses that exclude each other share a variant group by their prefix.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: NonEmpty
    says: Words
    citation: Citation
    within: Annotated[int, Field(ge=1)]
    unit: Literal["business_days", "days", "hours"]
    start: NonEmpty
    on: tuple[str, ...]
    rules: tuple[str, ...] = ()
    calendar: str = ""
    variant: str = ""
    unconfirmed: bool = False


@dataclass(frozen=True, slots=True)
class Blank:
    """One element of a form. source: field or trait that fills it, first found of several."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    key: NonEmpty
    label: Words
    source: tuple[str, ...] = ()
    required: bool = True


@dataclass(frozen=True, slots=True)
class Form:
    """An annex: which reasons put a device on it, and its elements. variant: see Duty."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: NonEmpty
    title: Words
    intro: Words
    citation: Citation
    on: tuple[str, ...]
    element: tuple[Blank, ...]
    variant: str = ""


@dataclass(frozen=True, slots=True)
class Wording:
    """Why, and what follows from it, for one reason code."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    because: Words
    consequence: Words


@dataclass(frozen=True, slots=True)
class RawRule:
    """A rule as it stands in the file, its parameters not yet checked."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    id: NonEmpty
    check: NonEmpty
    title: Words
    action: Literal[
        "purchase",
        "use",
        "renew",
        "authorisation",
        "import_marketing",
        "export",
        "contract_eligibility",
    ]
    citation: Citation
    params: Annotated[tuple[tuple[str, Any], ...], BeforeValidator(_pairs)] = ()
    words: Annotated[tuple[tuple[str, Wording], ...], BeforeValidator(_pairs)] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """One question of a pack: a check with its parameters and its words per reason code."""

    id: str
    check: Check
    title: Text
    action: str
    citation: Text
    params: Any
    words: dict[str, Wording]
    outcomes: dict[str, frozenset[Verdict]]


@dataclass(frozen=True, slots=True)
class Told:
    """A relation that a case supposes."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    name: str
    to: str
    type: str
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True, slots=True)
class PackCase:
    """A made-up device and what the rule must say of it; documentation and test in one.

    looked: whether the device itself answered anything. records: `asset.*` without prefix.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    rule: NonEmpty
    says: NonEmpty
    expect: Verdict
    reason: NonEmpty
    maker: str | None = None
    standing: Literal["confirmed", "probable", "hint", "unknown"] = "confirmed"
    brand: str | None = None
    model: str | None = None
    device_class: str | None = "camera"
    today: date | None = None
    seen: date | None = None
    looked: bool = True
    records: Annotated[tuple[tuple[str, str], ...], BeforeValidator(_pairs)] = ()
    site: Annotated[tuple[tuple[str, str], ...], BeforeValidator(_pairs)] = ()
    relations: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class RawPack:
    """A whole file, keys as they stand in it."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    schema: Literal["policy-pack/1"]
    id: Annotated[str, Field(pattern=r"^[a-z0-9][A-Za-z0-9-]{2,60}$")]
    version: NonEmpty
    jurisdiction: NonEmpty
    status: Status
    as_of: date
    review_by: date
    title: Words
    instrument: Instrument
    dates: Dates
    binds: Binds
    prohibits: Words
    actions: Annotated[tuple[tuple[str, State], ...], BeforeValidator(_pairs)]
    legacy: Legacy
    source: Annotated[tuple[Source, ...], Field(min_length=1)]
    rule: Annotated[tuple[RawRule, ...], Field(min_length=1)]
    case: Annotated[tuple[PackCase, ...], Field(min_length=1)]
    entity: tuple[Entity, ...] = ()
    relationships: Annotated[tuple[tuple[str, Verdict], ...], BeforeValidator(_pairs)] = ()
    exception: tuple[Waiver, ...] = ()
    duty: tuple[Duty, ...] = ()
    form: tuple[Form, ...] = ()
    unconfirmed: tuple[Words, ...] = ()


@dataclass(frozen=True, slots=True)
class Pack:
    """One instrument, whole: what stands in the file, its rules ready to be asked, its hash."""

    raw: RawPack
    rules: tuple[Rule, ...]
    sha256: str
    path: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        """Give the name by which `--pack` takes it."""
        return self.raw.id

    @property
    def version(self) -> str:
        """Give the version of the file, not of the instrument."""
        return self.raw.version

    def applies_on(self, day: date) -> bool:
        """Tell whether the instrument bound anybody on that day."""
        dates = self.raw.dates
        started = dates.in_force is not None and dates.in_force <= day
        return (
            self.raw.status in APPLIED and started and (dates.ended is None or day <= dates.ended)
        )
