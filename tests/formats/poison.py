"""Five hundred ways in which a device, a file or a pack could try to act through a report."""

from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from itertools import cycle, product

from auditor.model.report import Report

SCRIPT = "window.hit=1"
TAGS = ("img", "svg", "body", "iframe", "video", "details", "input", "object", "marquee", "style")
EVENTS = ("onerror", "onload", "ontoggle", "onfocus", "onmouseover", "onanimationstart", "onbegin")
BREAKS = (
    "",
    '">',
    "'>",
    "</td>",
    "</title>",
    "</style>",
    "</script>",
    "-->",
    "]]>",
    "</svg>",
    "</details>",
    "</textarea>",
)
URLS = (
    "javascript:",
    "JaVaScRiPt:",
    "java\tscript:",
    "data:text/html,",
    "vbscript:",
    "\x01javascript:",
    "//192.0.2.1/",
    "http://192.0.2.1/",
    "file:///etc/passwd#",
)
STYLES = (
    "x:expression({s})",
    "background:url(http://192.0.2.1/x)",
    "@import 'http://192.0.2.1/x';",
    "</style><script>{s}</script>",
    'content:"\\"}}body{{display:none"',
)
FORMULAS = (
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(1)",
    "\t=1+1",
    "\r=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠x",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://192.0.2.1/")',
    '=IMPORTXML("http://192.0.2.1/","//a")',
    " =1+1",
    "\n=1+1",
)
TERMINAL = (
    "\x1b[2J",
    "\x1b]0;owned\x07",
    "\x1b]8;;http://192.0.2.1/\x1b\\x\x1b]8;;\x1b\\",
    "\x1b]52;c;aGk=\x07",
    "\x9b2J",
    "\u202etxt.exe",
    "\u2066x\u2069",
    "\u200b",
    "\x00",
    "\x7f",
    "\ufeff",
    "\u2028x",
    "\ud800",
    "\U000e0041",
    "[/bold]",
    "[link=http://192.0.2.1/]x[/link]",
)
TEMPLATES = (
    "{{ 7*7 }}",
    "{% include '/etc/passwd' %}",
    "{# x #}",
    "{value}",
    "{0.__class__}",
    "${7*7}",
    "<%= 7*7 %>",
    "%(x)s",
    "{",
    "}",
    "{{",
    "#{7*7}",
)


def payloads() -> tuple[str, ...]:
    made = [
        f"{a}<{tag} {event}={SCRIPT} src=x autofocus open>"
        for a, tag, event in product(BREAKS[:4], TAGS, EVENTS)
    ]
    made += [f"{start}<script>{SCRIPT}</script>" for start in BREAKS]
    made += [
        f"x{quote} {event}={quote}{SCRIPT}{quote} y={quote}"
        for quote, event in product(("'", '"', "`", ""), EVENTS)
    ]
    made += [
        f"<{tag} {name}={quote}{url}{SCRIPT}{quote}>x"
        for url, (tag, name), quote in product(
            URLS,
            (("a", "href"), ("iframe", "src"), ("form", "action"), ("base", "href")),
            ("", '"'),
        )
    ]
    made += [url + SCRIPT for url in URLS]
    made += [
        f"{quote} style={quote}{style.format(s=SCRIPT)}{quote}"
        for style, quote in product(STYLES, ("'", '"', ""))
    ]
    made += [
        f"{start}<meta http-equiv=refresh content='0;url={url}'>"
        for start, url in product(BREAKS[:3], URLS)
    ]
    made += [
        "&#60;script&#62;",
        "&lt;script&gt;",
        "<scr<script>ipt>",
        "<!--",
        "<![CDATA[",
        "<?xml?>",
        "\\",
        "'; DROP TABLE run; --",
        "../../etc/passwd",
        "```",
        "|",
        "<plaintext>",
        '<noscript><p title="</noscript><img src=x onerror=window.hit=1>">',
        '<math><mi//xlink:href="data:x,<script>window.hit=1</script>">',
    ]
    made += [*FORMULAS, *TERMINAL, *TEMPLATES]
    return tuple(dict.fromkeys(made))


# what is no text of a device, a file or a person, but a key that the program itself sets
KEYS = frozenset(
    {"zone", "sha256", "raw_sha256", "id", "device", "chain_head", "pack", "state", "trait", "confidence", "strength", "scope", "device_class", "history"}
)  # fmt: skip


def poisoned(report: Report, bad: tuple[str, ...]) -> Report:
    """Put the payloads, one after the other, into every text of the report."""
    turn = cycle(bad)

    def walk(value: object, name: str = "") -> object:
        if isinstance(value, str) and not isinstance(value, Enum):
            return value if name in KEYS or not value else next(turn)
        if isinstance(value, tuple):
            return tuple(walk(item, name) for item in value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **dict(_parts(value, walk)))
        return value

    return walk(report)


def _parts(value: object, walk: object) -> Iterator[tuple[str, object]]:
    for one in fields(value):
        yield one.name, walk(getattr(value, one.name), one.name)
