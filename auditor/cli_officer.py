"""The command line of an officer: exemptions, decisions, removals, questions."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from auditor.options import By, Lang, Out, Packs, Reason, app


@app.command(name="except")
def except_(
    context: typer.Context,
    device: Annotated[str, typer.Argument(help="Device, or site=NAME for a whole site.")],
    pack: Annotated[str, typer.Option("--pack", help="Under this pack.")],
    requested_by: Annotated[str, typer.Option("--requested-by", help="Who asks for it.")],
    approved_by: Annotated[str, typer.Option("--approved-by", help="Who approves it.")],
    expires: Annotated[str, typer.Option("--expires", help="Last day (YYYY-MM-DD).")],
    reason: Reason,
    control: Annotated[
        list[str] | None, typer.Option("--control", help="Compensating control.")
    ] = None,
    document: Annotated[Path | None, typer.Option("--document", help="Signed paper.")] = None,
    zone: Annotated[str, typer.Option("--zone", help="Time zone of the expiry.")] = "UTC",
    second: Annotated[str, typer.Option("--second-approver", help="Needed for a whole site.")] = "",
) -> None:
    """Record an exemption: it expires, somebody else approved it, and it is always printed."""
    from auditor.commands import deciding

    asked = deciding.Exemption(
        device,
        pack,
        requested_by,
        approved_by,
        expires,
        reason,
        tuple(control or ()),
        document,
        zone,
        second,
    )
    sys.exit(deciding.exempt(context.obj, asked))


@app.command()
def decide(
    context: typer.Context,
    device: Annotated[str, typer.Argument(help="Id, IP, MAC, serial or asset tag.")],
    settings: Annotated[
        list[str],
        typer.Argument(
            help="maker=… verdict:PACK=… asset.acquired=… reported:PACK/DUTY=DAY,REFERENCE"
        ),
    ],
    by: By,
    reason: Reason,
    as_written: Annotated[
        bool,
        typer.Option("--as-written", help="Take a maker's or brand's name that nobody knows."),
    ] = False,
) -> None:
    """Record an officer's decision; it stands beside the evidence that it overrides."""
    from auditor.commands import deciding

    said = tuple(settings)
    sys.exit(deciding.decide(context.obj, device, said, by, reason, as_written=as_written))


@app.command()
def remove(
    context: typer.Context,
    device: Annotated[str, typer.Argument(help="Id, IP, MAC, serial or asset tag.")],
    step: Annotated[str, typer.Argument(help="isolated, unplugged or disposed")],
    by: By,
    reason: Reason = "",
    document: Annotated[Path | None, typer.Option("--document", help="Disposal record.")] = None,
    scans: Annotated[int, typer.Option("--scans", help="Scans that did not see it.")] = 0,
    port_down: Annotated[
        bool, typer.Option("--port-down", help="Its switch port was seen down.")
    ] = False,
    no_lease: Annotated[bool, typer.Option("--no-lease", help="It holds no DHCP lease.")] = False,
) -> None:
    """Record a step of a removal. "Not seen any more" is no proof of it."""
    from auditor.commands import deciding

    proof = deciding.Proof(document, scans, port_down, no_lease)
    sys.exit(deciding.remove(context.obj, device, step, by, reason, proof))


@app.command()
def withdraw(
    context: typer.Context,
    decision: Annotated[str, typer.Argument(help="Id of the decision.")],
    by: By,
    reason: Reason,
) -> None:
    """Take an earlier decision back; both stay in the ledger."""
    from auditor.commands import deciding

    sys.exit(deciding.withdraw(context.obj, decision, by, reason))


@app.command()
def merge(
    context: typer.Context,
    devices: Annotated[list[str], typer.Argument(help="Two or more devices that are one.")],
    by: By,
    reason: Reason,
) -> None:
    """Record that several devices are one."""
    from auditor.commands import deciding

    sys.exit(deciding.merge(context.obj, tuple(devices), by, reason))


@app.command()
def split(
    context: typer.Context,
    device: Annotated[str, typer.Argument(help="Device that is really several.")],
    key: Annotated[str, typer.Argument(help="mac=…, serial=… or ip=… of the one to part.")],
    by: By,
    reason: Reason,
) -> None:
    """Record that one device is really several."""
    from auditor.commands import deciding

    sys.exit(deciding.split(context.obj, device, key, by, reason))


@app.command()
def questions(
    context: typer.Context,
    out: Out = Path("out"),
    pack: Packs = None,
    lang: Lang = "en,fr",
    by: By = "",
    read: Annotated[
        Path | None, typer.Option("--read", help="Read a filled-in worksheet back.")
    ] = None,
) -> None:
    """Write the missing facts as a worksheet to fill in, or read one back."""
    from auditor.commands import deciding

    sys.exit(deciding.questions(context.obj, out, tuple(pack or ()), lang, read, by))
