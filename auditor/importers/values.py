"""Cells as values: addresses, serial numbers, codes, as exports and spreadsheets leave them.

A value that was damaged on its way is not repaired by guessing: `6.37E+15` was a serial
number once, and would match nothing or, worse, something else.
"""

import ipaddress
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from auditor.importers.duid import hardware_in
from auditor.importers.headings import folded
from auditor.importers.secrets import clean

MOST_ADDRESSES = 64  # of one cell
CELL_CHARS = 4_000  # of one value; more is cut and said so
_SEPARATORS = str.maketrans("", "", ":-. ")
_HEX12 = re.compile(r"[0-9a-fA-F]{12}")
_SHORT_OCTETS = re.compile(r"[0-9a-fA-F]{1,2}(?:[:-][0-9a-fA-F]{1,2}){5}")
_CLIENT_ID = re.compile(r"(?:01|0x01)[:\-. ]?((?:[0-9a-fA-F]{2}[:\-. ]?){6})")  # RFC 2132, 9.14
_LOST_ZEROS = re.compile(r"[0-9]{10,11}")
_EATEN = re.compile(r"[+-]?\d+(?:[.,]\d*[eE]\+?\d+|[eE]\+\d+)")  # a spreadsheet writes E+
_AMONG = re.compile(
    r"(?<![0-9a-fA-F:.\-])(?:(?:[0-9a-fA-F]{2}[:\-]){5}[0-9a-fA-F]{2}|(?:[0-9a-fA-F]{4}\.){2}[0-9a-fA-F]{4}"
    r"|[0-9a-fA-F]{12})(?![0-9a-fA-F:\-])"
)
_PADDED_IP = re.compile(r"\d{3}(?:\.\d{3}){3}")
_SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*://")
_HOST = re.compile(
    r"(?=.{1,253}\.?$)[A-Za-z0-9_](?:[A-Za-z0-9_\-]{0,62})(?:\.[A-Za-z0-9_\-]{1,63})*\.?"
)
_AMOUNT = re.compile(r"[^\d.,\-]")
_TWO_NUMBERS = re.compile(r"\d\s*[^\d\s.,'’\-]+\s*\d")  # `2 x 450` is not 2450
# what stands in a cell that says nothing
NOTHING = frozenset({
    "", "-", "--", "---", "n/a", "#n/a", "#n/d", "null", "(null)", "nan", "#ref!", "#value!", "#name?",
    "#div/0!", "(none)", "<null>", "?", "\\n",
})  # fmt: skip
NO_KEY = NOTHING | {
    "none", "nil", "na", "n.a.", "unknown", "inconnu", "inconnue", "s/o", "s.o.", "aucun", "aucune", "tbd",
    "0", "not set", "not specified", "to be filled by o.e.m.", "default string", "no asset tag",
    "system serial number", "undefined", "non defini", "vide", "empty",
}  # fmt: skip


# what stands for the maker, brand or model of a device of which nobody knows them
NO_NAME = NO_KEY | {
    "generic", "générique", "generique", "other", "others", "autre", "autres", "various", "divers", "diverse",
    "misc", "miscellaneous", "no name", "noname", "no brand", "unbranded", "sans marque", "sans nom", "oem",
    "n.d.", "n/d", "nd", "n.a", "s.o", "so", "sans objet", "not applicable", "non applicable", "non défini",
    "not known", "not available", "non disponible", "non connu", "unidentified", "non identifié", "unk",
    "to be determined", "tbc", "à déterminer", "a determiner", "multiple", "mixed", "yes", "no", "oui", "non",
    "x", "none listed", "unspecified", "non spécifié", "non precise", "non précisé", "blank", "default",
}  # fmt: skip


class Value(NamedTuple):
    """What a cell holds. text: None for nothing. reason: why something was left out.

    more: further values of the same kind.
    """

    text: str | None
    reason: str = ""
    more: tuple[str, ...] = ()


EMPTY = Value(None)


def bare(text: str) -> str:
    """Take off what programs put round a value: quotes, `="…"`, a guard against formulas."""
    text = text.strip().strip("\ufeff\u200b\u00a0")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text[:1] == "=" and text[1:2] == '"' and text[-1:] == '"':
        text = text[2:-1]
    if text[:1] in {"'", "`"}:
        text = text[1:].removesuffix("'")
    return text.strip()


def plain_text(text: str) -> Value:
    """Read a text; secrets that stand in it are taken out."""
    said = bare(text)
    if said.lower() in NOTHING:
        return EMPTY
    if len(said) > CELL_CHARS:
        return Value(clean(said[:CELL_CHARS]), f"only the first {CELL_CHARS} characters")
    return Value(clean(said))


def name(text: str) -> Value:
    """Read the name of a maker, brand or model; words for an unknown one are nothing."""
    found = plain_text(text)
    return EMPTY if found.text and found.text.lower().strip("()[]<> ") in NO_NAME else found


def key(text: str) -> Value:
    """Read a tag or number that a device is known by."""
    said = bare(text)
    if said.lower() in NO_KEY:
        return EMPTY
    if _EATEN.fullmatch(said):
        return Value(None, "is what a spreadsheet left of a longer number")
    if said.endswith(".0") and said[:-2].isdigit():
        said = said[:-2]
    return Value(said[:200], "only the first 200 characters" if len(said) > 200 else "")


