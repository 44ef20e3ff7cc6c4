"""Sockets with packet rings, set up without numpy: the kernel takes its time, and others import.

Every ring that is set up or taken down waits until all processors have seen it (synchronize_net
in the kernel), five times a socket: so sockets are opened ahead, and kept for the next volley.
"""

import mmap
import socket
import struct
from collections.abc import Iterable

from auditor.errors import EnvironmentLack
from auditor.net.filters import Instruction
from auditor.net.interfaces import Interface
from auditor.net.link import SOL_PACKET, ignore_own, open_link

SLOT = 128  # octets; holds any ARP frame and any TCP segment without data
BLOCK = 1 << 16
RECEIVE_SLOTS, SEND_SLOTS = 1 << 16, 1 << 12
PACKET_RX_RING, PACKET_TX_RING = 5, 13
PACKET_VERSION, TPACKET_V2 = 10, 1
PACKET_QDISC_BYPASS = 20

Ringed = tuple[socket.socket, mmap.mmap]


def open_ringed(interface: Interface, program: Iterable[Instruction]) -> Ringed:
    """Open a socket for whole frames with a ring to receive and one to send, mapped as one."""
    sock = open_link(interface, program)
    try:
        for option in ((PACKET_VERSION, TPACKET_V2), (PACKET_QDISC_BYPASS, 1)):
            _set(sock, *option)
        ignore_own(sock)
        for ring, many in ((PACKET_RX_RING, RECEIVE_SLOTS), (PACKET_TX_RING, SEND_SLOTS)):
            shape = struct.pack("=IIII", BLOCK, many * SLOT // BLOCK, SLOT, many)
            sock.setsockopt(SOL_PACKET, ring, shape)
        return sock, mmap.mmap(sock.fileno(), (RECEIVE_SLOTS + SEND_SLOTS) * SLOT)
    except OSError as error:
        sock.close()
        raise EnvironmentLack(
            f"the packet rings of {interface.name} cannot be set up",
            why=error.strerror or str(error),
            hint="free some memory, or scan with a lower --pace, which needs no rings",
        ) from error


def _set(sock: socket.socket, option: int, value: int) -> None:
    sock.setsockopt(SOL_PACKET, option, struct.pack("=i", value))
