"""What is known about makers, loaded while the first addresses are asked."""

import gc
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from auditor import wiring
from auditor.model.observation import Observation

if TYPE_CHECKING:
    from auditor.identify.enough import Enough

# Patterns are compiled when the first text of their field comes: so one is weighed ahead.
FIELDS = (
    "mac",
    "device.brand",
    "device.model",
    "sadp.reply",
    "dhip.reply",
    "onvif.scopes",
    "http.server",
    "http.title",
    "http.wwwauth",
    "http.response",
    "rtsp.server",
    "rtsp.wwwauth",
    "tls.subject",
)
LATER_S = 0.3  # by then the first questions have gone; to begin sooner would keep them waiting
SWITCH_S = 0.0005  # while it is loaded, whoever sends frames waits no longer for the interpreter


class EnoughLater:
    """Tells when enough is known of a host (see identify.enough)."""

    def __init__(self) -> None:
        self._wanted = threading.Event()
        pool = ThreadPoolExecutor(1)
        self._loading = pool.submit(self._load)
        pool.shutdown(wait=False)

    def __call__(self, seen: Sequence[Observation]) -> bool:
        """Weigh all that was seen of one host so far."""
        self._wanted.set()
        return self._loading.result()(seen)

    def needless(self, seen: Sequence[Observation], fields: Sequence[str]) -> bool:
        """Tell whether a reply that is told by these fields cannot add what is missing."""
        self._wanted.set()
        return self._loading.result().needless(seen, fields)

    def _load(self) -> "Enough":
        self._wanted.wait(LATER_S)
        before = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_S)
        try:
            return self._loaded()
        finally:
            sys.setswitchinterval(before)

    def _loaded(self) -> "Enough":
        loaded = wiring.enough()
        for field in FIELDS:
            loaded.needless([Observation(field, "00:00:00:00:00:00")], ())
        assert loaded.knowledge.stamp  # made at their first use, as well
        assert loaded.knowledge.registry.table
        gc.freeze()  # it stays as long as we do (see ourselves.seldom_tidied)
        return loaded
