"""What this process asks of the system for itself while it collects: sockets, and peace."""

import atexit
import contextlib
import gc
import resource
from collections.abc import Iterator

# New containers between two looks of the garbage collector. Thousands of conversations in flight
# are no garbage, and looking through them at every seven hundredth costs a sixth of the time.
GARBAGE_AFTER = 50_000


def many_files() -> None:
    """Let this process hold as many sockets as the system lets it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 65_536)), hard))


def tidied_seldom() -> None:
    """Let this process look for garbage seldom from now on, and at its end not at all.

    What it imports is none, and when it ends the system takes everything back at once.
    """
    gc.set_threshold(GARBAGE_AFTER, *gc.get_threshold()[1:])
    atexit.register(gc.freeze)


@contextlib.contextmanager
def seldom_tidied() -> Iterator[None]:
    """Look for garbage seldom: what a run keeps it keeps, and what it drops is not cyclic."""
    before, frozen = gc.get_threshold(), gc.get_freeze_count()
    gc.set_threshold(max(before[0], GARBAGE_AFTER), *before[1:])
    gc.freeze()  # all that is known about makers stays as long as we do
    try:
        yield
    finally:
        if not frozen:  # the outermost thaws
            gc.unfreeze()
        gc.set_threshold(*before)
