"""Read fingerprint files in Recog's XML format, with our three additions.

Format: Recog (an open format; BSD-2-Clause). Additions: the attributes id, version and
strength, and the element counterexample. A user's own Recog checkout carries none of them.
DTDs and entities are refused; every mistake is said with its line.
"""

import base64
import binascii
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.parsers import expat

from auditor.errors import DataError

LIMIT_BYTES = 16 << 20
USUAL_CERTAINTY = 0.85  # of an element that states none (Recog, README)
_KNOWN = frozenset(
    {"fingerprints", "fingerprint", "description", "example", "counterexample", "param"}
)


@dataclass(frozen=True, slots=True)
class Example:
    """A text that must match; attributes: what the captures must be."""

    text: str
    params: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Param:
    """pos 0: `value` is claimed as it stands; else the group `pos` of the pattern is."""

    pos: int
    name: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Element:
    """One <fingerprint> as written; `matches` is that of its file (or the file's name)."""

    matches: str
    pattern: str
    flags: frozenset[str]
    line: int
    file: str
    id: str = ""
    version: str = ""
    strength: str = ""
    certainty: float = 0.0
    description: str = ""
    examples: tuple[Example, ...] = ()
    counterexamples: tuple[str, ...] = ()
    params: tuple[Param, ...] = ()


@dataclass(slots=True, frozen=True)
class _Reader:
    """Collects elements while expat walks through one file."""

    path: Path
    parser: expat.XMLParserType
    found: list[Element] = field(default_factory=list)
    mistakes: list[str] = field(default_factory=list)
    state: dict[str, Any] = field(default_factory=dict)

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.state["text"] = []
        self.state["attributes"] = attributes
        if tag not in _KNOWN:
            self.mistake(f"unknown element <{tag}>")
        elif tag == "fingerprints":
            self.state["file"] = attributes
        elif tag == "fingerprint":
            self.state["open"] = {"attributes": attributes, "line": self.parser.CurrentLineNumber}
            self.state["parts"] = {"examples": [], "counterexamples": [], "params": []}

    def text(self, data: str) -> None:
        self.state.setdefault("text", []).append(data)

    def end(self, tag: str) -> None:
        text = "".join(self.state.get("text", ()))
        attributes, parts = self.state["attributes"], self.state.get("parts")
        if tag == "fingerprint" and parts is not None:
            self.finish(parts)
        elif parts is not None:
            self.part(tag, text, attributes, parts)
        self.state["text"] = []

    def part(self, tag: str, text: str, attributes: dict[str, str], parts: dict[str, Any]) -> None:
        if tag == "description":
            parts["description"] = " ".join(text.split())
        elif tag == "example":
            parts["examples"].append(self.example(text, dict(attributes)))
        elif tag == "counterexample":
            parts["counterexamples"].append(text)
        elif tag == "param":
            try:
                where = int(attributes["pos"])
                parts["params"].append(
                    Param(where, attributes["name"], attributes.get("value", ""))
                )
            except (KeyError, ValueError) as error:
                self.mistake(f"param without {error}")

    def example(self, text: str, attributes: dict[str, str]) -> Example:
        encoded = attributes.pop("_encoding", "")
        name = attributes.pop("_filename", "")
        raw: bytes | None = None
        try:
            if name:
                raw = (self.path.parent / self.path.stem / Path(name).name).read_bytes()
            elif encoded == "base64":
                raw = base64.b64decode(text)
        except (OSError, binascii.Error) as error:
            self.mistake(f"example: {error}")
        if raw is not None:
            text = raw.decode("utf-8", "replace")
        return Example(text, tuple(sorted(attributes.items())))

    def finish(self, parts: dict[str, Any]) -> None:
        attributes, line = self.state["open"]["attributes"], self.state["open"]["line"]
        home = self.state.get("file", {})
        self.state["parts"] = None
        if not attributes.get("pattern"):
            self.mistake("fingerprint without a pattern")
            return
        self.found.append(
            Element(
                matches=home.get("matches") or self.path.stem,
                pattern=attributes["pattern"],
                flags=frozenset(re.findall(r"\w+", attributes.get("flags", ""))),
                line=line,
                file=self.path.name,
                id=attributes.get("id", ""),
                version=attributes.get("version", ""),
                strength=attributes.get("strength", ""),
                certainty=_number(attributes.get("certainty"), USUAL_CERTAINTY),
                description=parts.get("description", ""),
                examples=tuple(parts["examples"]),
                counterexamples=tuple(parts["counterexamples"]),
                params=tuple(parts["params"]),
            )
        )

    def mistake(self, said: str) -> None:
        self.mistakes.append(f"{self.path.name}:{self.parser.CurrentLineNumber}: {said}")


def _number(text: str | None, otherwise: float) -> float:
    try:
        return float(text) if text else otherwise
    except ValueError:
        return otherwise


def _refuse(*_: Any) -> None:
    raise DataError("a fingerprint file may not declare entities")


def read_file(path: Path, mistakes: list[str]) -> tuple[Element, ...]:
    """Read one file; what is wrong with it is appended to `mistakes`."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    reader = _Reader(path, parser, mistakes=mistakes)
    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.EntityDeclHandler = _refuse
    parser.StartDoctypeDeclHandler = _refuse
    try:
        raw = path.read_bytes()
        if len(raw) > LIMIT_BYTES:
            raise DataError("larger than any fingerprint file")
        parser.Parse(raw, True)  # noqa: FBT003 - takes no keyword
    except (expat.ExpatError, OSError, DataError) as error:
        mistakes.append(f"{path.name}:{parser.CurrentLineNumber}: {error}")
        return ()
    return tuple(reader.found)


def read_folder(folder: Path, mistakes: list[str]) -> Iterable[Element]:
    """Read every *.xml of a folder, or of its `xml` folder (a Recog checkout)."""
    inner = folder / "xml"
    for path in sorted((inner if inner.is_dir() else folder).glob("*.xml")):
        yield from read_file(path, mistakes)
