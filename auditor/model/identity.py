"""Who made a device: claims, the evidence for and against them, and how far they stand.

Identity is one axis, verdict another: nothing here knows of any law.
"""

from dataclasses import dataclass
from enum import StrEnum

TRAITS = ("maker", "brand", "model", "serial", "firmware", "device_class")


class Strength(StrEnum):
    """A rung of the ladder, strongest first; each has a written meaning and no number.

    OFFICER       a named person established it and answers for it.
    SELF_DECLARED the device states its maker in a field that no user types.
    PLATFORM      only this maker's software platform behaves so (its relabels do, too).
    BRAND         the name of a brand, as sold; says who sold it, not who made it.
    REGISTRANT    the holder of the IEEE block of the hardware address.
    RECORD        somebody's list or table says so.
    HINT          fits, and fits others as well; names nobody.
    """

    OFFICER = "OFFICER"
    SELF_DECLARED = "SELF_DECLARED"
    PLATFORM = "PLATFORM"
    BRAND = "BRAND"
    REGISTRANT = "REGISTRANT"
    RECORD = "RECORD"
    HINT = "HINT"


class Standing(StrEnum):
    """How far a trait is established."""

    CONFIRMED = "confirmed"
    PROBABLE = "probable"
    HINT = "hint"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One reason to believe one claim.

    claim: trait and value, e.g. ("maker", "Hikvision"). rule: `id@version` of the
    fingerprint, registry or table that says so. field, value: the observation.
    kind: the independent source that it comes from (data/fields.toml: registrant, http,
    rtsp, tls, discovery, snmp, banner, record …): two of one kind count once.
    attempt: ledger sequence number, 0 outside a ledger. raw_sha256: the bytes behind it.
    doubt: what speaks against it being about this device, as a code; such evidence makes nothing
    more than probable.
    """

    trait: str
    claim: str
    rule: str
    field: str
    value: str
    strength: Strength
    kind: str
    attempt: int = 0
    raw_sha256: str | None = None
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Trait:
    """What is held of one trait. `against` holds evidence for other values."""

    value: str | None = None
    standing: Standing = Standing.UNKNOWN
    supporting: tuple[Evidence, ...] = ()
    against: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two pieces of evidence that cannot both be plainly true, and what that may mean.

    code: a key of the report's words, e.g. `relabel`, `brand_differs`, `two_makers`.
    """

    code: str
    trait: str
    one: str
    other: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inference:
    """Something derived from a grammar and marked so, e.g. a build date out of a serial."""

    name: str  # build_date | generation | lifecycle
    value: str
    source: str
    because: str


@dataclass(frozen=True, slots=True)
class Identity:
    """All traits of one device. maker.value is None below `probable`: a hint names nobody."""

    maker: Trait = Trait()
    brand: Trait = Trait()
    model: Trait = Trait()
    serial: Trait = Trait()
    firmware: Trait = Trait()
    device_class: Trait = Trait()
    evidence: tuple[Evidence, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    inferences: tuple[Inference, ...] = ()
    relationship: str | None = None  # of brand to maker: listed subsidiary oem_rebrand …
    data_versions: tuple[tuple[str, str], ...] = ()

    @property
    def standing(self) -> Standing:
        """Give the standing of the maker."""
        return self.maker.standing
