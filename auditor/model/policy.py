"""What a rule says of a device, and why.

Identity says who made a device; only here is anything `nonconforming`. Five verdicts, kept
apart on purpose: UNDETERMINED (a fact is missing) is neither REVIEW (a person must look)
nor CONFORMING (known, and allowed).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from auditor.model.identity import Evidence


class Verdict(StrEnum):
    """SARIF kinds: fail, review, open, pass, notApplicable."""

    NONCONFORMING = "nonconforming"
    REVIEW = "review"
    UNDETERMINED = "undetermined"
    CONFORMING = "conforming"
    NOT_APPLICABLE = "not_applicable"


# most serious first: the verdict of a device under a pack is the worst of its findings
SEVERITY = (
    Verdict.NONCONFORMING,
    Verdict.REVIEW,
    Verdict.UNDETERMINED,
    Verdict.CONFORMING,
    Verdict.NOT_APPLICABLE,
)


@dataclass(frozen=True, slots=True)
class Text:
    """The same words in both official languages."""

    en: str
    fr: str

    def in_language(self, language: str) -> str:
        """Give the words of `en` or `fr`."""
        return self.fr if language == "fr" else self.en


# how a name stands to the entity `to` of a Relation; `country` names the maker's seat instead
# (to: ISO 3166-1 alpha-2 code); `own_brand` is a trade name of the entity itself
RELATION_TYPES = (
    "listed",
    "own_brand",
    "subsidiary",
    "affiliate",
    "oem_rebrand",
    "divested",
    "component_only",
    "country",
)


@dataclass(frozen=True, slots=True)
class Relation:
    """How one maker or brand stands to another, when, and who says so.

    name, to: canonical names. type: one of RELATION_TYPES. valid_from, valid_to: first and
    last day on which it held (None: open). scope: models or lines it is limited to, for
    people; empty means the whole name.
    """

    name: str
    to: str
    type: str
    valid_from: date | None = None
    valid_to: date | None = None
    confidence: str = ""
    source: str = ""
    scope: str = ""

    def holds(self, day: date) -> bool:
        """Tell whether the relation held on that day."""
        after_start = self.valid_from is None or self.valid_from <= day
        return after_start and (self.valid_to is None or day <= self.valid_to)


# canonical name -> every relation that it stands in
Relations = Mapping[str, tuple[Relation, ...]]


@dataclass(frozen=True, slots=True)
class Question:
    """A missing fact: the field that would settle it, what to ask, and whom."""

    field: str  # e.g. asset.acquired
    ask: Text
    who: Text


@dataclass(frozen=True, slots=True)
class Due:
    """A duty that a finding starts: what is due, when, and under which citation."""

    duty: str
    what: Text
    due: date
    zone: str
    citation: str
    done: date | None = None
    citation_fr: str = ""

    @property
    def cited(self) -> Text:
        """Give the citation as each language writes it."""
        return Text(self.citation, self.citation_fr or self.citation)


@dataclass(frozen=True, slots=True)
class Finding:
    """What one rule of one pack says of one device.

    because: the sentence with the facts of this device filled in. consequence: what the
    instrument attaches to it (never "illegal to use" where the instrument does not say so).
    overridden_by / exempted_by: id of the decision that changed the verdict; `judged` is the
    verdict before that, so that nothing is hidden.
    """

    rule: str
    pack: str
    pack_version: str
    device: str
    verdict: Verdict
    because: Text
    consequence: Text
    citation: str
    evidence: tuple[Evidence, ...] = ()
    due: tuple[Due, ...] = ()
    ask: tuple[Question, ...] = ()
    judged: Verdict | None = None
    exempted_by: str | None = None
    overridden_by: str | None = None
    reason: str = ""  # code of what was judged: listed on_or_before maker_unknown …
    citation_fr: str = ""

    @property
    def cited(self) -> Text:
        """Give the citation as each language writes it."""
        return Text(self.citation, self.citation_fr or self.citation)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement of a pack or an entity stands, how sure we are, and when it was read."""

    url: str
    confidence: str  # H M L (MEM is never shipped as a fact)
    read: date
    note: str = ""


@dataclass(frozen=True, slots=True)
class PackSummary:
    """What a report says of a pack; the pack itself stays in the policy room."""

    id: str
    version: str
    title: Text
    jurisdiction: str
    status: str
    as_of: date
    review_by: date
    citation: str | None
    binds: Text
    prohibits: Text
    unconfirmed: tuple[Text, ...]
    sources: tuple[Source, ...]
    sha256: str
    overdue: bool = False
    actions: tuple[tuple[str, str], ...] = ()  # purchase/use/renew/… -> prohibited/not_addressed/…
    legacy: Text | None = None
    citation_fr: str | None = None

    @property
    def cited(self) -> Text | None:
        """Give the citation as each language writes it; None where none was published."""
        return Text(self.citation, self.citation_fr or self.citation) if self.citation else None
