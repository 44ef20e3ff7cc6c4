"""Reads and checks the authority to scan: scope files, their signatures, and command lines.

A scope file is TOML (docs/scope-file.md). It may be signed with Ed25519 (RFC 8032): the
signature stands beside it in `<file>.sig` and covers its bytes. A signature that does not
hold refuses the file; who is trusted to sign is said by the user (`--trust`), not the file.
"""

import base64
import getpass
import hashlib
import json
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Any, Literal

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from auditor.errors import DataError, ScopeRefusal, UsageError
from auditor.model.address import AddressSet
from auditor.model.scope import WEEK, Authority, Hours, Pace, Scope

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


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Hours(_Strict):
    start: time
    end: time
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = WEEK  # type: ignore[assignment]
    zone: str = "UTC"


class _Authority(_Strict):
    approver: str = ""
    ticket: str = ""
    contacts: tuple[str, ...] = ()
    expires: datetime | None = None


class _Router(_Strict):
    ip: str
    community: str


class _ScopeFile(_Strict):
    site: str = ""
    networks: Annotated[tuple[str, ...], Field(min_length=1)]
    exclude: tuple[str, ...] = ()
    ports: tuple[Annotated[int, Field(ge=1, le=65535)], ...] = ()
    profile: Literal["gentle", "normal", "thorough"] = "gentle"
    pace: Annotated[float, Field(gt=0)] | None = None
    interface: str | None = None
    snmp_community: str | None = None
    hours: _Hours | None = None
    authority: _Authority = _Authority()
    router: tuple[_Router, ...] = ()


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
        ports=_all_ports(lists),
        never=never,
        pace=pace,
        authority=Authority(operator=getpass.getuser(), recorded=moment),
    )


def from_file(
    path: Path,
    *,
    site: str,
    moment: datetime,
    paces: Mapping[str, Pace],
    lists: Mapping[str, Sequence[int]],
    never: frozenset[int],
    trusted: Sequence[str] = (),
) -> Scope:
    """Read a scope file; say every mistake in it at once.

    trusted: fingerprints (SHA-256 of the raw public key, hex) of those who may sign; when
    any is given, an unsigned file or another signer is refused.
    """
    raw = _read(path)
    parsed = _parsed(path, raw)
    signer = _signer(path, raw, trusted)
    networks = AddressSet.parse(parsed.networks)
    _check(path, parsed, networks, moment)
    said = parsed.authority
    return Scope(
        site=site or parsed.site,
        networks=networks.minus(NO_HOST),
        excluded=AddressSet.parse(parsed.exclude),
        ports=frozenset(parsed.ports) or _all_ports(lists),
        never=never,
        pace=paced(paces[parsed.profile], parsed.pace),
        authority=Authority(
            operator=getpass.getuser(),
            recorded=moment,
            source=str(path),
            approver=said.approver,
            ticket=said.ticket,
            contacts=said.contacts,
            expires=said.expires and _aware(said.expires),
            sha256=hashlib.sha256(raw).hexdigest(),
            signed_by=signer,
        ),
        hours=_hours(parsed.hours),
        interface=parsed.interface,
        community=parsed.snmp_community,
        router_communities=tuple((router.ip, router.community) for router in parsed.router),
    )


def _check(path: Path, parsed: _ScopeFile, networks: AddressSet, moment: datetime) -> None:
    said = parsed.authority
    public = networks.minus(OWN_SPACE)
    if public and not said.approver:
        raise ScopeRefusal(
            f"{path} names public addresses and no approver",
            why=", ".join(public.cidrs()[:5]),
            hint='add [authority] approver = "who allowed this" and a ticket',
        )
    if parsed.profile != "gentle" and not (said.approver and said.ticket):
        raise ScopeRefusal(
            f"the profile {parsed.profile} needs an approver and a ticket",
            why=f"{path} names none",
            hint="add them under [authority], or use the profile gentle",
        )
    if said.expires and _aware(said.expires) <= moment:
        raise ScopeRefusal(
            f"the authority in {path} has expired",
            why=f"it ended at {_aware(said.expires).isoformat()}",
            hint="ask the approver for a new one",
        )


def _hours(said: _Hours | None) -> Hours | None:
    return Hours(said.start, said.end, tuple(said.days), said.zone) if said else None


def sign(path: Path, key_path: Path) -> str:
    """Sign a scope file; the key file is made (mode 0600) when there is none yet.

    Gives the fingerprint that others pass to `--trust`.
    """
    if key_path.exists():
        private = Ed25519PrivateKey.from_private_bytes(base64.b64decode(key_path.read_bytes()))
    else:
        private = Ed25519PrivateKey.generate()
        key_path.touch(mode=0o600)
        key_path.write_bytes(base64.b64encode(private.private_bytes_raw()))
    public = private.public_key().public_bytes_raw()
    signature = private.sign(_read(path))
    signed = {
        "algorithm": "Ed25519",
        "key": base64.b64encode(public).decode(),
        "signature": base64.b64encode(signature).decode(),
    }
    _signature_path(path).write_text(json.dumps(signed, indent=1) + "\n", "utf-8")
    return hashlib.sha256(public).hexdigest()


def as_json(scope: Scope, engine: str = "auto") -> str:
    """Write the scope as the ledger keeps it: everything but the communities.

    engine: which one was asked for, so that a resumed run uses the same.
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
        "snmp": scope.community is not None,
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


def _all_ports(lists: Mapping[str, Sequence[int]]) -> frozenset[int]:
    return frozenset(port for ports in lists.values() for port in ports)


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}", why=error.strerror or str(error)) from error


def _parsed(path: Path, raw: bytes) -> _ScopeFile:
    try:
        return _ScopeFile.model_validate(tomllib.loads(raw.decode("utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"{path} is no TOML file", why=str(error)) from error
    except ValidationError as error:
        mistakes = "; ".join(
            f"{'.'.join(map(str, mistake['loc']))}: {mistake['msg']}" for mistake in error.errors()
        )
        raise DataError(
            f"{path} is not a scope file", why=mistakes, hint="see docs/scope-file.md"
        ) from error


def _signature_path(path: Path) -> Path:
    return path.with_name(path.name + ".sig")


def _signer(path: Path, raw: bytes, trusted: Sequence[str]) -> str | None:
    """Give the fingerprint of the key that signed `raw`; None where nobody signed it."""
    beside = _signature_path(path)
    if not beside.exists():
        if trusted:
            raise ScopeRefusal(f"{path} is not signed", hint="sign it with `auditor scope sign`")
        return None
    try:
        said = json.loads(beside.read_text("utf-8"))
        public = base64.b64decode(said["key"], validate=True)
        Ed25519PublicKey.from_public_bytes(public).verify(
            base64.b64decode(said["signature"], validate=True), raw
        )
    except (InvalidSignature, ValueError, KeyError, TypeError) as error:
        raise ScopeRefusal(
            f"the signature of {path} does not hold",
            why="the file was changed after it was signed, or the signature is damaged",
            hint="have it signed again by its approver",
        ) from error
    fingerprint = hashlib.sha256(public).hexdigest()
    if trusted and fingerprint not in trusted:
        raise ScopeRefusal(
            f"{path} is signed by a key that you do not trust",
            why=f"its fingerprint is {fingerprint}",
            hint="check it with the signer, then pass --trust FINGERPRINT",
        )
    return fingerprint
