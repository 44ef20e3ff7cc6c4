"""The authority to scan: command lines, and what the ledger keeps of a scope; see scope_file."""

import getpass
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, time
from pathlib import Path
from typing import Any

from auditor.errors import ScopeRefusal, UsageError
from auditor.model.address import AddressSet
from auditor.model.scope import Authority, Hours, Pace, Scope

# Private, link-local and loopback space (RFC 1918, 3927, 4193, 4291, 6890): a command line
# is authority enough for these. Everything else needs a scope file with an approver.
OWN_SPACE = AddressSet.parse(
    [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "169.254.0.0/16",
        "127.0.0.0/8",
        "fc00::/7",
        "fe80::/10",
        "::1",
    ]
)
# Nobody's address: broadcast, multicast, unspecified (RFC 1122 3.2.1.3, RFC 5771, RFC 4291).
NO_HOST = AddressSet.parse(("0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4", "::", "ff00::/8"))


def profiles(path: Path) -> dict[str, Pace]:
    """Read the named paces of data/profiles.toml."""
    table = tomllib.loads(path.read_text("utf-8"))
    return {name: Pace(profile=name, **values) for name, values in table.items()}


def port_lists(path: Path) -> tuple[dict[str, tuple[int, ...]], frozenset[int]]:
    """Read data/ports.toml: the named lists, and the ports that are never touched."""
    table = tomllib.loads(path.read_text("utf-8"))
    lists = {name: tuple(ports) for name, ports in table["lists"].items()}
    return lists, frozenset(port for ports in table["never"].values() for port in ports)


def paced(pace: Pace, packets_per_s: float | None) -> Pace:
    """Apply an explicit `--pace`; the caps that protect a single host stay as they are."""
    if packets_per_s is None:
        return pace
    if not 0 < packets_per_s < math.inf:  # not a number is neither
        raise UsageError(
            f"a pace of {packets_per_s:g} packets a second sends nothing", hint="give 1 or more"
        )
    return pace.faster(packets_per_s)


def from_command_line(
    targets: Sequence[str],
    *,
    site: str,
    moment: datetime,
    pace: Pace,
    lists: Mapping[str, Sequence[int]],
    never: frozenset[int],
    exclude: Sequence[str] = (),
) -> Scope:
    """Make a scope whose authority is the person at the keyboard; own address space only."""
    networks = AddressSet.parse(targets)
    excluded = AddressSet.parse(exclude)
    foreign = networks.minus(OWN_SPACE).minus(excluded)
    if foreign:
        raise ScopeRefusal(
            f"refusing to scan {', '.join(foreign.cidrs()[:5])}",
            why="it is public address space, and a command line is no authority for that",
            hint="name it in a scope file with an approver, and pass it with --scope",
        )
    return Scope(
        site=site,
        networks=networks.minus(NO_HOST),
        excluded=excluded,
        ports=all_ports(lists),
        never=never,
        pace=pace,
        authority=Authority(operator=getpass.getuser(), recorded=moment),
    )


def as_json(scope: Scope, engine: str = "auto") -> str:
    """Write the scope as the ledger keeps it: everything but the communities.

    engine: which one was asked for, so that a resumed run uses the same. snmp: whether words
    for SNMP belong to it, which are read from the scope file again.
    """
    authority = scope.authority
    said: dict[str, Any] = {
        "site": scope.site,
        "networks": scope.networks.cidrs(),
        "excluded": scope.excluded.cidrs(),
        "ports": sorted(scope.ports),
        "never": sorted(scope.never),
        "profile": scope.pace.profile,
        "pace": asdict(scope.pace),
        "interface": scope.interface,
        "engine": engine,
        "snmp": scope.community is not None or bool(scope.router_communities),
        "hours": scope.hours and asdict(scope.hours),
        "operator": authority.operator,
        "recorded": authority.recorded.isoformat(),
        "source": authority.source,
        "approver": authority.approver,
        "ticket": authority.ticket,
        "contacts": authority.contacts,
        "expires": authority.expires and authority.expires.isoformat(),
        "sha256": authority.sha256,
        "signed_by": authority.signed_by,
    }
    return json.dumps(said, sort_keys=True, ensure_ascii=False, default=str)


def from_json(text: str, moment: datetime) -> Scope:
    """Make the scope of an interrupted run again, exclusions included.

    An authority that has ended since is refused. Communities are not kept: who resumes a run
    reads them from its scope file again.
    """
    said = json.loads(text)
    expires = said["expires"] and datetime.fromisoformat(said["expires"])
    if expires and expires <= moment:
        raise ScopeRefusal(
            "the authority of the interrupted run has expired",
            why=f"it ended at {expires.isoformat()}",
            hint="ask the approver for a new one",
        )
    hours = said["hours"] and Hours(
        time.fromisoformat(said["hours"]["start"]),
        time.fromisoformat(said["hours"]["end"]),
        tuple(said["hours"]["days"]),
        said["hours"]["zone"],
    )
    return Scope(
        site=said["site"],
        networks=AddressSet.parse(said["networks"]),
        excluded=AddressSet.parse(said["excluded"]),
        ports=frozenset(said["ports"]),
        never=frozenset(said["never"]),
        pace=Pace(**said["pace"]),
        authority=Authority(
            operator=said["operator"],
            recorded=datetime.fromisoformat(said["recorded"]),
            source=said["source"],
            approver=said["approver"],
            ticket=said["ticket"],
            contacts=tuple(said["contacts"]),
            expires=expires,
            sha256=said["sha256"],
            signed_by=said["signed_by"],
        ),
        hours=hours or None,
        interface=said["interface"],
    )


def all_ports(lists: Mapping[str, Sequence[int]]) -> frozenset[int]:
    """Give every port of every list."""
    return frozenset(port for ports in lists.values() for port in ports)
