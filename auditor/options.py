"""The application that commands register with, and the options that many of them share."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="auditor",
    help="Which banned cameras do we still have, where, under which rule, and how do we know?",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
Targets = Annotated[list[str], typer.Argument(help="Networks, ranges or addresses.")]
Site = Annotated[str, typer.Option("--site", help="Name of the site (building, campus).")]
Packs = Annotated[list[str] | None, typer.Option("--pack", help="Policy pack; may be given again.")]
Out = Annotated[Path, typer.Option("--out", help="Folder for the report.")]
Lang = Annotated[str, typer.Option("--lang", help="Languages of the report: en, fr or en,fr.")]
ScopeFile = Annotated[
    Path | None, typer.Option("--scope", help="Scope file (TOML) that gives the authority.")
]
Trust = Annotated[
    list[str] | None, typer.Option("--trust", help="Fingerprint of a key that may sign scopes.")
]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", help="Addresses that are never contacted.")
]
Interface = Annotated[str | None, typer.Option("--interface", help="Network interface.")]
PaceOption = Annotated[
    float | None,
    typer.Option("--pace", help="Packets a second at most; without it the gentle profile."),
]
Json = Annotated[bool, typer.Option("--json", help="JSON Lines on stdout.")]
AsOf = Annotated[str, typer.Option("--as-of", help="Judge as of this day (YYYY-MM-DD).")]
Mark = Annotated[str, typer.Option("--mark", help='Marking on every page, e.g. "PROTECTED B".')]
Engine = Annotated[str, typer.Option("--engine", help="auto, connect or nmap.")]
Fingerprints = Annotated[
    Path | None, typer.Option("--fingerprints", help="Folder with more Recog fingerprints.")
]
By = Annotated[str, typer.Option("--by", help="Who decides (full name).")]
Reason = Annotated[str, typer.Option("--reason", help="Why.")]
