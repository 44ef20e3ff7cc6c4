"""Every word that a reader sees, in English and French of equal standing.

The words stand in reports/words/<language>.toml under the same keys; a key that one language
lacks is an error when they are loaded, never a hole in a report. Numbers, dates and spaces
before punctuation follow the habits of Canadian government writing (The Canadian Style; Le
guide du rédacteur).
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from auditor.errors import DataError
from auditor.plugins import Words

LANGUAGES = ("en", "fr")
SEEN = Path(__file__).parents[1] / "data" / "explain.toml"
NARROW = "\u202f"  # narrow no-break space: French thousands, and before ; : ! ? and in « »
_BLANK = re.compile(r"\{(\w+)\}")
_BEFORE_SIGN = re.compile(r"[ \u00a0\u202f]+(?=[;:!?»%])")
_NO_SPACE = re.compile(r"(?<=[\w)»”’.%])(?=[;:!?](?:\s|$))")  # Canadian habit: nothing before
_ISO_DAY = re.compile(r"\b\d{4}-\d{2}-\d{2}\b")
_AFTER_QUOTE = re.compile(r"«[ \u00a0\u202f]*")


def load_words(resources: Path, languages: Sequence[str] = LANGUAGES) -> dict[str, Words]:
    """Read the words of all languages; each must have every key of the others."""
    seen = _read(SEEN)
    words: dict[str, Words] = {
        name: _read(resources / "words" / f"{name}.toml") | _sentences(seen, name)
        for name in languages
    }
    keys = set().union(*words.values())
    holes = [f"{name}: {key}" for name in languages for key in sorted(keys - set(words[name]))]
    if holes:
        raise DataError(
            f"{len(holes)} words are missing",
            why=", ".join(holes[:20]),
            hint="add them to the file",
        )
    if "fr" in words:
        words["fr"] = {key: typeset_french(text) for key, text in words["fr"].items()}
    return words


def _sentences(seen: Words, language: str) -> dict[str, str]:
    """Give what is said of each observation; the command line says it in the same words."""
    start = f"{language}.seen."
    return {
        f"evidence.{key.removeprefix(start)}": text
        for key, text in seen.items()
        if key.startswith(start)
    }


def _read(path: Path) -> dict[str, str]:
    try:
        return dict(_flat(tomllib.loads(path.read_text("utf-8")), ""))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DataError(f"the words in {path.name} cannot be read", why=str(error)) from error


def _flat(table: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", str(value)


def typeset_french(text: str) -> str:
    """Put the narrow no-break spaces that French punctuation asks for."""
    spaced = _NO_SPACE.sub(NARROW, _BEFORE_SIGN.sub(NARROW, text))
    return _AFTER_QUOTE.sub(f"«{NARROW}", spaced)


@dataclass(frozen=True, slots=True)
class Phrases:
    """Says things in one language. zone: the IANA zone in which moments are written."""

    language: str
    words: Words
    zone: str = "UTC"

    def has(self, key: str) -> bool:
        """Tell whether there are words for `key`."""
        return key in self.words

    def word(self, key: str) -> str:
        """Give the words of `key` as they stand; a missing key is a defect and is said so."""
        try:
            return self.words[key]
        except KeyError:
            raise DataError(
                f"no words for {key!r} in {self.language!r}", hint="add it to reports/words"
            ) from None

    def say(self, key: str, **values: object) -> Markup:
        """Fill the blanks of `key`; what is filled in is escaped, the words are plain text."""
        text = self.word(key)
        return _fill(text, values, self) if values or "{" in text else _escaped(text)

    def plural(self, key: str, count: int, **values: object) -> Markup:
        """Say `key.one` or `key.other` of `count` (French counts 0 and 1 as one)."""
        single = count < 2 if self.language == "fr" else count == 1
        return self.say(f"{key}.{'one' if single else 'other'}", n=self.number(count), **values)

    def number(self, value: int) -> str:
        """Write a whole number: `1,203` in English, `1 203` in French."""
        grouped = f"{value:,}"
        return grouped.replace(",", NARROW) if self.language == "fr" else grouped

    def percent(self, part: int, whole: int) -> str:
        """Write a share without decimals, never rounding something to nothing or to all."""
        share = 100 * part / whole if whole else 0.0
        rounded = min(max(round(share), 1 if part else 0), 100 if part == whole else 99)
        return f"{rounded}{NARROW}%" if self.language == "fr" else f"{rounded}%"

    def day(self, day: date | None) -> str:
        """Write a day: `23 November 2026`, `23 novembre 2026`, `1er décembre 2026`."""
        if day is None:
            return self.word("common.none")
        number = "1er" if self.language == "fr" and day.day == 1 else str(day.day)
        return f"{number}\u00a0{self.word(f'month.{day.month}')}\u00a0{day.year}"

    def dated(self, text: str) -> str:
        """Write every day inside a text, which programs write as 2026-12-01, as people do."""

        def day(found: re.Match[str]) -> str:
            try:
                return self.day(date.fromisoformat(found[0]))
            except ValueError:
                return found[0]

        return _ISO_DAY.sub(day, text)

    def moment(self, moment: datetime | None) -> str:
        """Write a moment in the report's zone: `…, 14:05 UTC`, `…, 14 h 05 UTC`."""
        if moment is None:
            return self.word("common.none")
        local = moment.astimezone(ZoneInfo(self.zone))
        clock = f"{local:%H:%M}"
        if self.language == "fr":
            clock = clock.replace(":", f"{NARROW}h{NARROW}")
        return f"{self.day(local.date())}, {clock}\u00a0{local.tzname()}"

    def listing(self, items: Sequence[str]) -> str:
        """Join with commas and a last `and`."""
        if len(items) < 2:
            return "".join(items)
        return f"{', '.join(items[:-1])} {self.word('common.and')} {items[-1]}"


@cache
def _escaped(text: str) -> Markup:
    return escape(text)


def _fill(text: str, values: Mapping[str, object], phrases: Phrases) -> Markup:
    """Fill `{name}`; a blank without a value is a defect."""
    from auditor.formats.visible import visible

    def value(found: re.Match[str]) -> str:
        if found[1] not in values:
            raise DataError(f"no value for {{{found[1]}}} in {text!r} ({phrases.language})")
        given = values[found[1]]
        return str(given if isinstance(given, Markup) else escape(visible(str(given))))

    return Markup(_BLANK.sub(value, str(escape(text))))  # noqa: S704  both parts are escaped
