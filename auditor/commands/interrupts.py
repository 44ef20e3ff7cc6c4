"""What ends a collection from outside: Ctrl-C, kill, a terminal that goes away.

The first signal stops it: nothing more is asked, what was answered is kept. The second ends
the program where it stands; what was committed is kept, as it is after kill -9.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Callable, Coroutine

INCOMPLETE = 3
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Job = Callable[[asyncio.Event], Coroutine[None, None, bool]]


def run(job: Job) -> bool:
    """Run a collection on its own loop; False where it was stopped."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    stop = asyncio.Event()
    try:
        import uvloop
    except ImportError:  # no wheel for this platform: slower, and just as right
        return asyncio.run(_stoppable(job, stop))
    else:
        return bool(uvloop.run(_stoppable(job, stop)))
    finally:
        for number, handler in before.items():  # a loop that closes leaves the system's own
            listens = handler is not signal.SIG_IGN
            signal.signal(number, _insisted if stop.is_set() and listens else handler)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


async def _stoppable(job: Job, stop: asyncio.Event) -> bool:
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if stop.is_set():
            _leave()
        stop.set()
        # what was cut off in the middle, a TLS handshake for one, is no failure to report
        loop.set_exception_handler(lambda _loop, _context: None)

    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup asked for that
            loop.add_signal_handler(number, interrupt)
    try:
        return await job(stop)
    finally:  # who insists while the loop closes meets our handler again, not the system's
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)


def _insisted(_number: int, _frame: object) -> None:
    """Take the second signal while things are put away: an exception would be lost in there."""
    _leave()


def _leave() -> None:
    sys.stderr.write("interrupted at once; what was committed is kept\n")
    sys.stderr.flush()
    os._exit(INCOMPLETE)
