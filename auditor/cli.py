"""The command line: how each command is called. What it does stands in `auditor/commands/`.

Results go to stdout, progress and messages to stderr. Exit codes: 0 nothing nonconforming
and coverage complete; 1 nonconforming devices; 2 usage, refused scope or bad input;
3 incomplete or crashed (with 1 and 3 both true: 3, and the summary says both).

Only typer is imported here: each command imports its own room when it runs, so that
`auditor --help` answers at once.
"""

import atexit
import contextlib
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from auditor import __version__, cli_keep, cli_officer
from auditor.options import (
    AsOf,
    Engine,
    Exclude,
    Fingerprints,
    Interface,
    Json,
    Lang,
    Mark,
    Out,
    PaceOption,
    Packs,
    ScopeFile,
    Site,
    Targets,
    Trust,
    app,
)

ROOMS = (cli_keep, cli_officer)  # importing them registers their commands


def _version(asked: bool) -> None:
    if asked:
        print(f"auditor {__version__}")
        raise typer.Exit


@app.callback()
def _globals(
    context: typer.Context,
    db: Annotated[
        str, typer.Option("--db", envvar="AUDITOR_DB", help="Ledger: sqlite:/// or postgresql://")
    ] = "sqlite:///auditor.db",
    config: Annotated[Path | None, typer.Option("--config", help="Settings (TOML).")] = None,
    quiet: Annotated[bool, typer.Option("-q", "--quiet", help="Say only results.")] = False,
    verbose: Annotated[bool, typer.Option("-v", "--verbose", help="Say more.")] = False,
    _: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    from auditor.commands.setting import Setting

    context.obj = Setting.read(db, config, quiet=quiet, verbose=verbose)


@app.command()
def audit(
    context: typer.Context,
    targets: Targets,
    scope: ScopeFile = None,
    site: Site = "",
    pack: Packs = None,
    lang: Lang = "en,fr",
    out: Out = Path("out"),
    exclude: Exclude = None,
    interface: Interface = None,
    pace: PaceOption = None,
    engine: Engine = "auto",
    trust: Trust = None,
    mark: Mark = "",
) -> None:
    """Do the main job: scan, assess and report; print the path of the report."""
    from auditor.commands import collecting

    asked = collecting.Asked(
        tuple(targets),
        scope,
        site,
        tuple(exclude or ()),
        interface,
        pace,
        engine,
        tuple(trust or ()),
    )
    sys.exit(collecting.audit(context.obj, asked, tuple(pack or ()), lang, out, mark))


@app.command()
def plan(
    context: typer.Context,
    targets: Targets,
    scope: ScopeFile = None,
    site: Site = "",
    exclude: Exclude = None,
    interface: Interface = None,
    pace: PaceOption = None,
    engine: Engine = "auto",
    trust: Trust = None,
    json: Json = False,
) -> None:
    """Say what a scan would do: hosts, packets, time, what is refused. Sends nothing."""
    from auditor.commands import collecting

    asked = collecting.Asked(
        tuple(targets),
        scope,
        site,
        tuple(exclude or ()),
        interface,
        pace,
        engine,
        tuple(trust or ()),
    )
    sys.exit(collecting.plan(context.obj, asked, as_json=json))


@app.command()
def scan(
    context: typer.Context,
    targets: Annotated[list[str] | None, typer.Argument(help="Networks or addresses.")] = None,
    scope: ScopeFile = None,
    site: Site = "",
    exclude: Exclude = None,
    interface: Interface = None,
    pace: PaceOption = None,
    engine: Engine = "auto",
    trust: Trust = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the last scan.")] = False,
    passive: Annotated[
        float, typer.Option("--passive", help="Only listen, for so many seconds.")
    ] = 0.0,
) -> None:
    """Collect facts into the ledger; safe to kill at any moment and to resume."""
    from auditor.commands import collecting

    asked = collecting.Asked(
        tuple(targets or ()),
        scope,
        site,
        tuple(exclude or ()),
        interface,
        pace,
        engine,
        tuple(trust or ()),
        passive,
    )
    sys.exit(collecting.scan(context.obj, asked, resume=resume))


@app.command(name="import")
def import_(
    context: typer.Context,
    files: Annotated[list[Path], typer.Argument(help="Files of any known kind.")],
    site: Site = "",
    kind: Annotated[str, typer.Option("--as", help="Kind of file; recognised if omitted.")] = "",
    mapping: Annotated[
        list[str] | None, typer.Option("--map", help="COLUMN=FIELD; may be given again.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show, and write nothing.")] = False,
    dates: Annotated[str, typer.Option("--dates", help="Order of ambiguous dates: dmy mdy.")] = "",
    save_map: Annotated[str, typer.Option("--save-map", help="Keep the mapping as NAME.")] = "",
    use_map: Annotated[str, typer.Option("--use-map", help="Use the mapping NAME.")] = "",
    sheet: Annotated[str, typer.Option("--sheet", help="Sheet of a workbook.")] = "",
    json: Json = False,
) -> None:
    """Import lists, tables, captures and bundles; say row by row what was not taken and why."""
    from auditor.commands import importing

    asked = importing.Asked(
        tuple(files),
        site,
        kind,
        tuple(mapping or ()),
        dry_run,
        dates,
        save_map,
        use_map,
        sheet,
        json,
    )
    sys.exit(importing.run(context.obj, asked))


@app.command()
def assess(
    context: typer.Context,
    pack: Packs = None,
    as_of: AsOf = "",
    fingerprints: Fingerprints = None,
    json: Json = False,
) -> None:
    """Identify and judge everything in the ledger; say what changed since the last time."""
    from auditor.commands import judging

    sys.exit(judging.assess(context.obj, tuple(pack or ()), as_of, fingerprints, as_json=json))


@app.command()
def report(
    context: typer.Context,
    format_: Annotated[
        str, typer.Option("--format", help="html,json,csv,pdf,xlsx,oscal,sarif,cyclonedx")
    ] = "html,json,csv",
    lang: Lang = "en,fr",
    mark: Mark = "",
    out: Out = Path("out"),
    pack: Packs = None,
    as_of: AsOf = "",
    redact: Annotated[str, typer.Option("--redact", help="public or contractor")] = "",
    sign: Annotated[str, typer.Option("--sign", help="Keep as signed snapshot by NAME.")] = "",
) -> None:
    """Render the report from one frozen snapshot of the ledger."""
    from auditor.commands import judging

    wanted = judging.Wanted(format_, lang, mark, out, tuple(pack or ()), as_of, redact, sign)
    sys.exit(judging.report(context.obj, wanted))


@app.command()
def devices(
    context: typer.Context,
    json: Json = False,
    maker: Annotated[str, typer.Option("--maker", help="Only this maker.")] = "",
    verdict: Annotated[str, typer.Option("--verdict", help="Only this verdict.")] = "",
    site: Site = "",
    pack: Packs = None,
    sort: Annotated[str, typer.Option("--sort", help="Column to sort by.")] = "site",
    columns: Annotated[str, typer.Option("--columns", help="Columns to show.")] = "",
    group: Annotated[str, typer.Option("--group", help="Count by this column.")] = "",
) -> None:
    """List the inventory, one device a line."""
    from auditor.commands import judging

    asked = judging.Listing(json, maker, verdict, site, tuple(pack or ()), sort, columns, group)
    sys.exit(judging.devices(context.obj, asked))


@app.command()
def explain(
    context: typer.Context,
    device: Annotated[str, typer.Argument(help="Id, IP, MAC, serial, host name or asset tag.")],
    pack: Packs = None,
    lang: Annotated[str, typer.Option("--lang", help="en or fr")] = "en",
) -> None:
    """Say why: all evidence for and against, the rule, its source, the coverage."""
    from auditor.commands import judging

    sys.exit(judging.explain(context.obj, device, tuple(pack or ()), lang))


@app.command()
def identify(
    json: Annotated[bool, typer.Option("--json", help="JSON Lines (the only form).")] = True,
    fingerprints: Fingerprints = None,
) -> None:
    """Read JSON Lines of observations, write identities. No database, no network."""
    from auditor.commands import knowing

    sys.exit(knowing.identify(fingerprints, as_json=json))


@app.command()
def oui(
    words: Annotated[list[str], typer.Argument(help="MAC…, or: status, or: update FILE")],
    json: Json = False,
) -> None:
    """Name the registrant of hardware addresses; tell the age of the registry; refresh it."""
    from auditor.commands import knowing

    sys.exit(knowing.oui(tuple(words), as_json=json))


@app.command()
def packs(
    words: Annotated[
        list[str] | None, typer.Argument(help="Nothing, or: show ID, or: check FILE")
    ] = None,
    lang: Annotated[str, typer.Option("--lang", help="en or fr")] = "en",
    json: Json = False,
) -> None:
    """List the policy packs, show one, or check one of your own."""
    from auditor.commands import knowing

    sys.exit(knowing.packs(tuple(words or ()), lang, as_json=json))


def _interrupted(_number: int, _frame: object) -> None:
    """End the command as incomplete; typer would make another code of a KeyboardInterrupt."""
    with contextlib.suppress(OSError):
        print("interrupted", file=sys.stderr)
    sys.exit(3)


def _deaf() -> None:
    """Take no signal any more: the exit code is decided, and the interpreter puts things away.

    It would give signals back to the system first, and one then would change the code.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def main() -> None:
    """Run a command; turn every error into what, why and what to do."""
    from auditor.commands.terminal import complain, defect
    from auditor.errors import AuditorError
    from auditor.ourselves import tidied_seldom

    tidied_seldom()
    sys.excepthook = defect
    atexit.register(_deaf)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # nohup asked for that
            signal.signal(number, _interrupted)
    try:
        typer.main.get_command(app)()  # app() would put its own hook in place of ours
    except AuditorError as error:
        sys.exit(complain(error))
    except BrokenPipeError:
        # the reader (head, less) has seen enough; keep Python from complaining at exit
        sys.stdout = None
        sys.exit(0)
