"""The versions of what the program knew when it concluded something."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True)
class DataVersion:
    """One body of knowledge used: its name, version, day, SHA-256 and, for people, its age."""

    name: str
    version: str
    day: date
    sha256: str
    rows: int = 0
    age_days: int = 0
    stale: bool = False
