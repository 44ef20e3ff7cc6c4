"""Writes the walk-down list: a page per room to print, and a CSV to fill in and import."""

import csv
import io
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import groupby
from pathlib import Path

from auditor import wiring
from auditor.errors import UsageError
from auditor.formats.visible import cell, visible
from auditor.inventory.walkdown import BLANKS, KNOWN, Stop, headings, row

_STYLE = (
    "body{font:11pt/1.4 system-ui,sans-serif;margin:2em}table{border-collapse:collapse;width:100%}"
    "th,td{border:1px solid #333;padding:.3em;text-align:left;vertical-align:top;font-size:9pt}"
    "td.blank{min-width:5em;height:2.4em}@page{size:A4 landscape;margin:12mm}"
    "@media print{section{break-after:page}body{margin:0}}"
)
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_NOT_PRINTED = frozenset({"site", "building", "floor", "room"})


def write(stops: Sequence[Stop], out: Path, lang: str) -> tuple[Path, ...]:
    """Write `walkdown.LANG.csv` and `walkdown.LANG.html` into a folder."""
    tables = tomllib.loads((wiring.DATA / "walkdown.toml").read_text("utf-8"))
    languages = [name.strip() for name in lang.split(",") if name.strip()]
    if unknown := [name for name in languages if name not in tables]:
        raise UsageError(f"there is no language {unknown[0]!r}", hint="use en, fr or en,fr")
    try:
        out.mkdir(parents=True, exist_ok=True)
        return tuple(
            path
            for language in languages
            for path in (
                _kept(out / f"walkdown.{language}.csv", _csv(stops, tables[language])),
                _kept(out / f"walkdown.{language}.html", _html(stops, tables[language], language)),
            )
        )
    except OSError as error:
        raise UsageError(f"cannot write into {out}", why=error.strerror or "") from error


def _kept(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8", newline="")
    return path


def _csv(stops: Sequence[Stop], words: Mapping[str, str]) -> str:
    out = io.StringIO()
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(headings(words))
    for number, stop in enumerate(stops, 1):
        writer.writerow([cell(text) for text in row(stop, number, words)])
    return out.getvalue()


def _html(stops: Sequence[Stop], words: Mapping[str, str], language: str) -> str:
    title = escape(words["title"])
    rooms = "".join(_rooms(stops, words))
    return (
        f'<!DOCTYPE html>\n<html lang="{escape(language)}"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body><main><h1>{title}</h1>"
        f"<p>{escape(words['intro'])}</p>{rooms}</main></body></html>\n"
    )


def _rooms(stops: Sequence[Stop], words: Mapping[str, str]) -> Iterator[str]:
    shown = [name not in _NOT_PRINTED for name in (*KNOWN, *BLANKS)]
    heads = [text for text, keep in zip(headings(words), shown, strict=True) if keep]
    head = "".join(f'<th scope="col">{escape(text)}</th>' for text in heads)
    numbered = list(enumerate(stops, 1))
    for place, some in groupby(numbered, key=lambda pair: pair[1].place):
        name = " / ".join(part for part in place if part)
        name = name if place[3] else f"{name} / {words['unknown_room']}"
        yield f"<section><h2>{escape(visible(name))}</h2><table><thead><tr>{head}</tr></thead><tbody>"
        for number, stop in some:
            cells = [
                text for text, keep in zip(row(stop, number, words), shown, strict=True) if keep
            ]
            known, blank = cells[: -len(BLANKS)], len(BLANKS)
            yield "<tr>" + "".join(f"<td>{escape(visible(text))}</td>" for text in known)
            yield '<td class="blank"></td>' * blank + "</tr>"
        yield "</tbody></table></section>"
