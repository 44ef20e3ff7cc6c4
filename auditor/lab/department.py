"""A simulated department as other programs see it: start it, run commands in it, ask it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from auditor.errors import EnvironmentLack
from auditor.lab import enter, kernel
from auditor.lab.reading import load, of
from auditor.lab.truth import Device, Truth


class Department:
    """A department that lives until `close` or the end of this process, whichever is first."""

    def __init__(self, truth: Truth) -> None:
        """Build and start it; EnvironmentLack says what this machine does not allow."""
        self.truth = truth
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", "auditor.lab.keeper"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=_environment(),
        )
        try:
            self.scanner: int = self._ask(truth.model_dump_json())["scanner"]
        except BaseException:
            self.close()
            raise

    @classmethod
    def start(cls, truth_path: Path | None = None) -> "Department":
        """Start the department of a truth file (None: the one that comes with the program)."""
        return cls(load(truth_path))

    @classmethod
    def of(
        cls,
        devices: Sequence[Mapping[str, Any] | Device],
        networks: Sequence[str] = ("10.20.1.0/24",),
        certificates: Mapping[str, Any] | None = None,
    ) -> "Department":
        """Start a small department of the given devices; see `reading.of` for what may be left out."""
        return cls(of(devices, networks, certificates))

    @property
    def networks(self) -> tuple[str, ...]:
        """Give the networks of its segments."""
        return tuple(segment.network for segment in self.truth.segments)

    @property
    def interfaces(self) -> Mapping[str, str]:
        """Give the scanner's interface in each segment: the segment's name -> eth0, eth1."""
        return {segment.name: f"eth{at}" for at, segment in enumerate(self.truth.segments)}

    def popen(self, argv: Sequence[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a command in the scanner's network; options as for subprocess.Popen."""
        directory = str(options.pop("cwd", None) or Path.cwd())
        way_in = [sys.executable, "-I", "-S", enter.__file__, str(self.scanner), directory]
        return subprocess.Popen([*way_in, *argv], **options)

    def run(
        self, argv: Sequence[str], *, timeout: float | None = None, **options: Any
    ) -> "subprocess.CompletedProcess[Any]":
        """Run a command in the scanner's network to its end; options as for subprocess.Popen."""
        if options.pop("capture_output", False):
            options |= {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        given = options.pop("input", None)
        if given is not None:
            options["stdin"] = subprocess.PIPE
        with self.popen(argv, **options) as process:
            try:
                out, err = process.communicate(given, timeout=timeout)
            except BaseException:
                process.kill()
                raise
        return subprocess.CompletedProcess(list(argv), process.returncode, out, err)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Let the calling thread be in the scanner's network; only where we may enter it
        without changing the user (as root, or when ourselves in a user namespace).
        """
        network = os.open(f"/proc/{self.scanner}/ns/net", os.O_RDONLY)
        try:
            with kernel.inside(network):
                yield
        except PermissionError as error:
            raise EnvironmentLack(
                "this process may not enter the lab itself",
                why=str(error),
                hint="run the command with Department.run, or run this as root",
            ) from error
        finally:
            os.close(network)

    def report(self) -> dict[str, Any]:
        """Tell what the devices have received, what nobody should have done, what was sent."""
        return self._ask('{"do": "report"}')

    def close(self) -> None:
        """End the department and everything that runs in it."""
        stdin, stdout = _pipe(self._keeper.stdin), _pipe(self._keeper.stdout)
        with suppress(OSError):
            stdin.close()
        try:
            self._keeper.wait(10)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        stdout.close()

    def __enter__(self) -> "Department":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _ask(self, line: str) -> dict[str, Any]:
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


def _pipe(end: IO[str] | None) -> IO[str]:
    assert end is not None
    return end


def _environment() -> dict[str, str]:
    """Let the keeper find this very package, wherever it was imported from."""
    root = str(Path(__file__).parents[2])
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
