"""Commands of who keeps the ledger: verify, diff, bundles, databases, scopes, doctor, demo."""

import json
import os
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor import wiring
from auditor.commands.setting import Setting
from auditor.commands.terminal import emit, safe, table
from auditor.errors import AuditorError, DataError, UsageError


@dataclass(frozen=True, slots=True)
class Checked:
    """One line of `doctor`. state: OK, WARN or FAIL; fix: what to do where it is not OK."""

    what: str
    state: str
    found: str
    fix: str = ""


def verify(path: Path) -> int:
    """Check a report folder or a bundle with nothing but itself."""
    if path.is_dir():
        from auditor.formats.manifest import verify_folder

        problems = list(verify_folder(path))
    elif path.is_file():
        from auditor.store.bundle import verify_bundle

        problems = list(verify_bundle(path))
    else:
        raise UsageError(f"there is no {path}", hint="give the folder of a report, or a bundle")
    for problem in problems:
        print(safe(problem, 1000))
    print("verified: every hash holds" if not problems else f"{len(problems)} problems found")
    return 2 if problems else 0


def diff(setting: Setting, before: str, after: str, *, as_json: bool) -> int:
    """Say what changed between two reports, or between a report and now."""
    from auditor.inventory.changes import changes

    old = _reported(before)
    new = _now(setting) if after == "now" else _reported(after)
    found = changes(old, new)
    if as_json:
        emit(
            {"kind": c.kind, "device": c.device, "before": c.before, "after": c.after}
            | {"because": c.because, "detail": c.detail}
            for c in found
        )
    else:
        table(
            [[c.kind, c.device, c.detail, c.before, c.after, c.because] for c in found],
            ("change", "device", "what", "before", "after", "because"),
        )
        print(f"{len(found)} changes")
    return 0


def _reported(name: str) -> Mapping[str, Any]:
    from auditor.inventory.changes import misshapen

    path = Path(name)
    path = path / "report.json" if path.is_dir() else path
    try:
        said = json.loads(path.read_bytes())
    except OSError as error:
        raise UsageError(f"cannot read {path}", why=error.strerror or "") from error
    except ValueError as error:
        raise DataError(f"{path} is no report.json", why=str(error)) from error
    if not isinstance(said, dict) or "devices" not in said:
        raise DataError(f"{path} is no report.json", why="it lists no devices")
    if wrong := misshapen(said):
        raise DataError(f"{path} is no report.json", why=wrong)
    return said


def _now(setting: Setting) -> Mapping[str, Any]:
    from auditor.commands import judging
    from auditor.formats.json_report import pieces

    with wiring.open_ledger(setting.db) as ledger:
        frozen = judging.frozen(setting, ledger, judging.Wanted())
    said = json.loads(b"".join(pieces(frozen)))
    assert isinstance(said, dict)
    return said


def bundle_export(setting: Setting, site: str, out: Path) -> int:
    """Write one site's facts as one file."""
    from auditor.store.bundle import export_bundle

    with wiring.open_ledger(setting.db) as ledger:
        written = export_bundle(ledger, site, out)
    print(safe(f"{written} facts of {site} written to {out}"))
    return 0


def bundle_merge(setting: Setting, files: tuple[Path, ...]) -> int:
    """Take bundles in; a damaged one is refused whole and costs the others nothing."""
    with wiring.open_ledger(setting.db) as ledger:
        taken = [_merged(ledger, path) for path in files]
    return 0 if all(taken) else 2


def _merged(ledger: Any, path: Path) -> bool:
    from auditor.store.bundle import merge_bundle

    try:
        print(safe(f"{path}: {merge_bundle(ledger, path)} facts taken"))
    except AuditorError as error:
        for line in error.lines():
            print(safe(line, 1000), file=sys.stderr)
        return False
    return True


def db_move(setting: Setting, to: str) -> int:
    """Copy the ledger to another database and verify its chain there."""
    from auditor.store.move import move

    print(f"{move(setting.db, to)} facts copied; the chain holds")
    return 0


def db_backup(setting: Setting, to: Path) -> int:
    """Copy an embedded ledger while it is in use."""
    from auditor.store.move import backup

    backup(setting.db, to)
    print(safe(f"{to} written"))
    return 0


def db_restore(setting: Setting, path: Path) -> int:
    """Put a backup in place; a ledger that is there already is never overwritten."""
    from auditor.store.move import restore

    print(f"{restore(path, setting.db)} facts restored; the chain holds")
    return 0


def db_verify(setting: Setting) -> int:
    """Check the hash chain of the ledger."""
    with wiring.open_ledger(setting.db) as ledger:
        found = ledger.verify()
    if found.ok:
        print(f"{found.rows} facts; the chain holds; head {found.head}")
        return 0
    print(safe(f"the chain breaks at {found.first_broken}: {found.reason}"))
    return 2


def journal(setting: Setting, run: str) -> int:
    """Print what was sent."""
    with wiring.open_ledger(setting.db) as ledger:
        emit(
            {
                "moment": entry.moment.isoformat(),
                "kind": entry.kind,
                "ip": entry.ip,
                "port": entry.port,
                "count": entry.count,
                "size": entry.size,
                "tool": entry.tool,
                "detail": entry.detail,
            }
            for entry in ledger.journaled(run or None)
        )
        for one in ledger.runs():
            if run in {"", one.id} and one.status == "running":
                setting.say(f"run {one.id} has not ended: `scan --resume` adds its last lines")
    return 0


