"""The main job on the simulated department: what `auditor demo` and `make audit` do."""

import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from auditor.lab.department import Department

PACKS = ("ca-gc-hikvision-2025", "ca-qc-mcn-2023")
SITE = "Demo department"
LEDGER = "demo-ledger.db"
# Nobody's switch is in the way here; what fragile hosts bear is kept all the same.
PACE = 400.0
_CLI = "import sys; from auditor.cli import main; sys.exit(main())"


def demo(out: Path, lang: str = "en,fr", pace: float | None = None) -> int:
    """Audit the department into `out`; give the audit's own exit code.

    Afterwards the devices themselves testify, on stderr, how they were treated.
    """
    out = out.absolute()
    out.mkdir(parents=True, exist_ok=True)
    ledger = out.with_name(f"{out.name}-{LEDGER}")  # beside the folder: a report is only itself
    for old in out.parent.glob(f"{ledger.name}*"):
        old.unlink()
    with Department.start() as lab:
        code = _attend(lab, _command(lab.networks, out, ledger, lang, pace or PACE))
        sys.stderr.write(testimony(lab.report()))
    return code


def _command(networks: Sequence[str], out: Path, ledger: Path, lang: str, pace: float) -> list[str]:
    packs = [word for pack in PACKS for word in ("--pack", pack)]
    return [
        *(sys.executable, "-c", _CLI, "--db", f"sqlite:///{ledger}"),
        *("audit", *networks, "--site", SITE, *packs),
        *("--lang", lang, "--pace", f"{pace:g}", "--out", str(out)),
    ]


def _attend(lab: Department, command: Sequence[str]) -> int:
    """Run the audit; an interrupt from the keyboard reaches it directly, and we wait."""
    with lab.popen(command) as audit:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            return audit.wait()
        finally:
            signal.signal(signal.SIGINT, before)
            with suppress(OSError):
                audit.kill()


def testimony(report: dict[str, Any]) -> str:
    """Tell in a few lines what the devices have witnessed."""
    sent = report["sent"]
    lines = [
        f"{len(report['devices'])} simulated devices, {sent['frames']} frames sent to them, "
        f"at most {sent['peak_per_s']} in a second",
    ]
    wrongs = report["violations"]
    lines += [f"violation at {wrong['device']}: {wrong['what']}" for wrong in wrongs]
    lines += [f"{name} died of {why}" for name, why in report["dead"].items()]
    if not wrongs and not report["dead"]:
        lines.append("no credential was sent, no forbidden port touched, no fragile device hurt")
    return "".join(f"lab: {line}\n" for line in lines)
