"""What an officer sets on the command line: each thing once, companies by names that are known."""

from collections.abc import Iterable
from functools import partial

from auditor.errors import UsageError
from auditor.identify.makers import Makers
from auditor.identify.meant import meant, near
from auditor.model.identity import TRAITS
from auditor.policy.worksheet import established

_ANOTHER_NAME = {"class": "device_class"}


def pairs(texts: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Read `NAME=VALUE`; refuse what sets nothing, and a name that is set twice."""
    found: dict[str, str] = {}
    for text in texts:
        name, sign, value = (part.strip() for part in text.partition("="))
        name = _ANOTHER_NAME.get(name, name)
        if not (sign and name and value):
            raise UsageError(f"{text!r} sets nothing", hint="write NAME=VALUE")
        if name in found:
            raise UsageError(
                f"{name} is set twice: {found[name]!r} and {value!r}",
                why="the last one would silently undo the others",
                hint="say it once; to correct an earlier decision, decide again",
            )
        found[name] = value
    return tuple(found.items())


def settled(name: str, value: str, makers: Makers, *, as_written: bool) -> str:
    """Give the value that is recorded: a company by its canonical name, a class by its code.

    as_written: the person means a name that nobody knows; it is recorded and clears nothing.
    """
    if name not in TRAITS:
        return value
    known = meant(value, makers)
    if name in {"maker", "brand"} and known is None and as_written:
        return value
    return established(name, value, partial(meant, makers=makers), partial(near, makers=makers))
