"""One echo request and its answer (RFC 792): the payload proves whom an answer comes from."""

import struct
from hashlib import blake2s

ECHO, ECHO_REPLY = 8, 0
TOKEN = 16  # octets of the keyed hash
_HEAD = struct.Struct("!BBHHH")


def checksum(data: bytes) -> int:
    """Give the Internet checksum (RFC 1071)."""
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def echo(key: bytes, ip: str, number: int) -> bytes:
    """Write the echo request that only `ip` can answer rightly."""
    token = blake2s(ip.encode(), key=key, digest_size=TOKEN).digest()
    name = int.from_bytes(key[:2], "big")
    blank = _HEAD.pack(ECHO, 0, 0, name, number) + token
    return _HEAD.pack(ECHO, 0, checksum(blank), name, number) + token


def is_answer(key: bytes, ip: str, packet: bytes) -> bool:
    """Tell whether an IPv4 packet from `ip` answers the echo that we sent it."""
    start = (packet[0] & 15) * 4 if packet else 0
    token = blake2s(ip.encode(), key=key, digest_size=TOKEN).digest()
    return packet[start : start + 1] == bytes([ECHO_REPLY]) and packet[start + 8 :] == token
