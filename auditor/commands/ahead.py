"""Reading a file while what was read before is written: the database works without the
interpreter's lock for most of its time, so two cores are used.
"""

import sys
import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import Empty, Full, Queue
from typing import TypeVar

DEPTH = 6  # items that may wait; a block of a table holds some thousand rows
WAIT_S = 0.1
SWITCH_S = 0.001  # the database asks for the lock a thousand times a second

T = TypeVar("T")


@contextmanager
def ahead(items: Iterable[T]) -> Iterator[Iterator[T]]:
    """Take items in a thread of its own; what taking them raises is raised to who reads them."""
    waiting: Queue[tuple[T, ...]] = Queue(DEPTH)
    stop = threading.Event()
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    with ThreadPoolExecutor(1, thread_name_prefix="reading") as one:
        done = one.submit(_read, items, waiting, stop)
        try:
            yield _taken(waiting, done)
        finally:
            stop.set()
            sys.setswitchinterval(before)


def _read(items: Iterable[T], waiting: Queue[tuple[T, ...]], stop: threading.Event) -> None:
    try:
        for item in items:
            if not _put((item,), waiting, stop):
                return
    finally:
        _put((), waiting, stop)


def _put(found: tuple[T, ...], waiting: Queue[tuple[T, ...]], stop: threading.Event) -> bool:
    while not stop.is_set():
        try:
            waiting.put(found, timeout=WAIT_S)
        except Full:
            continue
        return True
    return False


def _taken(waiting: Queue[tuple[T, ...]], done: "Future[None]") -> Iterator[T]:
    while True:
        try:
            found = waiting.get(timeout=WAIT_S)
        except Empty:
            if done.done():
                break
            continue
        if not found:
            break
        yield from found
    done.result()
