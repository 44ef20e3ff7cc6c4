"""A pack file becomes a Pack, or all of its mistakes become known at once."""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from auditor.errors import DataError
from auditor.model.policy import Text
from auditor.plugins import Check, load
from auditor.policy.pack import Pack, RawPack, RawRule, Rule, Wording
from auditor.policy.sentences import DEFAULTS
from auditor.policy.toml_lines import Path as KeyPath
from auditor.policy.toml_lines import key_lines, line_of
from auditor.policy.words import BLANK

_PACK: TypeAdapter[RawPack] = TypeAdapter(RawPack)
_RULE: TypeAdapter[RawRule] = TypeAdapter(RawRule)
LIMIT_BYTES = 2_000_000  # a pack of 20 rules is 40 kB


@dataclass(frozen=True, slots=True, order=True)
class Mistake:
    """One thing wrong with a pack file. grave: it cannot be used; else it is only warned of."""

    path: str
    line: int
    text: str
    grave: bool = True

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


def checks() -> Mapping[str, Check]:
    """Give every check by name."""
    return {check.name: check for check in load("auditor.policy.checks", "CHECK", Check)}


def read(path: Path, known: Mapping[str, Check]) -> tuple[Pack | None, tuple[Mistake, ...]]:
    """Read one file: the pack where nothing is gravely wrong, and every mistake found."""
    try:
        data = path.read_bytes()
        if len(data) > LIMIT_BYTES:
            raise DataError(f"the file has more than {LIMIT_BYTES} bytes")
        text = data.decode("utf-8")
        table = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, DataError) as error:
        return None, (Mistake(str(path), 1, f"cannot be read: {error}"),)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        return None, (Mistake(str(path), _toml_line(str(error)), f"is no TOML: {error}"),)
    lines = key_lines(text)
    mistakes: list[Mistake] = []

    def wrong(at: KeyPath, what: str) -> None:
        mistakes.append(Mistake(str(path), line_of(at, lines), f"{_dotted(at)}: {what}"))

    raw = None
    try:
        raw = _PACK.validate_python(table)
    except ValidationError as error:
        for at, what in _told(error):
            wrong(_place(at, table), what)
    rules = []
    for number, item in enumerate(_rule_tables(table)):
        rule, troubles = _rule(item, table, known)
        rules.append(rule)
        for inner, what in troubles:
            wrong(("rule", number, *inner), what)
    if raw is None or mistakes:
        return None, tuple(sorted(set(mistakes)))
    whole = tuple(rule for rule in rules if rule)
    return Pack(raw, whole, hashlib.sha256(data).hexdigest(), str(path)), ()


def _toml_line(message: str) -> int:
    _, _, rest = message.partition("at line ")
    digits = rest.split(",")[0].rstrip(")")
    return int(digits) if digits.isdigit() else 1


def _dotted(at: KeyPath) -> str:
    """Write a place as people count: rule[1].words.listed."""
    return "".join(f"[{part + 1}]" if isinstance(part, int) else f".{part}" for part in at).lstrip(
        "."
    )


def _told(error: ValidationError) -> Iterator[tuple[KeyPath, str]]:
    for one in error.errors(include_url=False, include_context=False):
        message = one["msg"].removeprefix("Value error, ")
        if one["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
            message = "no such key"
        yield tuple(one["loc"]), message


def _place(at: KeyPath, table: Any) -> KeyPath:
    """Give the place as the file has it: a table that became pairs is walked by its keys."""
    place: list[str | int] = []
    parts = iter(at)
    for part in parts:
        if isinstance(part, int) and isinstance(table, dict) and part < len(table):
            part = list(table)[part]  # noqa: PLW2901
            next(parts, None)  # 0 the key, 1 its value
        place.append(part)
        try:
            table = table[part]
        except (KeyError, IndexError, TypeError):
            table = None
    return tuple(place)


def _rule_tables(table: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    rules = table.get("rule", ())
    if isinstance(rules, list):
        yield from (rule for rule in rules if isinstance(rule, dict))


def _rule(
    item: Mapping[str, Any], table: Mapping[str, Any], known: Mapping[str, Check]
) -> tuple[Rule | None, list[tuple[KeyPath, str]]]:
    """Build one rule; its shape was reported with the pack's, here follow check, params, words."""
    check = known.get(str(item.get("check")))
    if check is None:
        return None, [(("check",), f"no such check; there are {', '.join(sorted(known))}")]
    try:
        params = check.params(**_with_defaults(item.get("params", {}), check, table))
    except ValidationError as error:
        return None, [(("params", *at), what) for at, what in _told(error)]
    except TypeError as error:
        return None, [(("params",), str(error))]
    try:
        raw = _RULE.validate_python(item)
    except ValidationError:
        return None, []
    outcomes = params.outcomes()
    words, troubles = _words(raw, outcomes)
    if troubles:
        return None, troubles
    rule = Rule(raw.id, check, raw.title, raw.action, raw.citation, params, words, outcomes)
    return rule, []


def _with_defaults(
    params: Mapping[str, Any], check: Check, table: Mapping[str, Any]
) -> dict[str, Any]:
    """Hand the pack's entities and relationship verdicts to a check that asks for them."""
    fields = check.params.model_fields  # type: ignore[attr-defined]
    filled = dict(params)
    named = [entity for entity in table.get("entity", ()) if isinstance(entity, dict)]
    group = filled.pop("group", None) if "group" not in fields else None
    if "entities" in fields and "entities" not in filled:
        filled["entities"] = [e.get("name") for e in named if group in {None, e.get("group")}]
    if "verdicts" in fields and "verdicts" not in filled:
        filled["verdicts"] = table.get("relationships", {})
    return filled


def _words(
    raw: RawRule, outcomes: Mapping[str, object]
) -> tuple[dict[str, Wording], list[tuple[KeyPath, str]]]:
    words = {reason: Wording(*said) for reason, said in DEFAULTS.items() if reason in outcomes}
    words |= dict(raw.words)
    troubles: list[tuple[KeyPath, str]] = [
        (("words",), f"no words for the reason {reason!r}")
        for reason in sorted(set(outcomes) - set(words))
    ]
    for reason, wording in raw.words:
        if reason not in outcomes:
            troubles.append((("words", reason), "this check never gives that reason"))
        for text in (wording.because, wording.consequence):
            troubles += [(("words", reason), what) for what in _blanks(text)]
    return words, troubles


def _blanks(text: Text) -> Iterator[str]:
    """Both languages fill the same blanks, and braces mean nothing else."""
    if set(BLANK.findall(text.en)) != set(BLANK.findall(text.fr)):
        yield "the blanks of the two languages differ"
    if any(mark in BLANK.sub("", words) for words in (text.en, text.fr) for mark in "{}"):
        yield "a blank is written {name}, in lower case"
