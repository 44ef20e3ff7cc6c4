"""Whether this machine's kernel gives its sockets what comes from networks that it does not know.

A camera with its factory address answers from such a network. With rp_filter 1 the kernel drops
what comes in by another interface than the one that leads back to the sender, with 2 what no
interface leads back to; the higher number of `all` and of the interface counts. Source: RFC 3704,
the kernel's ip-sysctl.rst. Frames are seen before that, by whoever has CAP_NET_RAW.
"""

from collections.abc import Iterable
from pathlib import Path

from auditor.net import interfaces
from auditor.net.interfaces import Interface

KERNEL = Path("/proc/sys/net/ipv4/conf")
ELSEWHERE = "192.0.2.1"  # of no network (RFC 5737): what leads there leads to all that is not known
STRICT = 1


def rp_filter(name: str, kernel: Path = KERNEL) -> int:
    """Give the filter that holds for an interface; 0, which filters nothing, where none is told."""
    return max(_told(kernel / which / "rp_filter") for which in ("all", name))


def _told(path: Path) -> int:
    try:
        return int(path.read_text("ascii"))
    except (OSError, ValueError):
        return 0


def withheld(interface: Interface) -> bool:
    """Tell whether answers from networks that are not known here reach no socket of ours."""
    mode = rp_filter(interface.name)
    if not mode:
        return False
    source = interfaces.routed_source(ELSEWHERE)
    own = {address.ip for address in interface.addresses}
    return source not in own if mode == STRICT else source is None


def deaf(interface: Interface) -> bool:
    """Tell whether a camera of another network would answer on an interface and not be heard."""
    return not interfaces.may(interfaces.CAP_NET_RAW) and withheld(interface)


def withholding(known: Iterable[Interface]) -> list[str]:
    """Name the interfaces on which only frames tell of cameras of other networks."""
    ready = (link for link in known if link.up and link.ipv4 and not link.loopback)
    return [link.name for link in ready if withheld(link)]
