"""What the department remembers: who was touched how, what nobody should have done, what was sent."""

from collections import Counter, deque
from collections.abc import Callable
from typing import Any

KEPT_REQUESTS = 200  # per device; more are counted only
CALLS_SPAN_S = 30.0


class Touches:
    """What one device has received, and why it died if it did."""

    def __init__(self, name: str, ip: str, mac: str) -> None:
        self.name, self.ip, self.mac = name, ip, mac
        self.connections = 0
        self.open = 0
        self.open_peak = 0
        self.requests: list[tuple[int, str]] = []
        self.request_count = 0
        self.datagrams: Counter[int] = Counter()
        self.ports: set[int] = set()  # TCP ports knocked on, open or not
        self.syns = Window()  # connections that were asked for on the wire
        self.repeats = 0  # of such requests: the same ports again
        self.asked: set[tuple[int, int]] = set()
        self.resets = 0
        self.violations: list[str] = []
        self.wronged: Callable[[str], None] | None = None  # is told of each violation
        self.dead: str | None = None

    def syn(self, moment: float, port: int, source: int) -> None:
        """Count one connection request."""
        self.ports.add(port)
        if (port, source) in self.asked:
            self.repeats += 1
        else:
            self.asked.add((port, source))
            self.syns.add(moment)

    def request(self, port: int, line: str) -> None:
        """Remember one request or datagram."""
        self.request_count += 1
        if len(self.requests) < KEPT_REQUESTS:
            self.requests.append((port, line[:200]))

    def violation(self, what: str) -> None:
        """Remember something that an auditor must never do."""
        if len(self.violations) < KEPT_REQUESTS:
            self.violations.append(what)
        if self.wronged:
            self.wronged(what)

    def summary(self) -> dict[str, Any]:
        """Give all of it as plain values."""
        return {
            "ip": self.ip,
            "mac": self.mac,
            "connections": self.connections,
            "open_peak": self.open_peak,
            "syns": self.syns.count,
            "syn_peak_per_s": self.syns.peak,
            "syn_repeats": self.repeats,
            "resets": self.resets,
            "requests": [{"port": port, "line": line} for port, line in self.requests],
            "request_count": self.request_count,
            "datagrams": {str(port): count for port, count in sorted(self.datagrams.items())},
            "ports": sorted(self.ports),
            "violations": list(self.violations),
            "dead": self.dead,
        }


class Window:
    """Counts events and the most of them in any one second."""

    def __init__(self, span_s: float = 1.0) -> None:
        self.span_s = span_s
        self.count = 0
        self.peak = 0
        self._recent: deque[float] = deque()

    def add(self, moment: float) -> int:
        """Count one event; give how many there were in the second that ends with it."""
        self.count += 1
        recent = self._recent
        recent.append(moment)
        while recent[0] <= moment - self.span_s:
            recent.popleft()
        self.peak = max(self.peak, len(recent))
        return len(recent)


class Sent:
    """What the scanner put on the wire, by kind and by destination."""

    def __init__(self) -> None:
        self.all = Window()
        self.kinds: dict[str, Window] = {}
        self.targets: dict[str, Counter[str]] = {}
        self.calls: dict[str, Window] = {}  # by switch port: questions that a whole segment hears
        self.bytes = 0
        self.lost = 0

    def frame(self, moment: float, kind: str, target: str, size: int) -> None:
        """Count one frame of `kind` to `target` (an IP address, or a MAC where there is none)."""
        self.all.add(moment)
        self.bytes += size
        if kind not in self.kinds:
            self.kinds[kind] = Window()
        self.kinds[kind].add(moment)
        self.targets.setdefault(target, Counter())[kind] += 1

    def call(self, moment: float, port: str) -> None:
        """Count one question that a whole segment hears."""
        self.calls.setdefault(port, Window(CALLS_SPAN_S)).add(moment)

    def summary(self) -> dict[str, Any]:
        """Give all of it as plain values."""
        return {
            "frames": self.all.count,
            "bytes": self.bytes,
            "peak_per_s": self.all.peak,
            "kinds": {
                kind: {"frames": window.count, "peak_per_s": window.peak}
                for kind, window in sorted(self.kinds.items())
            },
            "targets": {ip: dict(kinds) for ip, kinds in sorted(self.targets.items())},
            "calls": {
                port: {"frames": window.count, "peak_per_30s": window.peak}
                for port, window in sorted(self.calls.items())
            },
            "unseen": self.lost,
        }


def total(devices: list[Touches], sent: Sent, seconds: float) -> dict[str, Any]:
    """Give the report of a whole department."""
    return {
        "seconds": round(seconds, 3),
        "devices": {touches.name: touches.summary() for touches in devices},
        "violations": [
            {"device": touches.name, "what": what}
            for touches in devices
            for what in touches.violations
        ],
        "dead": {touches.name: touches.dead for touches in devices if touches.dead},
        "sent": sent.summary(),
    }
