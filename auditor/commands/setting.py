"""What holds for every command: the ledger, the settings file, how much to say, the clock."""

import contextlib
import re
import sys
import tomllib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from auditor.commands.terminal import safe
from auditor.errors import DataError, UsageError

# name in the settings file -> type; an unknown name is a mistake, not a wish
KNOWN = {
    "organisation": str,
    "organisation_kind": str,
    "site": str,
    "packs": list,
    "trust": list,
    "zone": str,
    "prepared_by": str,
    "mark": str,
    "fingerprints": str,
    "pack_files": list,
}


@dataclass(frozen=True, slots=True)
class Setting:
    """The ledger's URL, what the settings file says, and how much is said."""

    db: str
    quiet: bool = False
    verbose: bool = False
    said: dict[str, object] = field(default_factory=dict)

    @classmethod
    def read(cls, db: str, config: Path | None, *, quiet: bool, verbose: bool) -> "Setting":
        """Read the settings file, `auditor.toml` of the working directory by default."""
        path = config or Path("auditor.toml")
        if not config and not path.exists():
            return cls(db, quiet, verbose)
        try:
            said = tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            raise UsageError(f"cannot read {path}", why=error.strerror or "") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"{path} is no TOML file", why=str(error)) from error
        wrong = [
            name for name in said if name not in KNOWN or not isinstance(said[name], KNOWN[name])
        ]
        if wrong:
            raise DataError(
                f"{path}: unknown or wrong settings: {', '.join(wrong)}",
                hint=f"known: {', '.join(sorted(KNOWN))}",
            )
        _check_zone(path, said.get("zone"))
        return cls(db, quiet, verbose, said)

    @property
    def shown_db(self) -> str:
        """Give the ledger's URL as it may be printed: without a password."""
        return re.sub(r"(?<=://)([^:@/]*):.*@", r"\1:…@", self.db)

    def text(self, name: str) -> str:
        """Give a setting, empty where it is not set."""
        return str(self.said.get(name, ""))

    def texts(self, name: str) -> tuple[str, ...]:
        """Give a setting that is a list."""
        found = self.said.get(name, [])
        return tuple(map(str, found)) if isinstance(found, list) else ()

    @property
    def zone(self) -> str:
        """Give the time zone of the officer; UTC unless set."""
        return self.text("zone") or "UTC"

    def now(self) -> datetime:
        """Give the moment (UTC); the only wall clock of a command."""
        return datetime.now(UTC)

    def day(self, text: str) -> date:
        """Read a day given by the user, today in the officer's zone where none is given."""
        try:
            if not text:
                return self.now().astimezone(ZoneInfo(self.zone)).date()
            return date.fromisoformat(text)
        except ZoneInfoNotFoundError as error:
            raise DataError(f"{self.zone!r} is no time zone") from error
        except ValueError as error:
            raise UsageError(
                f"{text!r} is no day", why=str(error), hint="write it as 2026-11-23"
            ) from error

    def say(self, text: str) -> None:
        """Tell a person something on stderr, unless they asked for quiet or have gone."""
        if not self.quiet:
            with contextlib.suppress(OSError):
                print(safe(text, 4000), file=sys.stderr)


def _check_zone(path: Path, name: object) -> None:
    """Refuse a time zone that is none, before a day is judged or written down by it."""
    try:
        ZoneInfo(str(name or "UTC"))
    except (KeyError, ValueError, OSError) as error:
        raise DataError(
            f"{path}: {name!r} is no time zone", hint='write zone = "America/Toronto"'
        ) from error
