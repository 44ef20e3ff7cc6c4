"""The hardware address inside of what a DHCP client calls itself.

Sources: RFC 2132 section 9.14 (type 1 is Ethernet), RFC 4361 (255, four octets, then a DUID),
RFC 8415 section 11 (DUIDs of type 1 and 3 hold a hardware address, with and without a time).
"""

import re

_MARKS = str.maketrans("", "", ":-. ")
_HEX = re.compile(r"(?:[0-9a-f]{2}){6,130}")
_FORMS = (
    re.compile(r"01([0-9a-f]{12})"),
    re.compile(r"(?:ff[0-9a-f]{8})?00010001[0-9a-f]{8}([0-9a-f]{12})"),
    re.compile(r"(?:ff[0-9a-f]{8})?00030001([0-9a-f]{12})"),
)


def hardware_in(identifier: str) -> str | None:
    """Give the twelve digits of the hardware address, None where there is none."""
    digits = identifier.strip().lower().removeprefix("0x").translate(_MARKS)
    if not _HEX.fullmatch(digits):
        return None
    found = (form.fullmatch(digits) for form in _FORMS)
    return next((one[1] for one in found if one), None)
