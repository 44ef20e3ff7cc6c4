"""For people: python -m auditor.lab up | run [--truth FILE] -- COMMAND | testimony in JSON."""

import argparse
import json
import sys
from pathlib import Path

from auditor.errors import AuditorError
from auditor.lab import enter
from auditor.lab.department import Department


def main(argv: list[str] | None = None) -> int:
    """Start a department and do one thing with it."""
    parser = argparse.ArgumentParser(prog="python -m auditor.lab", description=__doc__)
    parser.add_argument("--truth", type=Path, help="another department than the shipped one")
    parser.add_argument("--report", type=Path, help="write what the devices witnessed, as JSON")
    acts = parser.add_subparsers(dest="act", required=True)
    acts.add_parser("up", help="keep it up and tell how to enter, until Enter or end of input")
    run = acts.add_parser("run", help="run a command where a scanner would stand")
    run.add_argument("command", nargs=argparse.REMAINDER)
    asked = parser.parse_args(argv)
    try:
        with Department.start(asked.truth) as lab:
            code = _run(lab, asked.command) if asked.act == "run" else _up(lab)
            if asked.report:
                asked.report.write_text(json.dumps(lab.report(), indent=1) + "\n")
            return code
    except AuditorError as error:
        print(*error.lines(), sep="\n", file=sys.stderr)
        return 2


def _run(lab: Department, command: list[str]) -> int:
    words = command[1:] if command[:1] == ["--"] else command
    return lab.run(words or ["sh"]).returncode


def _up(lab: Department) -> int:
    for segment, interface in zip(lab.truth.segments, lab.interfaces.values(), strict=True):
        print(f"{segment.name}: {segment.network}, scanner {segment.scanner} on {interface}")
    print(f"enter with: {sys.executable} {enter.__file__} {lab.scanner} . sh")
    print("press Enter to end")
    sys.stdout.flush()
    sys.stdin.readline()
    return 0


if __name__ == "__main__":
    sys.exit(main())
