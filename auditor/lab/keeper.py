"""The process that is the lab: it holds every network and plays every device.

It is told what to play by the first line of its input, answers each further line with a line
of JSON, and ends, with all that it made, when its input ends: when the process that started
it is gone, however it went.
"""

import asyncio
import json
import os
import resource
import sys
from typing import Any

from auditor.errors import AuditorError
from auditor.lab import kernel
from auditor.lab.farm_field import Field
from auditor.lab.farm_plan import FarmPlan
from auditor.lab.town import Town
from auditor.lab.truth import Truth

_LINE_BYTES = 64 << 20
_SETTLE_S = 0.03
_HINT = f"{kernel.LACK_HINT}; the kernel must know bridge and veth devices"


def main() -> int:
    """Be the lab until the input ends."""
    try:
        asked = json.loads(sys.stdin.buffer.readline())
        _raise_limits()
        kernel.leave_home()
        scanner = kernel.hold_network()
        asyncio.run(_live(asked, scanner))
    except AuditorError as error:
        _say({"error": error.what, "why": error.why, "hint": error.hint})
        return 1
    except OSError as error:
        _say_lack(error)
        return 1
    return 0


def _say_lack(error: OSError) -> None:
    _say({"error": "cannot build the lab", "why": str(error), "hint": _HINT})


def _raise_limits() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _built(asked: dict[str, Any], scanner: int) -> Town | Field:
    """Prepare what the first line of the input asks for."""
    if "farm" in asked:
        return Field(FarmPlan.model_validate(asked["farm"]), scanner)
    return Town(Truth.model_validate(asked["department"]), scanner)


async def _live(asked: dict[str, Any], scanner: int) -> None:
    lab = _built(asked, scanner)
    try:
        await lab.open()
        _say({"scanner": scanner})
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=_LINE_BYTES)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            await asyncio.sleep(_SETTLE_S)  # let what has arrived be served
            _say(_obey(lab, json.loads(line)))
    except AuditorError as error:
        _say({"error": error.what, "why": error.why, "hint": error.hint})
    except OSError as error:
        _say_lack(error)
    except ValueError as error:  # of a certificate or an order
        _say({"error": "the lab cannot play this", "why": str(error)})
    finally:
        lab.close()
        sys.stderr.flush()
    os._exit(0)  # every connection and timer dies with us; nobody waits for them


def _obey(lab: Town | Field, order: dict[str, Any]) -> dict[str, Any]:
    match order["do"]:
        case "report":
            return lab.report()
        case "unplug" | "plug" as act if isinstance(lab, Town):
            getattr(lab.cabling, act)(order["device"])
            return {"done": act}
        case unknown:
            return {"error": f"no order {unknown}"}


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
