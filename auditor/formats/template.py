"""Fills the templates in reports/templates; the only importer of jinja2.

Whatever a template prints is first made visible (control and direction characters as
escapes), then escaped for HTML: a template cannot forget either. A template whose name does
not begin with `_` is a format by itself: `executive.html.j2` is `--format executive`.
"""

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound
from markupsafe import Markup

from auditor.errors import DataError
from auditor.formats.lines import lines
from auditor.formats.scene import scene
from auditor.formats.shards import shards
from auditor.formats.visible import visible
from auditor.formats.words import LANGUAGES, Phrases
from auditor.model.report import Report
from auditor.plugins import Format, Words, Written

PIECE_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Page:
    """What stands in the head of a page: style, script, and a policy that allows only these."""

    style: Markup
    modern: Markup
    script: Markup
    policy: str


@cache
def _environment(resources: Path) -> Environment:
    """Make the one environment: everything escaped, nothing undefined, whatever the name."""
    environment = Environment(
        loader=FileSystemLoader(resources / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.tests["markup"] = lambda value: isinstance(value, Markup)
    return environment


def _shown(value: Any) -> Any:
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def page(resources: Path, marking: str, *, scripted: bool = True) -> Page:
    """Read style and script and pin them by hash, so that nothing else can ever run."""
    folder = resources / "templates"
    style = (folder / "_style.css").read_text("utf-8") + _running_head(marking)
    modern = (folder / "_modern.css").read_text("utf-8")
    script = (folder / "_script.js").read_text("utf-8") if scripted else ""
    policy = (
        f"default-src 'none'; style-src '{_pin(style)}' '{_pin(modern)}'; script-src '{_pin(script)}'; "
        "img-src data:; base-uri 'none'; form-action 'none'"
    )
    # our own files, not data; a browser ends both elements at `</` only
    return Page(Markup(style), Markup(modern), Markup(script), policy)  # noqa: S704


def _pin(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _running_head(marking: str) -> str:
    """Give the rule that prints the marking on every sheet, every character as an escape."""
    if not marking:
        return ""
    text = "".join(f"\\{ord(sign):06x}" for sign in visible(marking))
    box = f'content:"{text}";font:bold 9pt sans-serif;color:#1b2430;letter-spacing:.06em'
    return f"@page{{@top-center{{{box}}}@bottom-center{{{box}}}}}\n"


def render(name: str, resources: Path, context: Mapping[str, Any]) -> Iterator[bytes]:
    """Fill one template, in pieces of some size."""
    try:
        template = _environment(resources).get_template(name)
    except TemplateNotFound as error:
        raise DataError(f"the template {name} is missing", hint="reinstall the program") from error
    waiting: list[str] = []
    size = 0
    for piece in template.generate(context):
        waiting.append(piece)
        size += len(piece)
        if size > PIECE_BYTES:
            yield "".join(waiting).encode()
            waiting, size = [], 0
    yield "".join(waiting).encode()


def pages(
    name: str,
    report: Report,
    words: Mapping[str, Words],
    languages: Sequence[str],
    resources: Path,
) -> Iterator[Written]:
    """Write one template in every language asked for, as `<name>.<language>.html`."""
    head, found = page(resources, report.marking), lines(report)
    parts = shards(found)
    for language in languages:
        context = scene(report, phrases(words, language, report), words, found, parts)
        context |= {"page": head, "languages": tuple(languages), "name": name}
        yield Written(f"{name}.{language}.html", render(f"{name}.html.j2", resources, context))


def phrases(words: Mapping[str, Words], language: str, report: Report) -> Phrases:
    """Give the phrasebook of `language`; English and French are what there is."""
    if language not in words:
        raise DataError(f"no words for language {language!r}", hint=f"use {', '.join(words)}")
    return Phrases(language, words[language], report.snapshot.zone)


def template_formats(resources: Path) -> tuple[Format, ...]:
    """Make a format of every page template but the officer's report, which has its own file."""
    found = (resources / "templates").glob("[!_]*.html.j2")
    names = sorted(path.name.removesuffix(".html.j2") for path in found)
    return tuple(
        Format(name, partial(pages, name), source="HTML Living Standard", per_language=True)
        for name in names
        if name != "report"
    )


def asked_for(text: str) -> tuple[str, ...]:
    """Read a list of languages as people write it: `en,fr`."""
    wanted = tuple(dict.fromkeys(part for part in re.split(r"[,\s]+", text.lower()) if part))
    if unknown := set(wanted) - set(LANGUAGES):
        raise DataError(f"no report in {', '.join(sorted(unknown))}", hint="use en, fr or en,fr")
    return wanted or LANGUAGES
