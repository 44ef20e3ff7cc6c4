"""The two names under which fingerprint databases know an icon.

Sources: MD5 of the file (Recog `favicons.xml`, nmap `favicon-db`); MurmurHash3 x86 32 bit
(Austin Appleby, public domain), seed 0, of the file's Base64 in lines of 76 characters, as a
signed number: the convention of Shodan's `http.favicon.hash`.
"""

import base64
import hashlib

_C1, _C2, _MASK = 0xCC9E2D51, 0x1B873593, 0xFFFFFFFF
_IMAGE_STARTS = (b"\x00\x00\x01\x00", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"BM", b"RIFF")


def is_icon(body: bytes) -> bool:
    """Tell an image from the login page that many servers send for every path."""
    return body.startswith(_IMAGE_STARTS) or (body[:1] == b"<" and b"<svg" in body[:1024])


def md5(icon: bytes) -> str:
    """Give the MD5 in lower-case hex: a name for a file, no protection of anything."""
    return hashlib.md5(icon, usedforsecurity=False).hexdigest()


def mmh3(icon: bytes) -> str:
    """Give the signed 32-bit MurmurHash3 of the icon's Base64, in decimal."""
    number = murmur3_32(base64.encodebytes(icon))
    return str(number - (1 << 32) if number >> 31 else number)


def murmur3_32(data: bytes, seed: int = 0) -> int:
    """Give MurmurHash3 x86 32 bit of `data` as an unsigned number."""
    value = seed
    whole = len(data) & ~3
    for at in range(0, whole, 4):
        value ^= _scramble(int.from_bytes(data[at : at + 4], "little"))
        value = (_turn(value, 13) * 5 + 0xE6546B64) & _MASK
    if tail := data[whole:]:
        value ^= _scramble(int.from_bytes(tail, "little"))
    value ^= len(data)
    value = (value ^ value >> 16) * 0x85EBCA6B & _MASK
    value = (value ^ value >> 13) * 0xC2B2AE35 & _MASK
    return value ^ value >> 16


def _scramble(block: int) -> int:
    return _turn(block * _C1 & _MASK, 15) * _C2 & _MASK


def _turn(value: int, bits: int) -> int:
    return (value << bits | value >> 32 - bits) & _MASK
