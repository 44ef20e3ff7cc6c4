"""Scope files: authority as TOML (docs/scope-file.md), and signatures over it.

A file may be signed with Ed25519 (RFC 8032): the signature stands beside it in `<file>.sig`
and covers its bytes. A signature that does not hold refuses the file; who is trusted to sign
is said by the user (`--trust`), not the file. Apart from `authority`, because a scan that was
authorised on the command line needs none of the libraries that read and check a file.
"""

import base64
import getpass
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from auditor.authority import NO_HOST, OWN_SPACE, all_ports, paced
from auditor.errors import DataError, ScopeRefusal, UsageError
from auditor.model.address import AddressSet
from auditor.model.scope import WEEK, Authority, Hours, Pace, Scope


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _clock_time(value: object) -> object:
    """Take a time of day; one with a zone of its own would contradict `zone`, a number is none."""
    said = time.fromisoformat(value) if isinstance(value, str) else value
    if not isinstance(said, time) or said.tzinfo:
        raise ValueError("write a time of day without a zone, e.g. 19:00:00")
    return said


_Clock = Annotated[time, BeforeValidator(_clock_time)]
_Line = Annotated[str, StringConstraints(strip_whitespace=True)]  # blanks name nobody


class _Hours(_Strict):
    start: _Clock
    end: _Clock
    days: tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...] = WEEK  # type: ignore[assignment]
    zone: str = "UTC"


class _Authority(_Strict):
    approver: _Line = ""
    ticket: _Line = ""
    contacts: tuple[str, ...] = ()
    expires: datetime | None = None


class _Router(_Strict):
    ip: str
    community: str


_Port = Annotated[int, Field(ge=1, le=65535)]


class _ScopeFile(_Strict):
    site: str = ""
    networks: Annotated[tuple[str, ...], Field(min_length=1)]
    exclude: tuple[str, ...] = ()
    ports: Annotated[tuple[_Port, ...], Field(min_length=1)] | None = None  # none: all of ours
    profile: Literal["gentle", "normal", "thorough"] = "gentle"
    pace: Annotated[float, Field(gt=0)] | None = None
    interface: str | None = None
    snmp_community: str | None = None
    hours: _Hours | None = None
    authority: _Authority = _Authority()
    router: tuple[_Router, ...] = ()


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
        ports=frozenset(parsed.ports or all_ports(lists)),
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
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

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


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {path}", why=error.strerror or str(error)) from error


def _parsed(path: Path, raw: bytes) -> _ScopeFile:
    try:
        return _ScopeFile.model_validate(tomllib.loads(raw.decode("utf-8-sig")))
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
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

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
