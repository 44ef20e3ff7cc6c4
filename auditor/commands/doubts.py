"""Asks a person, where there is one, in which order the days of a list are written."""

import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO

from auditor.commands.source_file import Source
from auditor.commands.terminal import safe
from auditor.errors import DataError
from auditor.importers.dates import IN_DOUBT, ORDERS
from auditor.plugins import Importer, Noted, Options

TIMES = 3  # that a question is repeated
Ask = Callable[[str], str]


def person() -> Ask | None:
    """Give how to ask; None where nobody sits at the terminal."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        return None

    def ask(question: str) -> str:
        print(question, end=" ", file=sys.stderr, flush=True)
        return sys.stdin.readline()

    return ask


def settled(importer: Importer, source: Source, options: Options, ask: Ask | None) -> Options:
    """Give the options with the order of days, where it is in doubt and somebody knows it.

    Without an answer the days in doubt are left out, and said so row by row.
    """
    if ask is None or options.dates or importer.isolated or not importer.columns:
        return options
    doubt = _doubt(importer, source, options)
    if not doubt:
        return options
    question = f"{safe(doubt, 300)}\nIn which order are days written here ({', '.join(ORDERS)}; empty: leave them out)?"
    for _ in range(TIMES):
        said = ask(question).strip().lower()
        if said in {"", *ORDERS}:
            return replace(options, dates=said)
    return options


def _doubt(importer: Importer, source: Source, options: Options) -> str:
    """Give the first note on a day in doubt, from the beginning of the file."""
    try:
        for item in importer.read(BytesIO(source.sample.head), options):
            if isinstance(item, Noted) and IN_DOUBT in item.reason:
                return f"{source.path.name}, line {item.line}: {item.reason}"
    except DataError:
        return ""
    return ""
