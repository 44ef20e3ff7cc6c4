"""Builds things and finds shipped data; the only room that knows every room.

Nothing here decides anything: each function says which parts belong together.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from auditor.errors import UsageError
from auditor.model.scope import Pace, Scope
from auditor.plugins import Format, Importer, Medium, Probe, Sweep, Words, load

if TYPE_CHECKING:
    from auditor.identify.enough import Enough
    from auditor.identify.knowledge import Knowledge
    from auditor.identify.registry import Registry
    from auditor.policy.pack import Pack
    from auditor.store.ledger import Ledger

PACKAGE = Path(__file__).parent
DATA = PACKAGE / "data"


def shipped(name: str) -> Path:
    """Find a source folder: inside the installed package, else beside it in a checkout."""
    inside = PACKAGE / f"_{name}"
    return inside if inside.is_dir() else PACKAGE.parent / name


def oui_data() -> Path:
    """Find the registry of hardware addresses: the newer of the user's copy and ours."""
    from auditor.identify.registry import Registry

    own, ours = user_data() / "oui_data", shipped("oui_data")
    if not (own / "vendors.tsv").is_file():
        return ours
    return own if Registry(own).status.day >= Registry(ours).status.day else ours


def user_data() -> Path:
    """Give the folder for what a user refreshes (XDG Base Directory Specification)."""
    import os

    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    return Path(base) / "auditor"


def resources() -> Path:
    """Find templates and words of the reports."""
    return shipped("reports")


def open_ledger(url: str) -> "Ledger":
    """Open (or create) the ledger."""
    from auditor.store.ledger import Ledger

    return Ledger.open(url)


def knowledge(fingerprints: Sequence[Path] = ()) -> "Knowledge":
    """Load all that is known about makers."""
    from auditor.identify.knowledge import Knowledge

    return Knowledge.load(DATA, oui_data(), tuple(fingerprints))


def enough() -> "Enough":
    """Give the rule by which a host is left in peace."""
    from auditor.identify.enough import Enough

    return Enough(knowledge())


def registry() -> "Registry":
    """Load the registry of hardware addresses alone."""
    from auditor.identify.registry import Registry

    return Registry(oui_data())


def packs(ids: Sequence[str] = (), files: Sequence[Path] = ()) -> tuple["Pack", ...]:
    """Load the named packs (all shipped ones where none is named) and the user's own files."""
    from auditor.policy.packs import load_packs

    shipped_files = {path.stem: path for path in sorted((DATA / "packs").glob("*.toml"))}
    own = {path.stem: path for path in files}
    known = shipped_files | own
    unknown = [name for name in ids if name not in known and not Path(name).is_file()]
    if unknown:
        raise UsageError(
            f"there is no policy pack {', '.join(unknown)}",
            why=f"known packs: {', '.join(sorted(known))}",
            hint="list them with `auditor packs`, or give the path of a pack of your own",
        )
    chosen = [known.get(name) or Path(name) for name in ids] or list(known.values())
    return load_packs(list(dict.fromkeys(chosen)))


def default_packs() -> tuple[str, ...]:
    """Name the packs that a report judges by when nobody names any."""
    import tomllib

    return tuple(tomllib.loads((DATA / "defaults.toml").read_text("utf-8"))["packs"])


def sweeps() -> tuple[Sweep, ...]:
    """Load all sweeps in the order in which they ask."""
    return tuple(sorted(load("auditor.sweeps", "SWEEP", Sweep), key=lambda s: (s.order, s.name)))


def probes() -> tuple[Probe, ...]:
    """Load all probes in the order in which they ask."""
    return tuple(sorted(load("auditor.probes", "PROBE", Probe), key=lambda p: (p.order, p.name)))


def importers() -> tuple[Importer, ...]:
    """Load all importers."""
    return load("auditor.importers", "IMPORTER", Importer)


