"""Which fingerprints a value matches: all of ours, the first of each third-party file.

Patterns run on RE2 in linear time, one set per field. A set cannot tell "no match" from "ran
out of memory", so each carries a sentinel that matches everything: where it is missing from
the answer, the patterns are tried one by one and the fallback is counted. As in Recog, `^`
and `$` match at line ends as well (`\\A` and `\\z` are the ends of the text).
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import unquote

import re2

from auditor.identify.recog import Element, Example
from auditor.model.identity import TRAITS, Strength

MAX_MEM_BYTES = 64 << 20  # of one set's automaton
LIMIT_CHARS = 65_536  # of a value: more than any banner, and a bound on the time for one
ISOLATED_CHARS = 512  # for the rare third-party pattern that only Python's `re` can read
CAPTURE_CHARS = 256
MEMO_ENTRIES = 20_000
MEMO_CHARS = 4_096
_SURE = 0.8  # Recog's certainty from which a third-party name counts as a brand
_DOT_NEWLINE = frozenset({"REG_DOT_NEWLINE", "REG_MULTILINE", "REG_LINE_ANY_CRLF"})
_IGNORE_CASE = frozenset({"REG_ICASE", "IGNORECASE"})
_BLANK = re.compile(r"\{([^{}]+)\}")


@dataclass(frozen=True, slots=True)
class Claim:
    """What a match says of one trait: a fixed value (pos 0) or the group `pos`."""

    trait: str
    pos: int
    value: str


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """One pattern of one field and what it claims. rule: `id@version`."""

    rule: str
    field: str
    pattern: str
    strength: Strength
    claims: tuple[Claim, ...]
    ours: bool
    file: str
    line: int
    description: str = ""
    examples: tuple[Example, ...] = ()
    counterexamples: tuple[str, ...] = ()
    written: Element | None = None


@dataclass(frozen=True, slots=True)
class Hit:
    """One fingerprint that matched, and its claims with the captures filled in."""

    fingerprint: Fingerprint
    claims: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Dialect:
    """data/recog.toml: how parameters and files of Recog are understood."""

    matches: Mapping[str, str]
    traits: Mapping[str, tuple[str, ...]]
    device_class: Mapping[str, str]

    def field(self, matches: str) -> str:
        """Give our name of the field that a file matches."""
        return self.matches.get(matches, matches)

    def claims(self, element: Element, *, ours: bool) -> tuple[Claim, ...]:
        """Give what the parameters say of our traits, at most one value for each."""
        said = {param.name: param for param in reversed(element.params)}
        found = []
        for trait in TRAITS:
            names = self.traits.get(trait, ())
            param = next((said[name] for name in names if name in said), None)
            if param is None or (trait == "maker" and not ours):
                continue
            value = param.value
            if trait == "device_class" and param.name != "auditor.device_class":
                value = self.device_class.get(value.casefold(), "")
            if value or param.pos:
                found.append(Claim(trait, param.pos, value))
        return tuple(found)


def understood(element: Element, dialect: Dialect, *, ours: bool) -> Fingerprint:
    """Turn what is written into a fingerprint.

    A third-party element has no strength: its vendor is a brand when Recog is sure of it,
    else a hint; it never claims a maker, so it can accuse nobody.
    """
    flags = ("s" if element.flags & _DOT_NEWLINE else "") + (
        "i" if element.flags & _IGNORE_CASE else ""
    )
    pattern = f"(?{flags}){element.pattern}" if flags else element.pattern
    if ours:
        strength = Strength(element.strength)
        rule = f"{element.id}@{element.version}"
    else:
        strength = Strength.BRAND if element.certainty >= _SURE else Strength.HINT
        rule = f"recog:{element.file}:{element.line}@0"
    return Fingerprint(
        rule,
        dialect.field(element.matches),
        pattern,
        strength,
        dialect.claims(element, ours=ours),
        ours,
        element.file,
        element.line,
        element.description,
        element.examples,
        element.counterexamples,
        element,
    )


def as_bytes(value: str) -> bytes:
    """Give the text that patterns see: bounded, and whatever is in it as UTF-8."""
    return value[:LIMIT_CHARS].encode("utf-8", "replace")


def _quiet(max_mem: int) -> Any:
    options = re2.Options()
    options.max_mem = max_mem
    options.log_errors = False
    return options


class PatternSet:
    """Many patterns asked at once; `match` gives the indices of all that occur in a text."""

    def __init__(self, patterns: Iterable[str], max_mem: int = MAX_MEM_BYTES) -> None:
        self.patterns = tuple(patterns)
        self.fallbacks = 0  # answers that had to be found one by one
        self._max_mem = max_mem
        self._isolated: dict[int, re.Pattern[str] | None] = {}
        self._compiled: dict[tuple[int, bool], Any] = {}
        self._sets: dict[bool, Any] = {}

    def match(self, text: bytes) -> list[int]:
        """Give the indices of the patterns that occur in `text`, in their order."""
        lines = b"\n" in text
        if lines not in self._sets:
            self._sets[lines] = self._built(lines)
        answer = self._sets[lines].Match(text) if self._sets[lines] else None
        if answer and len(self.patterns) in answer:
            found = sorted(answer)[:-1]  # a set answers in an order of its own
        else:
            self.fallbacks += 1
            found = [at for at in range(len(self.patterns)) if self._finds(at, text, lines)]
        if self._isolated:
            short = text[:ISOLATED_CHARS].decode("utf-8", "replace")
            found += [at for at, own in self._isolated.items() if own and own.search(short)]
            found.sort()
        return found

    def groups(self, at: int, text: bytes) -> tuple[str, ...]:
        """Give the captures of pattern `at` in a text that it occurs in; unmatched ones empty."""
        own = self._isolated.get(at)
        if own:
            found = own.search(text[:ISOLATED_CHARS].decode("utf-8", "replace"))
            return tuple(group or "" for group in found.groups()) if found else ()
        match = self._pattern(at, b"\n" in text).search(text)
        if match is None:
            return ()
        return tuple((group or b"").decode("utf-8", "replace") for group in match.groups())

    @property
    def isolated(self) -> tuple[int, ...]:
        """Give the patterns that RE2 refuses (known once a text has been matched)."""
        return tuple(self._isolated)

    def _pattern(self, at: int, lines: bool) -> Any:
        key = (at, lines)
        if key not in self._compiled:
            prefix = "(?m)" if lines else ""
            text = (prefix + self.patterns[at]).encode()
            self._compiled[key] = re2.compile(text, _quiet(MAX_MEM_BYTES))
        return self._compiled[key]

    def _finds(self, at: int, text: bytes, lines: bool) -> bool:
        return at not in self._isolated and bool(self._pattern(at, lines).search(text))

    def _built(self, lines: bool) -> Any:
        built = re2.Set.SearchSet(_quiet(self._max_mem))
        for at, pattern in enumerate(self.patterns):
            try:
                built.Add(("(?m)" if lines else "") + pattern)
            except re2.error:
                self._isolated[at] = _python_pattern(pattern)
                built.Add(r"\z\A.")  # keeps the indices; cannot match
        built.Add("")  # the sentinel
        try:
            built.Compile()
        except re2.error:
            return None
        return built


def _python_pattern(pattern: str) -> re.Pattern[str] | None:
    try:
        return re.compile(pattern, re.MULTILINE)
    except (re.error, OverflowError, RecursionError):
        return None


@dataclass(frozen=True)
class Library:
    """All fingerprints, asked by field. skipped: elements that could not be understood."""

    fingerprints: tuple[Fingerprint, ...]
    skipped: int = 0
    _memo: dict[tuple[str, str], tuple[Hit, ...]] = field(default_factory=dict, repr=False)
    _sets: dict[str, PatternSet] = field(default_factory=dict, repr=False)

    @cached_property
    def by_field(self) -> Mapping[str, tuple[Fingerprint, ...]]:
        """Give the fingerprints of each field; ours first, then file by file."""
        found: dict[str, list[Fingerprint]] = {}
        for fingerprint in sorted(self.fingerprints, key=lambda f: not f.ours):
            found.setdefault(fingerprint.field, []).append(fingerprint)
        return {name: tuple(prints) for name, prints in found.items()}

    def match(self, field_name: str, value: str) -> tuple[Hit, ...]:
        """Give every fingerprint that `value` of that field matches; memoised by value."""
        key = (field_name, value)
        known = self._memo.get(key)
        if known is not None:
            return known
        if field_name not in self.by_field:
            return ()
        found = self._matched(field_name, value)
        if len(value) <= MEMO_CHARS:
            if len(self._memo) >= MEMO_ENTRIES:
                self._memo.clear()
            self._memo[key] = found
        return found

    def pattern_set(self, field_name: str) -> PatternSet:
        """Give the compiled set of one field (built when it is first asked)."""
        if field_name not in self._sets:
            prints = self.by_field.get(field_name, ())
            self._sets[field_name] = PatternSet(f.pattern for f in prints)
        return self._sets[field_name]

    @property
    def fallbacks(self) -> int:
        """Count the answers for which a set failed and the patterns were tried one by one."""
        return sum(patterns.fallbacks for patterns in self._sets.values())

    def _matched(self, field_name: str, value: str) -> tuple[Hit, ...]:
        text, patterns = as_bytes(value), self.pattern_set(field_name)
        prints = self.by_field[field_name]
        hits: list[Hit] = []
        files: set[str] = set()
        for at in patterns.match(text):
            fingerprint = prints[at]
            if not fingerprint.ours:
                if fingerprint.file in files:
                    continue
                files.add(fingerprint.file)
            hits.append(Hit(fingerprint, _filled(fingerprint, patterns, at, text)))
        return tuple(hits)


def _filled(
    fingerprint: Fingerprint, patterns: PatternSet, at: int, text: bytes
) -> tuple[tuple[str, str], ...]:
    claims = fingerprint.claims
    if all(not claim.pos and "{" not in claim.value for claim in claims):
        return tuple((claim.trait, claim.value) for claim in claims)
    groups = patterns.groups(at, text)
    written = fingerprint.written.params if fingerprint.written else ()
    named = {p.name: _group(groups, p.pos) if p.pos else p.value for p in written}
    found = []
    for claim in claims:
        if claim.pos:
            value = unquote(_group(groups, claim.pos))  # scopes are URIs
        else:
            value = _BLANK.sub(lambda blank: named.get(blank[1], ""), claim.value).strip()
        if value:
            found.append((claim.trait, value[:CAPTURE_CHARS]))
    return tuple(found)


def _group(groups: tuple[str, ...], pos: int) -> str:
    return groups[pos - 1].strip() if 0 < pos <= len(groups) else ""
