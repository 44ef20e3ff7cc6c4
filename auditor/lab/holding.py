"""A lab as other programs see it: a process that holds the networks, entered and asked from here."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from auditor.errors import EnvironmentLack
from auditor.lab import enter, kernel


class Lab:
    """Networks that live until `close` or the end of this process, whichever is first."""

    def __init__(self, keeper: str, what: dict[str, Any]) -> None:
        """Let the module `keeper` build `what` (plain values) in a process of its own.

        EnvironmentLack says what this machine does not allow.
        """
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", keeper],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_environment(),
            start_new_session=True,  # Ctrl-C is for those who work in the lab, not for the lab
        )
        try:
            self.scanner: int = self.ask(json.dumps(what))["scanner"]
        except BaseException:
            self.close()
            raise

    def popen(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a command in the scanner's network; options as for subprocess.Popen."""
        directory = str(options.pop("cwd", None) or Path.cwd())
        way_in = [sys.executable, "-I", "-S", enter.__file__, str(self.scanner), directory]
        return subprocess.Popen([*way_in, *argv], **options)

    def run(
        self, argv: Sequence[str], *, timeout: float | None = None, **options: Any
    ) -> "subprocess.CompletedProcess[Any]":
        """Run a command in the scanner's network to its end; options as for subprocess.run."""
        if options.pop("capture_output", False):
            options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        given, check = options.pop("input", None), options.pop("check", False)
        if given is not None:
            options["stdin"] = subprocess.PIPE
        with self.popen(argv, **options) as process:
            try:
                out, err = process.communicate(given, timeout=timeout)
            except BaseException:
                process.kill()
                raise
        ended = subprocess.CompletedProcess(list(argv), process.returncode, out, err)
        if check:
            ended.check_returncode()
        return ended

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Let the calling thread be in the scanner's network; sockets opened here stay there.

        Only where we may enter it without changing the user: as root, or when we are in a
        user namespace of our own.
        """
        network = os.open(f"/proc/{self.scanner}/ns/net", os.O_RDONLY)
        try:
            with kernel.inside(network):
                yield
        except PermissionError as error:
            raise EnvironmentLack(
                "this process may not enter the lab itself",
                why=str(error),
                hint="run a command in it, or run this as root",
            ) from error
        finally:
            os.close(network)

    def report(self) -> dict[str, Any]:
        """Tell what was received, what nobody should have done, what was sent."""
        return self.ask('{"do": "report"}')

    def ask(self, line: str) -> dict[str, Any]:
        """Send the keeper one line of JSON and give its answer."""
        stdin, stdout = _pipe(self._keeper.stdin), _pipe(self._keeper.stdout)
        with suppress(BrokenPipeError):  # then the answer says why
            stdin.write(line + "\n")
            stdin.flush()
        answer: dict[str, Any] = json.loads(stdout.readline() or '{"error": "the lab has died"}')
        if "error" in answer:
            raise EnvironmentLack(
                answer["error"], why=answer.get("why", ""), hint=answer.get("hint", "")
            )
        return answer

    def close(self) -> None:
        """End the networks and everything that runs in them."""
        stdin, stdout = _pipe(self._keeper.stdin), _pipe(self._keeper.stdout)
        with suppress(OSError):
            stdin.close()
        try:
            self._keeper.wait(10)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        stdout.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _pipe(end: IO[str] | None) -> IO[str]:
    assert end is not None
    return end


def _environment() -> dict[str, str]:
    """Let the keeper find this very package, wherever it was imported from."""
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