def scope_sign(path: Path, key: Path) -> int:
    """Sign a scope file."""
    from auditor import scope_file

    print(scope_file.sign(path, key))
    return 0


def demo(out: Path, lang: str, pace: float | None) -> int:
    """Run the main job on the simulated department."""
    from auditor.lab.demo import demo as run

    return run(out, lang, pace)


def doctor(setting: Setting, *, as_json: bool) -> int:
    """Tell what this machine lacks for which task."""
    found = list(_checks(setting))
    if as_json:
        emit({"what": c.what, "state": c.state, "found": c.found, "fix": c.fix} for c in found)
    else:
        table([[c.state, c.what, c.found, c.fix] for c in found], ("state", "what", "found", "fix"))
    return 2 if any(check.state == "FAIL" for check in found) else 0


def _checks(setting: Setting) -> Iterator[Checked]:
    from auditor.net import interfaces

    version = sys.version.split()[0]
    yield Checked(
        "python", "OK" if sys.version_info >= (3, 11) else "FAIL", version, "3.11 or newer"
    )
    raw = interfaces.may(interfaces.CAP_NET_RAW)
    yield Checked(
        "raw frames (ARP, passive)",
        "OK" if raw else "WARN",
        "CAP_NET_RAW" if raw else "not allowed: TCP connect is used instead",
        "" if raw else "run as root, or setcap cap_net_raw+ep on the interpreter",
    )
    up = [link.name for link in interfaces.interfaces() if link.up and not link.loopback]
    yield Checked(
        "interfaces",
        "OK" if up else "WARN",
        ", ".join(up) or "none is up but loopback",
        "" if up else "ip link set NAME up",
    )
    yield _foreign(raw=raw)
    yield from map(_program, (("nmap", "the nmap engine"), ("ip", "the simulated department")))
    yield from _ledger(setting)
    yield from _data(setting)
    free = shutil.disk_usage(Path.cwd()).free >> 20
    yield Checked("disk", "OK" if free > 500 else "WARN", f"{free} MB free here", "make room")
    yield _namespaces()


def _foreign(*, raw: bool) -> Checked:
    """Check that cameras with a factory address are heard: they answer from another network."""
    from auditor.net import interfaces, way_back

    what, names = "answers from other networks", way_back.withholding(interfaces.interfaces())
    if raw:
        return Checked(what, "OK", "read as frames, before rp_filter and any firewall")
    if not names:
        return Checked(what, "OK", "not filtered by rp_filter; a firewall may still drop them")
    knobs = " ".join(f"net.ipv4.conf.{name}.rp_filter=0" for name in ("all", *names))
    return Checked(
        what,
        "WARN",
        f"dropped by rp_filter on {', '.join(names)}: cameras with a factory address are missed",
        f"run as root, or setcap cap_net_raw+ep on the interpreter; or sysctl -w {knobs}",
    )


def _program(named: tuple[str, str]) -> Checked:
    name, use = named
    found = shutil.which(name)
    fix = "" if found else f"install {name}; without it: no {use}"
    return Checked(name, "OK" if found else "WARN", found or "not found", fix)


def _ledger(setting: Setting) -> Iterable[Checked]:
    name = setting.shown_db
    if setting.db.startswith("sqlite:///") and not Path(setting.db[10:]).exists():
        return [Checked("ledger", "OK", f"{name}: not made yet")]
    try:
        with wiring.open_ledger(setting.db) as ledger:
            rows, _ = ledger.head()
        return [Checked("ledger", "OK", f"{name}: {rows} facts")]
    except AuditorError as error:
        return [Checked("ledger", "FAIL", error.what, error.hint or error.why)]


def _data(setting: Setting) -> Iterable[Checked]:
    today = setting.day("")
    status = wiring.registry().status
    age = status.age_days(today)
    fix = "auditor oui update FILE" if status.stale(today) else ""
    yield Checked("registry", "WARN" if fix else "OK", f"{status.rows} blocks, {age} days old", fix)
    try:
        packs = wiring.packs()
    except AuditorError as error:
        yield Checked("packs", "FAIL", error.what, error.why)
        return
    late = [pack.id for pack in packs if today > pack.raw.review_by]
    said = f"{len(packs)} packs" + (f", past their review: {', '.join(late)}" if late else "")
    yield Checked("packs", "WARN" if late else "OK", said, "have them reviewed" if late else "")


def _namespaces() -> Checked:
    """Tell whether the simulated department can be made here."""
    if os.geteuid() == 0:
        return Checked("namespaces", "OK", "root")
    limit = Path("/proc/sys/user/max_user_namespaces")
    allowed = limit.exists() and limit.read_text("ascii").strip() != "0"
    return Checked(
        "namespaces",
        "OK" if allowed else "WARN",
        "user namespaces" if allowed else "not allowed",
        "" if allowed else "run `auditor demo` as root, or allow user namespaces",
    )
