"""Whom a certificate names: subject and issuer as text.

Sources: RFC 5280 section 4.1 (the certificate), RFC 4514 (names as text, last part first, as
in Recog's `x509_subjects.xml`), X.520 (attribute types). Read directly and not through a
validating library, because cameras carry certificates that such a library refuses (negative
serial numbers, impossible dates) and their names count all the same. Nothing is verified.
"""

import hashlib
import re
from dataclasses import dataclass

from auditor.model.observation import text
from auditor.wire.ber import OBJECT_ID, SEQUENCE, SET, Item, read_items, read_object_id

MOST_NAME_PARTS = 64

_SHORT = {
    "2.5.4.3": "CN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST",
    "2.5.4.9": "STREET", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title",
    "2.5.4.42": "givenName", "2.5.4.4": "SN", "1.2.840.113549.1.9.1": "emailAddress",
    "0.9.2342.19200300.100.1.25": "DC", "0.9.2342.19200300.100.1.1": "UID",
}  # fmt: skip
_WIDE = {0x1E: "utf-16-be", 0x1C: "utf-32-be"}  # BMPString, UniversalString
_TO_ESCAPE = re.compile(r'([,+"\\<>;])')  # RFC 4514 section 2.4


@dataclass(frozen=True, slots=True)
class Certificate:
    """The names in a certificate (empty where it names nobody) and its SHA-256 in hex."""

    subject: str
    issuer: str
    sha256: str


def read_certificate(der: bytes) -> Certificate:
    """Read the names as far as they can be read; the fingerprint is never lost."""
    fields = _inner(_first(_inner(_first(tuple(read_items(der))))))
    if fields and fields[0].tag == 0xA0:  # [0] version, absent in version 1
        fields = fields[1:]
    # serialNumber, signature, issuer, validity, subject
    issuer = _name(fields[2]) if len(fields) > 2 else ""
    subject = _name(fields[4]) if len(fields) > 4 else ""
    return Certificate(subject, issuer, hashlib.sha256(der).hexdigest())


def _first(items: tuple[Item, ...]) -> Item | None:
    return items[0] if items else None


def _inner(item: Item | None) -> tuple[Item, ...]:
    return tuple(read_items(item.body)) if item and item.tag in (SEQUENCE, SET) else ()


def _name(item: Item) -> str:
    """Write `Name ::= SEQUENCE OF SET OF SEQUENCE { type, value }` last part first."""
    parts = ["+".join(filter(None, map(_pair, _inner(part)))) for part in _inner(item)]
    return ",".join(filter(None, reversed(parts[:MOST_NAME_PARTS])))


def _pair(item: Item) -> str:
    pair = _inner(item)
    if len(pair) < 2 or pair[0].tag != OBJECT_ID:
        return ""
    kind = read_object_id(pair[0].body) or "?"
    wide = _WIDE.get(pair[1].tag)
    value = pair[1].body.decode(wide, "backslashreplace") if wide else text(pair[1].body)
    escaped = _TO_ESCAPE.sub(r"\\\1", value.replace("\x00", "\\x00"))
    return f"{_SHORT.get(kind, kind)}={escaped}"