def mac(text: str) -> Value:
    """Read one or several hardware addresses."""
    said = bare(text)
    if said.lower() in NO_KEY:
        return EMPTY
    one, reason = _mac(said)
    if one or reason.startswith(_DAMAGED):
        return Value(one, reason)
    found = [_mac(part) for part in _AMONG.findall(said)[:MOST_ADDRESSES]]
    good = list(dict.fromkeys(address for address, _ in found if address))
    if good:
        return Value(good[0], "", tuple(good[1:]))
    return Value(None, reason)


def client_id(text: str) -> Value:
    """Read the hardware address in a DHCP client's identifier, which may be anything else."""
    digits = hardware_in(bare(text))
    return Value(_device_address(digits)[0]) if digits else EMPTY


_DAMAGED = "was damaged"


def _mac(said: str) -> tuple[str | None, str]:
    digits = said.translate(_SEPARATORS)
    if _HEX12.fullmatch(digits) and not _EATEN.fullmatch(said):
        return _device_address(digits)
    if digits[:2] in {"0x", "0X"} and _HEX12.fullmatch(digits[2:]):
        return _device_address(digits[2:])
    if _SHORT_OCTETS.fullmatch(said):
        parts = re.split("[:-]", said)
        return _device_address("".join(part.zfill(2) for part in parts))
    if found := _CLIENT_ID.fullmatch(said):
        return _device_address(found[1].translate(_SEPARATORS))
    if _EATEN.fullmatch(said):
        return None, f"{_DAMAGED}: a spreadsheet took the hardware address for a number"
    whole = said.removesuffix(".0")
    if _LOST_ZEROS.fullmatch(whole):
        address, why = _device_address(whole.zfill(12))
        return address, why or "leading zeros of the hardware address were lost and put back"
    return None, "is no hardware address"


def _device_address(digits: str) -> tuple[str | None, str]:
    octets = bytes.fromhex(digits)
    if octets[0] & 1 or not any(octets):
        return None, "is the hardware address of no device (a group, or all zeros)"
    return octets.hex(":"), ""


def ip(text: str) -> Value:
    """Read one or several Internet addresses, bare, with mask or port, or inside of a URL.

    A reason `host` says that `text` is a host name instead.
    """
    said = bare(text)
    if said.lower() in NO_KEY:
        return EMPTY
    parts = [part for part in re.split(r"[,;|\s]+", said) if part][:MOST_ADDRESSES]
    found = list(dict.fromkeys(address for part in parts if (address := _ip(part))))
    good = [address for address in found if address not in _NOWHERE]
    if good:
        return Value(good[0], "", tuple(good[1:]))
    if found:
        return EMPTY
    name = _place(said)
    if (
        _HOST.fullmatch(name)
        and not name.replace(".", "").isdigit()
        and re.search("[A-Za-z]", name)
    ):
        return Value(name.rstrip("."), "host")
    return Value(None, "is no IP address")


_NOWHERE = frozenset({"0.0.0.0", "::", "255.255.255.255"})  # noqa: S104


def _place(said: str) -> str:
    """Give the host of a URL, or of `host:port` or `address/mask`."""
    said = _SCHEME.sub("", said, count=1)
    said = re.split(r"[/?#\s]", said, maxsplit=1)[0].rpartition("@")[2]
    if said[:1] == "[":
        return said[1:].split("]", 1)[0]
    return said.split(":", 1)[0] if said.count(":") == 1 else said


def _ip(said: str) -> str | None:
    place = _place(said)
    if _PADDED_IP.fullmatch(place):  # all octets with three digits are decimal, not octal
        place = ".".join(str(int(part)) for part in place.split("."))
    try:
        found = ipaddress.ip_address(place)
    except ValueError:
        return None
    if found.is_multicast:
        return None
    return str(found)


def host(text: str) -> Value:
    """Read a host name."""
    said = bare(text)
    if said.lower() in NO_KEY:
        return EMPTY
    place = _place(said)
    first = re.split(r"[,;|\s]+", place, maxsplit=1)[0]
    if _ip(first) or not _HOST.fullmatch(first):
        return Value(clean(said)[:255]) if not _ip(first) else EMPTY
    return Value(first.rstrip("."))


@lru_cache(maxsize=4_096)
def amount(text: str) -> Value:
    """Read a sum of money; `1 234,56 $` is 1234.56, and what is unclear stays as it is."""
    said = bare(text)
    if said.lower() in NOTHING:
        return EMPTY
    if _TWO_NUMBERS.search(said):
        return Value(clean(said[:CELL_CHARS]))
    digits = _AMOUNT.sub("", said)
    if re.fullmatch(r"-?\d+(?:,\d{1,2})", digits):
        return Value(digits.replace(",", "."))
    if re.fullmatch(r"-?\d{1,3}(?:,\d{3})*\.\d{1,2}|-?\d{1,3}(?:,\d{3}){2,}", digits):
        return Value(digits.replace(",", ""))
    if re.fullmatch(r"-?\d{1,3}(?:\.\d{3})*,\d{1,2}", digits):
        return Value(digits.replace(".", "").replace(",", "."))
    if re.fullmatch(r"-?\d+(?:\.\d+)?", digits):
        return Value(digits)
    return Value(clean(said[:CELL_CHARS]))


def count(text: str) -> Value:
    """Read a small number; `16.0` and `16,0` are 16."""
    said = bare(text)
    if said.lower() in NOTHING:
        return EMPTY
    found = re.fullmatch(r"(\d{1,5})(?:[.,]0+)?", said)
    return Value(str(int(found[1]))) if found else Value(None, "is no number")


def code(text: str, codes: Mapping[str, str]) -> Value:
    """Give the code for a word; other words stay as they are, for a person to read."""
    found = plain_text(text)
    return Value(codes.get(folded(found.text), found.text), found.reason) if found.text else found
