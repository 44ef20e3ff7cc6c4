"""Whether the file that gives a run its authority is still the one that it began with."""

import asyncio
import contextlib
import hashlib
import os
import stat
import threading
from pathlib import Path

from auditor.model.scope import Authority

MOST_BYTES = 1 << 22  # no scope file is so large
READ_S = 1.0  # a file takes no longer to be read; a run stops within two seconds


class Seal:
    """One scope file and the signature beside it, as they were when the run began."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.path = Path(authority.source)
        self.beside = self.path.with_name(self.path.name + ".sig")
        self._signature: bytes | None = None

    async def broken(self) -> str | None:
        """Give what is wrong with it; None where all is as it was, or there is no file.

        A disk that does not answer is wrong as well.
        """
        if not self.authority.sha256:  # the words of a command line
            return None
        loop = asyncio.get_running_loop()
        told: asyncio.Future[str | None] = loop.create_future()

        def settle(found: str | None) -> None:
            if not told.done():
                told.set_result(found)

        def look() -> None:
            found = self._look()
            with contextlib.suppress(RuntimeError):  # the run is over
                loop.call_soon_threadsafe(settle, found)

        # a thread that ends with us: one that hangs in a read would keep the program from ending
        threading.Thread(target=look, daemon=True).start()
        try:
            return await asyncio.wait_for(told, READ_S)
        except TimeoutError:
            return f"the scope file {self.path} cannot be read: no answer"

    def _look(self) -> str | None:
        try:
            now = hashlib.sha256(_read(self.path)).hexdigest()
        except OSError as error:
            return f"the scope file {self.path} cannot be read any more: {error.strerror}"
        if now != self.authority.sha256:
            return f"the scope file {self.path} was changed during the run"
        if not self.authority.signed_by:
            return None
        try:
            signature = _read(self.beside)
        except OSError as error:
            return f"the signature {self.beside} cannot be read any more: {error.strerror}"
        if self._signature not in {None, signature}:
            return f"the signature {self.beside} was changed during the run"
        self._signature = signature
        return None


def _read(path: Path) -> bytes:
    """Read a regular file; a pipe in its place would keep whoever opens it waiting."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "it is no file any more")
        return file.read(MOST_BYTES)
