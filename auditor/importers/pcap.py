"""Packet captures (pcap, pcapng): the devices that somebody's tcpdump or Wireshark overheard.

Sources: see wire/pcap.py for the files and wire/sightings.py for the frames. Most frames of a
capture speak of nobody: they are told by a few octets and not read further. The same sighting is
taken once an hour. A capture that was cut off is read as far as it goes.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

from auditor.errors import DataError
from auditor.importers.sighted import record
from auditor.model.observation import Attempt, Observation
from auditor.plugins import Importer, Item, Options, Rejected, Sample
from auditor.wire import dhcp, dhip, dns, sadp, ssdp, wsdiscovery
from auditor.wire.pcap import Captured, is_capture, read_captures
from auditor.wire.seen import Seen
from auditor.wire.sightings import sightings

NAME = "pcap"
SAME_S = 3_600  # a device that is heard again within this time says nothing new
MOST_REMEMBERED = 50_000
_LAST_S = 4_102_444_800  # the year 2100
_ARP, _IPV4, _IPV6 = b"\x08\x06", b"\x08\x00", b"\x86\xdd"
_TAGS = frozenset({b"\x81\x00", b"\x88\xa8", b"\x91\x00"})
_TCP, _UDP, _ICMP6 = 6, 17, 58
_EXTENSIONS = frozenset({0, 43, 60})
_REPLIES = frozenset({b"HTTP/1.", b"RTSP/1."})
_PORTS = frozenset(
    port.to_bytes(2, "big")
    for port in (*dhcp.PORTS, dns.PORT, ssdp.PORT, wsdiscovery.PORT, sadp.PORT, dhip.PORT,
                 dhip.OLD_PORT)
)  # fmt: skip


def recognise(sample: Sample) -> int:
    """Tell by the magic number."""
    return 100 if len(sample.head) >= 4 and is_capture(sample.head) else 0


def read(file: BinaryIO, options: Options) -> Iterator[Item]:
    """Give one record for each device that a frame tells something new of."""
    heard = _Heard()
    number = foreign = 0
    try:
        for packet in read_captures(file):
            number, frame, _ = packet
            if frame is None:
                foreign += 1
            elif may_tell(frame):
                yield from _told(packet, frame, heard, options)
    except DataError as error:
        if not number:
            raise
        yield Rejected(number + 1, f"the capture is damaged from here on: {error.what}")
    if foreign:
        yield Rejected(number, f"{foreign} packets are of a kind of link that is not read here")


def _told(packet: Captured, frame: bytes, heard: "_Heard", options: Options) -> Iterator[Item]:
    for seen in sightings(frame):
        if heard.anew(seen, packet.moment):
            yield _taken(seen, packet, options)


def may_tell(frame: bytes) -> bool:
    """Tell from a few octets whether a frame may speak of a device."""
    at = 14
    kind = frame[12:14]
    while kind in _TAGS and at < 30:
        kind = frame[at + 2 : at + 4]
        at += 4
    if kind == _IPV4:
        if len(frame) < at + 28:
            return False
        protocol, start = frame[at + 9], at + (frame[at] & 15) * 4
    elif kind == _IPV6:
        if len(frame) < at + 48:
            return False
        protocol, start = frame[at + 6], at + 40
        if protocol == _ICMP6 or protocol in _EXTENSIONS:
            return True
    else:
        return kind == _ARP
    if protocol == _TCP:
        if len(frame) < start + 27:
            return False
        start += (frame[start + 12] >> 4) * 4
        return frame[start : start + 7] in _REPLIES
    return protocol == _UDP and (
        frame[start : start + 2] in _PORTS or frame[start + 2 : start + 4] in _PORTS
    )


class _Heard:
    """What was heard lately; its size is bounded."""

    def __init__(self) -> None:
        self._when: dict[int, float] = {}

    def anew(self, seen: Seen, moment: float | None) -> bool:
        """Tell whether a sighting says something new."""
        said = tuple((one.field, one.value) for one in seen.observations)
        key, now = hash((seen.protocol, seen.endpoint, said)), moment or 0.0
        before = self._when.get(key)
        if before is not None and abs(now - before) < SAME_S:
            return False
        if len(self._when) >= MOST_REMEMBERED:
            for old in list(self._when)[: MOST_REMEMBERED // 2]:
                del self._when[old]
        self._when[key] = now
        return True


def _taken(seen: Seen, packet: Captured, options: Options) -> Attempt:
    moment = packet.moment
    known = moment is not None and 0 < moment < _LAST_S
    when = datetime.fromtimestamp(moment, UTC) if known and moment is not None else None
    plain = record(
        NAME,
        options,
        f"packet {packet.number}",
        seen.endpoint,
        ((one.field, one.value) for one in seen.observations),
        when,
    )
    raw = {(one.field, one.value): one.raw for one in seen.observations}
    kept = tuple(
        Observation(one.field, one.value, raw.get((one.field, one.value), b""))
        for one in plain.observations
    )
    return Attempt(
        plain.tool, plain.endpoint, plain.outcome, kept, plain.started, detail=plain.detail,
        origin=plain.origin,
    )  # fmt: skip


IMPORTER = Importer(
    name=NAME,
    recognise=recognise,
    read=read,
    source="draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng",
)
