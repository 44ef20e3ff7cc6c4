"""WS-Discovery: one SOAP datagram that every ONVIF device on the segment answers.

Sources: WS-Discovery 2005/04 (sections 2.4, 5.2, 5.3), SOAP 1.2, SOAP-over-UDP 1.0, ONVIF Core
Specification section 7 (types and scopes). Elements are known by their local names, because
devices declare old, new and wrong namespaces.
"""

import re
import uuid
from dataclasses import dataclass
from urllib.parse import unquote

from auditor.model.observation import Endpoint, Observation
from auditor.wire.addresses import ip_text, mac_text
from auditor.wire.seen import Seen, told
from auditor.wire.tags import read_tags

GROUP, PORT = "239.255.255.250", 3702
GROUP6 = "ff02::c"  # WS-Discovery 2005/04, 2.4: on the link only
MOST_MATCHES = 32  # of one datagram: a proxy may answer for several devices
MAC_SCOPE = "onvif://www.onvif.org/mac/"

_PROBE = (
    '<?xml version="1.0" encoding="utf-8"?>'
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
    ' xmlns:d="http://schemas.xmlsoap.org/ws/2005/04/discovery"'
    ' xmlns:dn="http://www.onvif.org/ver10/network/wsdl">'
    "<s:Header><a:MessageID>uuid:{id}</a:MessageID>"
    "<a:To>urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>"
    "<a:Action>http://schemas.xmlsoap.org/ws/2005/04/discovery/Probe</a:Action></s:Header>"
    "<s:Body><d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe></s:Body>"
    "</s:Envelope>"
)
# scheme and host of a URI (RFC 3986 section 3), an IPv6 address in brackets
_HOST = re.compile(r"https?://(\[[0-9A-Fa-f:.]{2,45}\]|[0-9.]{7,15})(?=[:/?#]|$)")
_FIELDS = ("types", "scopes", "xaddrs")


@dataclass(frozen=True, slots=True)
class Match:
    """One ProbeMatch or Hello; each list is one string separated by blanks, as sent."""

    endpoint: str = ""
    types: str = ""
    scopes: str = ""
    xaddrs: str = ""

    @property
    def mac(self) -> str | None:
        """Give the hardware address that a scope states; None where none does."""
        stated = (s for s in self.scopes.split() if s.lower().startswith(MAC_SCOPE))
        written = (unquote(scope[len(MAC_SCOPE) :]) for scope in stated)
        return next(filter(None, map(mac_text, written)), None)

    @property
    def ip(self) -> str | None:
        """Give the first address that XAddrs name; None where they name hosts or nothing."""
        hosts = (_HOST.match(place) for place in self.xaddrs.split())
        return next(filter(None, (ip_text(host[1].strip("[]")) for host in hosts if host)), None)


def probe(message_id: int) -> bytes:
    """Ask for video transmitters; `message_id` is a random 128-bit number."""
    return _PROBE.format(id=uuid.UUID(int=message_id, version=4)).encode("ascii")


def read_matches(raw: bytes) -> tuple[Match, ...]:
    """Read the ProbeMatch and Hello elements; none in anything else, our own Probe included."""
    found: list[Match] = []
    inside: dict[str, str] | None = None
    for tag in read_tags(raw):
        name = tag.name.lower()
        if name in ("probematch", "hello"):
            if inside is not None:
                found.append(_match(inside))
            inside = None if tag.is_end else {}
        elif inside is not None and not tag.is_end:
            inside.setdefault(name, " ".join(tag.text.split()))
        if len(found) >= MOST_MATCHES:
            return tuple(found)
    if inside:  # the end tag is missing: keep what came
        found.append(_match(inside))
    return tuple(found)


def _match(inside: dict[str, str]) -> Match:
    return Match(inside.get("address", ""), *(inside.get(name, "") for name in _FIELDS))


def seen(raw: bytes, sender: str) -> tuple[Seen, ...]:
    """Tell of the devices in a reply: a single one is the sender.

    One who answers for several (a recorder, a discovery proxy) is none of them: each stands
    at the first address that its own XAddrs name.
    """
    matches = read_matches(raw)
    several = len(matches) > 1
    return tuple(
        Seen(
            "onvif",
            Endpoint((match.ip if several else None) or ip_text(sender), match.mac, PORT, "udp"),
            _said(match, raw),
        )
        for match in matches
    )


def _said(match: Match, raw: bytes) -> tuple[Observation, ...]:
    return told(
        raw,
        ("onvif.endpoint", match.endpoint),
        ("onvif.types", match.types),
        ("onvif.scopes", match.scopes),
        ("onvif.xaddrs", match.xaddrs),
        ("mac", match.mac),
    )