def formats() -> tuple[Format, ...]:
    """Load all report formats: those with a module, and the pages that are a template alone."""
    from auditor.formats.template import template_formats

    found = (*load("auditor.formats", "FORMAT", Format), *template_formats(resources()))
    return tuple(sorted(found, key=lambda each: each.name))


def formats_named(names: str) -> tuple[Format, ...]:
    """Give the formats of a comma-separated list, in its order."""
    known = {each.name: each for each in formats()}
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    unknown = [name for name in wanted if name not in known]
    if unknown or not wanted:
        raise UsageError(
            f"there is no report format {', '.join(unknown) or names!r}",
            hint=f"choose among {', '.join(sorted(known))}",
        )
    return tuple(known[name] for name in dict.fromkeys(wanted))


@lru_cache(maxsize=1)
def presence() -> frozenset[str]:
    """Name the sweeps whose answer says only that somebody is there (the nmap program's, too)."""
    from auditor.model.coverage_note import INCIDENT

    named = {s.name for s in sweeps() if s.medium in {Medium.FRAME, Medium.CONNECT}}
    return frozenset(named | {"nmap", INCIDENT})


def words(languages: Sequence[str]) -> dict[str, Words]:
    """Read the strings of the report in the languages asked for."""
    from auditor.formats.words import load_words

    return load_words(resources(), tuple(languages))


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person asked of a scan on the command line."""

    targets: tuple[str, ...]
    scope_file: Path | None = None
    site: str = ""
    exclude: tuple[str, ...] = ()
    interface: str | None = None
    pace: float | None = None
    trust: tuple[str, ...] = ()


def _zone(targets: Sequence[str]) -> str | None:
    """Give the interface that link-local targets name (`fe80::7%eth0`, RFC 4007 section 11)."""
    zones = {target.partition("%")[2] for target in targets} - {""}
    if len(zones) > 1:
        raise UsageError(
            f"the targets name several interfaces: {', '.join(sorted(zones))}",
            hint="scan them one after the other, each with --interface",
        )
    return next(iter(zones), None)


def _narrower(wish: Wish, made: Scope) -> None:
    """Refuse options of the command line that go beyond what a scope file names."""
    if wish.pace is not None and wish.pace > made.pace.frames_per_s:
        raise UsageError(
            f"--pace {wish.pace:g} is more than the scope file allows",
            why=f"it says pace = {made.pace.frames_per_s:g}",
            hint="give less, or have the scope file changed by who approved it",
        )
    if wish.interface and made.interface not in {None, wish.interface}:
        raise UsageError(
            f"--interface {wish.interface} is not that of the scope file",
            why=f"it says interface = {made.interface!r}",
            hint="leave it out, or have the scope file changed by who approved it",
        )


def scope(wish: Wish, moment: datetime) -> Scope:
    """Make the scope: from the scope file where there is one, else from the command line.

    With both, the targets narrow the scope file and never widen it.
    """
    from auditor import authority
    from auditor.model.address import AddressSet

    lists, never = authority.port_lists(DATA / "ports.toml")
    paces = authority.profiles(DATA / "profiles.toml")
    if wish.scope_file:
        from auditor import scope_file

        made = scope_file.from_file(
            wish.scope_file,
            site=wish.site,
            moment=moment,
            paces=paces,
            lists=lists,
            never=never,
            trusted=wish.trust,
        )
    else:
        if not wish.targets:
            raise UsageError("no target was given", hint="name a network, or pass --scope FILE")
        made = authority.from_command_line(
            wish.targets,
            site=wish.site,
            moment=moment,
            pace=paces["gentle"],
            lists=lists,
            never=never,
        )
    if wish.scope_file:
        _narrower(wish, made)
    if wish.scope_file and wish.targets:
        made = replace(made, networks=made.networks.meet(AddressSet.parse(wish.targets)))
    pace: Pace = authority.paced(made.pace, wish.pace)
    return replace(
        made,
        site=made.site or "default",
        excluded=made.excluded.join(AddressSet.parse(wish.exclude)),
        interface=wish.interface or _zone(wish.targets) or made.interface,
        pace=pace,
    )
