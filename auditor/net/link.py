"""Raw frames on one interface, below IP: opened, filtered in the kernel, read with their tags.

Sources: packet(7); IEEE 802.3 and 802.1Q. What is let in stands in `filters`. Needs CAP_NET_RAW.
"""

import contextlib
import ctypes
import errno
import fcntl
import socket
import struct
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from auditor.errors import EnvironmentLack
from auditor.net.filters import ETH_P_ALL, VLAN_TAGS, Instruction
from auditor.net.interfaces import Interface, require_raw

BROADCAST = b"\xff" * 6
RECEIVE_BUFFER = 16 << 20
FULL_QUEUE_S, FULL_TRIES = 0.0005, 2_000  # a queue that stays full for a second is broken
SO_ATTACH_FILTER, SO_RCVBUFFORCE, SO_TIMESTAMPNS = 26, 33, 35  # asm-generic/socket.h
SOL_PACKET, PACKET_ADD_MEMBERSHIP, PACKET_STATISTICS, PACKET_AUXDATA = 263, 1, 6, 8
PACKET_IGNORE_OUTGOING, PACKET_MR_ALLMULTI = 23, 2
_MEMBERSHIP = struct.Struct("=iHH8s")  # struct packet_mreq
_AUXDATA = struct.Struct("=IIIHHHH")  # struct tpacket_auxdata
_TIMESPEC = struct.Struct("=qq")
_ANCILLARY = 128  # octets: room for both
_VLAN_VALID = 0x10  # TP_STATUS_VLAN_VALID
_UNSUMMED, _SUMMED = 0x8, 0x80  # TP_STATUS_CSUMNOTREADY, TP_STATUS_CSUM_VALID
_GET_FLAGS, _UP, _RUNNING = 0x8913, 0x1, 0x40  # SIOCGIFFLAGS, IFF_UP, IFF_RUNNING: netdevice(7)
_VID = 0x0FFF  # the identifier in an 802.1Q tag control word


@dataclass(frozen=True, slots=True)
class Frame:
    """One received frame without its tags. vlan: the inner tag's identifier; None when untagged.

    An identifier of 0 tells a priority and no VLAN (IEEE 802.1Q, 9.6): that frame is untagged.
    moment_s: when the kernel received it, by the system's clock (Unix time); we may be late.
    summed: False where the checksum of what it carries is not to be looked at: the card did that,
    or it is not filled in yet, because the frame comes from a machine inside this one.
    """

    data: bytes
    vlan: int | None = None
    moment_s: float = 0.0
    summed: bool = True


