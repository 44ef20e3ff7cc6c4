"""A made-up language shows what was never translated: every word in brackets, or it is a defect."""

import re
from dataclasses import fields, is_dataclass, replace
from enum import Enum

import pytest

from tests.formats.test_formats_report import read

# what is the same in every language: names of methods, files, codes
SAME = re.compile(
    r"SHA-256|report(\.\w+)+|auditor verify|MANIFEST\.json|UTC|E[SD]T|America/Toronto|https?://\S+|0x|\b[0-9a-f]{12,}\b|…"
)
LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", "αβγδεζηθικλμνξοπρστυφχψωας" * 2
)
KEYS = frozenset(
    {"zone", "sha256", "raw_sha256", "id", "device", "pack", "trait", "confidence", "field", "tool", "code", "kind", "state", "because_code",
     "device_class", "owner_type", "connected", "sources", "name", "status", "actions", "scope", "subject", "step", "proof", "values", "task", "reason_code"}
)  # fmt: skip


def foreign(value, name=""):
    """Write every text of a report in letters that no interface uses."""
    if isinstance(value, str) and not isinstance(value, Enum):
        return value if name in KEYS else value.translate(LETTERS)
    if isinstance(value, tuple):
        return tuple(foreign(item, name) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {one.name: foreign(getattr(value, one.name), one.name) for one in fields(value)}
        return replace(value, **changed)
    return value


@pytest.fixture(scope="module")
def pseudo(words):
    def dressed(text):
        parts = re.split(r"(\{\w+\})", text)
        return "".join(
            part if part.startswith("{") else re.sub(r"[A-Za-zÀ-ÿ]+", "¤", part) for part in parts
        )

    return {"en": {key: dressed(text) for key, text in words["en"].items()}, "fr": words["fr"]}


def test_every_word_of_every_page_comes_from_the_words(report, every_format, pseudo, resources):
    told = foreign(report)
    told = replace(
        told,
        warnings=report.warnings,
        runs=report.runs[:0],
        sites=tuple(site.translate(LETTERS) for site in report.sites),
    )
    for made in every_format:
        if made.name in {"pdf", "json", "oscal", "cyclonedx", "sarif", "xlsx", "csv"}:
            continue
        for one in made.render(told, pseudo, ("en",), resources):
            page = re.sub(rb"<pre.*?</pre>", b"", b"".join(one.pieces), flags=re.DOTALL)
            seen = read(page).seen  # what was received stands in <pre>, as it was
            left = {
                text.strip() for text in seen if re.search(r"[A-Za-zÀ-ÿ]{3,}", SAME.sub("", text))
            }
            left = {text for text in left if not allowed(text)}
            assert not left, (one.name, sorted(left)[:20])


def allowed(text: str) -> bool:
    """Tell whether a text is a code that programs share: rule, field, id, hash."""
    return bool(
        re.fullmatch(
            r"[a-z0-9_./@: -]*|[a-z0-9A-Z-]+ \d{4}\.\d|dev-\w+|[\w.-]+@\d+|[A-Z]+-\d+", text.strip()
        )
    )
