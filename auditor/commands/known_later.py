"""What is known about makers, loaded while the first addresses are asked."""

import gc
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from auditor import wiring
from auditor.model.observation import Observation

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

    def _load(self) -> Callable[[Sequence[Observation]], bool]:
        self._wanted.wait(LATER_S)
        from auditor.identify.enough import Enough

        knowledge = wiring.knowledge()
        loaded = Enough(knowledge)
        for field in FIELDS:
            loaded([Observation(field, "00:00:00:00:00:00")])
        assert knowledge.stamp  # made at their first use, as well
        assert knowledge.registry.table
        gc.freeze()  # it stays as long as we do (see ourselves.seldom_tidied)
        return loaded
