"""The two names under which fingerprint databases know an icon.

Sources: MD5 of the file (Recog `favicons.xml`, nmap `favicon-db`); MurmurHash3 x86 32 bit
(Austin Appleby, public domain), seed 0, of the file's Base64 in lines of 76 characters, as a
signed number: the convention of Shodan's `http.favicon.hash`.
"""

import base64
import hashlib
import struct
from functools import lru_cache

_C1, _C2, _MASK = 0xCC9E2D51, 0x1B873593, 0xFFFFFFFF
_IMAGE_STARTS = (b"\x00\x00\x01\x00", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"BM", b"RIFF")
_IMAGE_ENDS = {
    b"\x89PNG": b"IEND\xaeB`\x82",
    b"GIF8": b";",
    b"\xff\xd8\xff": b"\xff\xd9",
    b"<": b"</svg>",
}


def is_icon(body: bytes) -> bool:
    """Tell an image from the login page that many servers send for every path."""
    return body.startswith(_IMAGE_STARTS) or (body[:1] == b"<" and b"<svg" in body[:1024])


def is_complete(icon: bytes) -> bool:
    """Tell by its own structure whether nothing of an image is missing.

    For servers that announce no length. Sources: the ICO directory (16 octets an image, size
    at 8, offset at 12), PNG section 11.2.5 (IEND), GIF89a (trailer), JPEG (EOI), BMP and RIFF
    (length at 2 and 4).
    """
    if icon.startswith(b"\x00\x00\x01\x00"):
        count = int.from_bytes(icon[4:6], "little")
        if not 0 < count <= (len(icon) - 6) // 16:
            return False
        ends = (sum(struct.unpack_from("<II", icon, 14 + 16 * n)) for n in range(count))
        return bool(max(ends) <= len(icon))
    for start, end in _IMAGE_ENDS.items():
        if icon.startswith(start):
            return icon.rstrip().endswith(end)
    if icon.startswith(b"BM"):
        return 14 < int.from_bytes(icon[2:6], "little") <= len(icon)
    return icon.startswith(b"RIFF") and 8 + int.from_bytes(icon[4:8], "little") <= len(icon)


def md5(icon: bytes) -> str:
    """Give the MD5 in lower-case hex: a name for a file, no protection of anything."""
    return hashlib.md5(icon, usedforsecurity=False).hexdigest()


@lru_cache(maxsize=32)
def mmh3(icon: bytes) -> str:
    """Give the signed 32-bit MurmurHash3 of the icon's Base64, in decimal.

    Remembered, because hundreds of cameras of one kind show one icon.
    """
    number = murmur3_32(base64.encodebytes(icon))
    return str(number - (1 << 32) if number >> 31 else number)


def murmur3_32(data: bytes, seed: int = 0) -> int:
    """Give MurmurHash3 x86 32 bit of `data` as an unsigned number."""
    value = seed
    blocks = len(data) >> 2
    for block in struct.unpack_from(f"<{blocks}I", data):
        # the bits that a turn to the left drops are masked away before the next use
        block = block * _C1 & _MASK  # noqa: PLW2901 one step of the reference, in its own words
        value ^= (block << 15 & _MASK | block >> 17) * _C2 & _MASK
        value = ((value << 13 & _MASK | value >> 19) * 5 + 0xE6546B64) & _MASK
    if tail := int.from_bytes(data[blocks * 4 :], "little"):
        tail = tail * _C1 & _MASK
        value ^= (tail << 15 & _MASK | tail >> 17) * _C2 & _MASK
    value ^= len(data)
    value = (value ^ value >> 16) * 0x85EBCA6B & _MASK
    value = (value ^ value >> 13) * 0xC2B2AE35 & _MASK
    return value ^ value >> 16
