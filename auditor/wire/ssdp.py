"""SSDP: UPnP devices that answer a search, or announce themselves.

Source: UPnP Device Architecture 1.1, sections 1.2 (NOTIFY) and 1.3 (M-SEARCH); the messages
are HTTP heads in UDP datagrams.
"""

from auditor.errors import DataError
from auditor.model.observation import Endpoint
from auditor.wire.addresses import ip_text
from auditor.wire.head import read_message
from auditor.wire.seen import Seen, told

GROUP, PORT = "239.255.255.250", 1900
GROUP6 = "ff02::c"  # of the link only (UPnP Device Architecture 1.1, annex A.2)

_SEARCH = (
    b"M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\n"
    b'MAN: "ssdp:discover"\r\nMX: 1\r\nST: upnp:rootdevice\r\n\r\n'
)


def search(_message_id: int = 0) -> bytes:
    """Ask root devices only, so that each answers once; there is no message id."""
    return _SEARCH


def search6(_message_id: int = 0) -> bytes:
    """Ask the same of who listens on IPv6: the group stands in the HOST field (annex A.3)."""
    return _SEARCH.replace(GROUP.encode(), b"[FF02::C]")


def seen(raw: bytes, sender: str) -> tuple[Seen, ...]:
    """Tell who answered or announced itself; a search, our own included, tells of nobody.

    The description at LOCATION is not fetched here: it may point anywhere.
    """
    try:
        said = read_message(raw, "HTTP")
    except DataError:
        return ()
    if said.status != 200 and said.start != "NOTIFY":
        return ()
    observations = told(
        raw,
        ("ssdp.server", said.first("server")),
        ("ssdp.st", said.first("st") or said.first("nt")),
        ("ssdp.usn", said.first("usn")),
        ("ssdp.location", said.first("location")),
    )
    endpoint = Endpoint(ip_text(sender), None, PORT, "udp")
    return (Seen("ssdp", endpoint, observations),) if observations else ()