def attach(sock: socket.socket, program: Iterable[Instruction]) -> None:
    """Let the kernel drop whatever the program does not return."""
    code = b"".join(struct.pack("=HBBI", *step) for step in program)
    kept = ctypes.create_string_buffer(code)
    head = struct.pack("@HP", len(code) // 8, ctypes.addressof(kept))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, head)


def open_link(interface: Interface, program: Iterable[Instruction]) -> socket.socket:
    """Open a socket for whole frames on an interface, seeing only what `program` lets in.

    It listens on all protocols because a tagged frame is not delivered under its inner one.
    """
    require_raw()
    if not interface.up:
        raise EnvironmentLack(
            f"interface {interface.name} is down",
            hint=f"bring it up: ip link set {interface.name} up",
        )
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        attach(sock, program)  # before it is bound, so that nothing else slips in
        sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        sock.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        widen(sock, RECEIVE_BUFFER)
        sock.bind((interface.name, ETH_P_ALL))
        sock.settimeout(0)
    except OSError as error:
        raise EnvironmentLack(
            f"raw frames cannot be sent by {interface.name}",
            why=error.strerror or str(error),
            hint="see that the interface is there and up, and that this runs as root",
        ) from error
    return sock


def widen(sock: socket.socket, octets: int) -> None:
    """Ask for so much room for what comes; who may not command it gets what the kernel allows."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, octets)
    except PermissionError:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, octets)


def ignore_own(sock: socket.socket) -> None:
    """Do not hear what this machine itself sends; kernels before 4.20 do not know that."""
    with contextlib.suppress(OSError):
        sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)


def hear_groups(sock: socket.socket, interface: Interface) -> None:
    """Let the interface hand up frames to all groups while the socket is open.

    A network card passes only frames to groups that somebody on this machine has joined. This
    changes the card's filter alone: it joins nothing, and sends nothing (packet(7)).
    """
    asked = _MEMBERSHIP.pack(interface.index, PACKET_MR_ALLMULTI, 0, b"")
    sock.setsockopt(SOL_PACKET, PACKET_ADD_MEMBERSHIP, asked)


def has_carrier(sock: socket.socket) -> bool:
    """Tell whether the interface that a link socket is bound to is up and its cable in place."""
    return bool(_flags(sock) & _RUNNING)


def _flags(sock: socket.socket) -> int:
    asked = struct.pack("=16sH14x", str(sock.getsockname()[0]).encode(), 0)
    try:
        told = fcntl.ioctl(sock, _GET_FLAGS, asked)
    except OSError:  # the interface is gone
        return 0
    return int(struct.unpack_from("=H", told, 16)[0])


def pulled(sock: socket.socket) -> EnvironmentLack:
    """Say why nothing leads out of the interface of a socket any more."""
    if not _flags(sock) & _UP:
        return EnvironmentLack(
            f"interface {sock.getsockname()[0]} does not send any more",
            why="it went down",
            hint="bring it up again and resume the scan",
        )
    return EnvironmentLack(
        f"interface {sock.getsockname()[0]} lost its link: a cable was pulled, or the switch is off",
        why="whoever is asked meanwhile would seem silent",
        hint="see to cable and switch, and go on with `scan --resume`",
    )


def send(sock: socket.socket, interface: Interface, frame: bytes) -> None:
    """Send one frame; a full queue is waited for, a link that went away is said.

    Without a carrier the kernel takes a frame and drops it, so that is asked first.
    """
    for _ in range(FULL_TRIES):
        if not has_carrier(sock):
            raise pulled(sock)
        try:
            sock.send(frame)
        except OSError as error:
            why = error.strerror or str(error)
            if error.errno not in {errno.ENOBUFS, errno.EAGAIN, errno.EINTR}:
                break
            time.sleep(FULL_QUEUE_S)
        else:
            return
    else:
        why = "its queue stays full"
    raise EnvironmentLack(
        f"interface {interface.name} does not send any more",
        why=why,
        hint="bring it up again and resume the scan",
    )


def lost(sock: socket.socket) -> int:
    """Count the frames that the kernel had no room for since this was last asked."""
    told = sock.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8)
    return int(struct.unpack("=II", told)[1])


def waiting(sock: socket.socket, most: int) -> Iterator[Frame]:
    """Take the frames that have come, so many at most; of a link that is gone whoever sends tells."""
    for _ in range(most):
        try:
            frame = take(sock)
        except OSError:
            return
        if frame is None:
            return
        yield frame


def take(sock: socket.socket) -> Frame | None:
    """Take one frame from the socket; None when there is none."""
    try:
        raw, ancillary, _, _ = sock.recvmsg(65_535, _ANCILLARY)
    except (BlockingIOError, InterruptedError):
        return None
    except OSError as error:
        if error.errno != errno.ENETDOWN:
            raise
        return None  # frames before it are still there; who sends next says that it is down
    vlan, moment_s, summed = None, 0.0, True
    for level, kind, told in ancillary:
        if level == SOL_PACKET and kind == PACKET_AUXDATA and len(told) >= _AUXDATA.size:
            status, *_, tag, _ = _AUXDATA.unpack_from(told)
            vlan = tag & _VID or None if status & _VLAN_VALID else None
            summed = not status & (_UNSUMMED | _SUMMED)
        elif (level, kind) == (socket.SOL_SOCKET, SO_TIMESTAMPNS) and len(told) == _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack(told)
            moment_s = seconds + nanoseconds / 1e9
    while len(raw) >= 18 and int.from_bytes(raw[12:14], "big") in VLAN_TAGS:
        vlan = int.from_bytes(raw[14:16], "big") & _VID or vlan
        raw = raw[:12] + raw[16:]
    return Frame(raw, vlan, moment_s, summed)
