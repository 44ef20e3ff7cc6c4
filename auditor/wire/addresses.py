"""Hardware and IP addresses, as devices write them, in the one spelling that we keep."""

import ipaddress
import re

_TWELVE_DIGITS = re.compile(r"[0-9A-Fa-f]{12}")
_SEPARATORS = str.maketrans("", "", ":-. ")
MOST_ADDRESS_CHARS = 64  # the longest written form, an IPv6 address with a zone, has 62


def mac_text(written: str | bytes) -> str | None:
    """Write a hardware address as `aa:bb:cc:dd:ee:ff`, from six octets or any usual spelling.

    None where it is no address, or that of nobody (all zero) or of a group (IEEE Std 802,
    clause 8): such an address speaks of no device.
    """
    if isinstance(written, bytes):
        octets = written
    else:
        digits = written[:MOST_ADDRESS_CHARS].strip().translate(_SEPARATORS)
        octets = bytes.fromhex(digits) if _TWELVE_DIGITS.fullmatch(digits) else b""
    if len(octets) != 6 or octets[0] & 1 or not any(octets):
        return None
    return octets.hex(":")


def ip_text(written: str | bytes) -> str | None:
    """Write the IP address of one host canonically; None where it is none, or one of a group.

    A zone is left out: it names an interface of the writer's, and may be any text. An
    IPv4-mapped address is written as the IPv4 address that it stands for.
    """
    if isinstance(written, str) and len(written) > MOST_ADDRESS_CHARS:
        return None
    try:
        plain = written.strip().split("%", 1)[0] if isinstance(written, str) else written
        found = ipaddress.ip_address(plain)
    except ValueError:
        return None
    found = (found.version == 6 and found.ipv4_mapped) or found
    if found.is_unspecified or found.is_multicast or str(found) == "255.255.255.255":
        return None
    return str(found)


def stated_ip(stated: str | None, sender: str) -> str | None:
    """Choose between the address that a discovery reply states and the one it came from.

    A device answers with its own address even where no route leads to it (a factory address);
    a public or a loopback address that it does not send from is not its own.
    """
    own = ip_text(sender)
    if stated is None or stated == own:
        return own
    found = ipaddress.ip_address(stated)
    return own if found.is_global or found.is_loopback else stated
