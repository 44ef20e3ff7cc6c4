"""What must be as it was when an interrupted scan is taken up again, and what may be added.

A scan goes on in one scope to the end, so that its result is that of a scan that nobody
interrupted. Only exclusions can be added: whoever must not be asked is not asked from then on.
"""

import ipaddress
from collections.abc import Mapping, Sequence

from auditor.errors import EnvironmentLack, ScopeRefusal, UsageError
from auditor.model.scope import Authority

ROUTED = "routed"
Place = tuple[str, str]  # an interface and the network that it stood in


def refuse_changes(engine: str, given: Mapping[str, object]) -> None:
    """Refuse options that an interrupted scan cannot take: name -> what was given, false for nothing.

    engine: the one that the scan began with.
    """
    changed = sorted(name for name, value in given.items() if value)
    if changed:
        raise UsageError(
            f"a resumed scan does not take {', '.join(changed)}",
            why=f"it goes on with the scope, the pace and the engine ({engine}) that it began with",
            hint="leave it out, or start a new scan; --exclude and --scope may be given",
        )


def refuse_strangers(authority: Authority, trusted: Sequence[str]) -> None:
    """Refuse to go on with a scope file that nobody signed who is trusted."""
    if trusted and authority.sha256 and authority.signed_by not in trusted:
        signer = f"it was signed by {authority.signed_by}" if authority.signed_by else "nobody did"
        raise ScopeRefusal(
            f"the scope of the interrupted scan ({authority.source}) was not signed as you ask",
            why=signer,
            hint="have it signed, and start a new scan",
        )


def same_place(before: str, now: str) -> None:
    """Refuse to go on from elsewhere: who was not asked yet may not be reached from here.

    Both are vantages (`eth0 10.1.0.5/24 aa:bb:…, routed`). Another address in the same network
    is the same place.
    """
    if not before or _places(before) == _places(now):
        return
    raise EnvironmentLack(
        "this machine does not stand where the scan began",
        why=f"then: {before}; now: {now or 'no link to the targets'}",
        hint="bring that link and its address back and resume again, or start a new scan",
    )


def _places(vantage: str) -> frozenset[Place]:
    return frozenset(map(_place, vantage.split(", "))) if vantage else frozenset()


def _place(said: str) -> Place:
    if said == ROUTED:
        return "", ROUTED
    name, own, *_ = (*said.split(" "), "")
    try:
        return name, str(ipaddress.ip_interface(own).network)
    except ValueError:  # without address
        return name, ""
