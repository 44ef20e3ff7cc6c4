"""The command line of who keeps the ledger: compare, check, carry, look after."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from auditor.options import Json, Lang, Out, PaceOption, Site, app

bundle_app = typer.Typer(help="Carry a site's facts to another ledger.", no_args_is_help=True)
db_app = typer.Typer(help="Look after the ledger itself.", no_args_is_help=True)
scope_app = typer.Typer(help="Sign and check a scope file.", no_args_is_help=True)
app.add_typer(bundle_app, name="bundle")
app.add_typer(db_app, name="db")
app.add_typer(scope_app, name="scope")


@app.command()
def diff(
    context: typer.Context,
    before: Annotated[str, typer.Argument(help="report.json or signed snapshot.")],
    after: Annotated[str, typer.Argument(help="report.json, snapshot, or: now")] = "now",
    json: Json = False,
) -> None:
    """Say what changed: new, gone, re-appeared, verdict changed and whether by evidence or rules."""
    from auditor.commands import keeping

    sys.exit(keeping.diff(context.obj, before, after, as_json=json))


@app.command()
def coverage(context: typer.Context, site: Site = "", json: Json = False) -> None:
    """Show what was asked, what answered, and what was never reached."""
    from auditor.commands import showing

    sys.exit(showing.coverage(context.obj, site, as_json=json))


@app.command()
def reconcile(
    context: typer.Context,
    site: Site = "",
    json: Json = False,
    walkdown: Annotated[
        Path | None, typer.Option("--walkdown", help="Write a printable checklist by room.")
    ] = None,
    lang: Lang = "en,fr",
) -> None:
    """Compare the books with the wire; list what does not agree as tasks."""
    from auditor.commands import showing

    sys.exit(showing.reconcile(context.obj, site, walkdown, lang, as_json=json))


@app.command()
def verify(
    path: Annotated[Path, typer.Argument(help="Folder of a report, or a bundle.")],
) -> None:
    """Check hashes and chain of a report or bundle. No database, no network."""
    from auditor.commands import keeping

    sys.exit(keeping.verify(path))


@bundle_app.command("export")
def bundle_export(context: typer.Context, site: Site, out: Out = Path("site.bundle")) -> None:
    """Write one site's facts as one file."""
    from auditor.commands import keeping

    sys.exit(keeping.bundle_export(context.obj, site, out))


@bundle_app.command("merge")
def bundle_merge(
    context: typer.Context, files: Annotated[list[Path], typer.Argument(help="Bundles.")]
) -> None:
    """Take bundles in, in any order and any number of times."""
    from auditor.commands import keeping

    sys.exit(keeping.bundle_merge(context.obj, tuple(files)))


@db_app.command("move")
def db_move(
    context: typer.Context, to: Annotated[str, typer.Argument(help="URL of an empty database.")]
) -> None:
    """Copy the ledger to another database and verify its chain there."""
    from auditor.commands import keeping

    sys.exit(keeping.db_move(context.obj, to))


@db_app.command("backup")
def db_backup(
    context: typer.Context, to: Annotated[Path, typer.Argument(help="File to write.")]
) -> None:
    """Copy an embedded ledger while it is in use."""
    from auditor.commands import keeping

    sys.exit(keeping.db_backup(context.obj, to))


@db_app.command("restore")
def db_restore(
    context: typer.Context, path: Annotated[Path, typer.Argument(help="A backup.")]
) -> None:
    """Put a backup in place of a ledger that is not there any more."""
    from auditor.commands import keeping

    sys.exit(keeping.db_restore(context.obj, path))


@db_app.command("verify")
def db_verify(context: typer.Context) -> None:
    """Check the hash chain of the ledger."""
    from auditor.commands import keeping

    sys.exit(keeping.db_verify(context.obj))


@scope_app.command("sign")
def scope_sign(
    path: Annotated[Path, typer.Argument(help="Scope file.")],
    key: Annotated[Path, typer.Option("--key", help="Private key; made if there is none.")],
) -> None:
    """Sign a scope file with Ed25519; print the fingerprint to trust."""
    from auditor.commands import keeping

    sys.exit(keeping.scope_sign(path, key))


@app.command()
def journal(
    context: typer.Context,
    run: Annotated[str, typer.Option("--run", help="Only this run.")] = "",
) -> None:
    """Print everything that was sent, as JSON Lines, for whoever watches the network."""
    from auditor.commands import keeping

    sys.exit(keeping.journal(context.obj, run))


@app.command()
def doctor(context: typer.Context, json: Json = False) -> None:
    """Tell what this machine lacks for which task, and how to get it."""
    from auditor.commands import keeping

    sys.exit(keeping.doctor(context.obj, as_json=json))


@app.command()
def demo(
    out: Out = Path("out"),
    lang: Lang = "en,fr",
    pace: PaceOption = 400.0,
) -> None:
    """Run the main job on a simulated department; needs nothing but this machine."""
    from auditor.commands import keeping

    sys.exit(keeping.demo(out, lang, pace))
