"""How well devices are named: precision and recall by vendor and protocol, over our own corpus.

    python bench/corpus_table.py            prints the tables
    python bench/corpus_table.py --write    also puts them into docs/identification.md

The corpus (tests/identify/corpus/*.jsonl) is written by us. A line of it holds observations
and what is to come of them: `maker` (null: nobody may be named), `not` (nobody of these),
`brand`, `model`, `device_class`. A device of somebody else counts as accused when it is
named, probable or better, as made by a listed maker.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.identify.knowledge import Knowledge
from auditor.identify.stream import identify_lines

HOME = Path(__file__).parents[1]
CORPUS = HOME / "tests" / "identify" / "corpus"
DOCUMENT = HOME / "docs" / "identification.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
LISTED = frozenset({"Hikvision", "Dahua", "Huawei", "ZTE", "Hytera"})
TRAITS = ("brand", "model", "device_class")


@dataclass(frozen=True, slots=True)
class Judged:
    """One line of the corpus, the answer to it, and what is wrong with the answer."""

    row: dict[str, Any]
    answer: dict[str, Any]

    @property
    def positive(self) -> bool:
        return self.row["id"].startswith("positive")

    @property
    def accused(self) -> bool:
        named = self.answer["maker"]
        return named in LISTED and named in self.row["expect"].get("not", ())

    @property
    def named(self) -> bool:
        return "maker" in self.row["expect"] and self.answer["maker"] == self.row["expect"]["maker"]

    @property
    def mistakes(self) -> list[str]:
        expected = self.row["expect"]
        wrong = [f"{key} is {self.answer[key]!r}, not {expected[key]!r}"
                 for key in ("maker", *TRAITS)
                 if key in expected and self.answer[key] != expected[key]]  # fmt: skip
        return [*wrong, "accused"] if self.accused else wrong


def corpus(folder: Path = CORPUS) -> Iterator[dict[str, Any]]:
    """Give every line of the corpus."""
    for path in sorted(folder.glob("*.jsonl")):
        with path.open(encoding="utf-8") as lines:
            yield from map(json.loads, lines)


def judged(rows: Iterable[dict[str, Any]], knowledge: Knowledge) -> list[Judged]:
    """Identify every line and put the answer beside it."""
    known = list(rows)
    answers = identify_lines(map(json.dumps, known), knowledge)
    return [Judged(row, json.loads(answer)) for row, answer in zip(known, answers, strict=True)]


def precision_and_recall(found: Iterable[Judged], key: str) -> list[tuple[str, ...]]:
    """Give, for each vendor or protocol: lines, right, wrong, missed, precision, recall.

    Only lines that say who the maker is are counted; by vendor, a wrong name counts against
    the vendor that was named.
    """
    lines: Counter[str] = Counter()
    right: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    for one in found:
        wanted = one.row["expect"].get("maker")
        got = one.answer["maker"]
        place = (wanted or "") if key == "vendor" else one.row["protocol"]
        if wanted:
            lines[place] += 1
            right[place] += got == wanted
        if got and got != wanted and ("maker" in one.row["expect"] or one.accused):
            wrong[got if key == "vendor" else place] += 1
    return [
        (name, str(lines[name]), str(right[name]), str(wrong[name]),
         _share(right[name], right[name] + wrong[name]), _share(right[name], lines[name]))
        for name in sorted({*lines, *wrong}, key=lambda n: (-lines[n], n))
    ]  # fmt: skip


def listed_by_protocol(found: Iterable[Judged]) -> list[tuple[str, ...]]:
    """Give, for each protocol, how many lines of each listed maker are named: right/lines."""
    lines: Counter[tuple[str, str]] = Counter()
    right: Counter[tuple[str, str]] = Counter()
    for one in found:
        place = (one.row["protocol"], one.row["expect"].get("maker") or "")
        lines[place] += 1
        right[place] += one.named
    protocols = sorted({protocol for protocol, maker in lines if maker in LISTED})
    return [
        (protocol, *(f"{right[protocol, maker]}/{lines[protocol, maker]}"
                     if lines[protocol, maker] else "-" for maker in sorted(LISTED)))
        for protocol in protocols
    ]  # fmt: skip


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.1f} %" if whole else "-"


def tables(found: list[Judged]) -> str:
    """Write the summary and the tables in Markdown."""
    positive = [one for one in found if one.positive]
    accused = sum(one.accused for one in found)
    said = [
        f"{len(positive)} devices of listed makers and their brands, {len(found) - len(positive)} "
        f"of others and look-alikes. Accused of the others: **{accused}**.",
    ]
    for title, key in (("Maker", "vendor"), ("Protocol", "protocol")):
        said += ["", f"| {title} | lines | right | wrong | precision | recall |",
                 "|---|---:|---:|---:|---:|---:|"]  # fmt: skip
        said += [f"| {' | '.join(row)} |" for row in precision_and_recall(found, key)]
    said += ["", f"| Named of the lines | {' | '.join(sorted(LISTED))} |",
             f"|---|{'---:|' * len(LISTED)}"]  # fmt: skip
    said += [f"| {' | '.join(row)} |" for row in listed_by_protocol(found)]
    return "\n".join(said)


def main(arguments: list[str]) -> int:
    knowledge = Knowledge.load(HOME / "auditor" / "data", HOME / "oui_data")
    found = judged(corpus(), knowledge)
    text = tables(found)
    print(text)
    for one in found:
        if one.mistakes:
            print(
                f"! {one.row['id']} {one.row['vendor']}: {'; '.join(one.mistakes)}", file=sys.stderr
            )
    if "--write" in arguments:
        before, rest = DOCUMENT.read_text("utf-8").split(BEGIN)
        after = rest.split(END)[1]
        DOCUMENT.write_text(f"{before}{BEGIN}\n{text}\n{END}{after}", "utf-8")
    return int(any(one.accused for one in found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
