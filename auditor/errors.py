"""Every error that a user can meet, in three parts: what happened, why, and what to do.

Nothing below this module, and nothing above it raises another kind on purpose: the
command line turns these into three lines on stderr and an exit code, anything else is
a defect and is shown as one.
"""


class AuditorError(Exception):
    """Something that the user can act on.

    `what` says what happened, `why` the reason (may be empty), `hint` what to do.
    """

    def __init__(self, what: str, *, why: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.why = why
        self.hint = hint

    def lines(self) -> tuple[str, ...]:
        """Give the one to three lines that a person reads, without colour or escapes."""
        parts = (("error", self.what), ("  why", self.why), ("  fix", self.hint))
        return tuple(f"{label}: {text}" for label, text in parts if text)


class DataError(AuditorError):
    """A value, a file or a reply is not what its format says."""


class UsageError(AuditorError):
    """The command line asks for something that does not exist or does not fit together."""


class ScopeRefusal(AuditorError):
    """Somebody asked for traffic that the scope does not authorise; nothing was sent."""


class EnvironmentLack(AuditorError):
    """This machine lacks a privilege, a program or an interface that the task needs."""


class LedgerError(AuditorError):
    """The inventory database is damaged, locked, full or of another version."""
