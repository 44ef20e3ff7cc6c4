"""Matching banners: the RE2 set against a plain loop of Python's re over the same patterns.

    python bench/matching.py [BANNERS]

One field with the full set of all patterns (the hardest case), and the fields as they are.
Every banner is different, so the memo does not help; its own figure is printed last.
"""

import random
import re
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from auditor.identify.fingerprints import PatternSet, as_bytes  # noqa: E402
from auditor.identify.knowledge import Knowledge  # noqa: E402

NOISE = ("nginx/1.{n}", "Apache/2.4.{n} (Debian)", "Boa/0.94.{n}", "lighttpd/1.4.{n}",
         "Basic realm=\"router {n}\"", "Digest realm=\"AXIS_ACCC8E{n:06X}\", nonce=\"{n}\"",
         "SSH-2.0-OpenSSH_9.{n}p1", "220 printer {n} FTP server ready", "CN=host{n}.example.org,O=Example",
         "Linux/4.{n}, UPnP/1.0, Device/{n}", "Digest realm=\"IP Camera(C{n})\", nonce=\"{n}\"",
         "HTTP/1.1 200 OK, Server: thing/{n}, Content-Type: text/html; charset=utf-8")  # fmt: skip


def banners(known: Knowledge, count: int) -> list[str]:
    """Write banners of about 200 characters: a tenth of them match something."""
    dice = random.Random(3)
    examples = [e.text for p in known.library.fingerprints for e in p.examples if len(e.text) < 300]
    made = []
    for number in range(count):
        if number % 10 == 0:
            made.append(dice.choice(examples))
        else:
            text = dice.choice(NOISE).format(n=number)
            made.append(f"{text} {number * 2654435761 % (1 << 64):016x} " + "x" * (160 - len(text)))
    return made


def per_second(ask, texts) -> float:
    """Give texts a second."""
    started = time.perf_counter()
    for text in texts:
        ask(text)
    return len(texts) / (time.perf_counter() - started)


def python_pattern(pattern: str) -> re.Pattern[str]:
    """Write an RE2 pattern as Python reads it."""
    text = re.sub(r"\\x\{(\w{4})\}", r"\\u\1", pattern).replace(r"\z", r"\Z")
    return re.compile(text, re.MULTILINE)


def main() -> None:
    """Measure both on the same banners in one run."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    known = Knowledge.load(ROOT / "auditor" / "data", ROOT / "oui_data")
    prints = known.library.fingerprints
    texts = banners(known, count)
    patterns = PatternSet(p.pattern for p in prints)
    patterns.match(b"first")
    ours = per_second(lambda text: patterns.match(as_bytes(text)), texts)
    compiled = [python_pattern(p.pattern) for p in prints]
    few = texts[: max(200, count // 500)]
    loop = per_second(lambda text: [at for at, own in enumerate(compiled) if own.search(text)], few)
    print(
        f"patterns: {len(prints)}; isolated: {len(patterns.isolated)}; fallbacks: {patterns.fallbacks}"
    )
    print(f"set of all: {ours:,.0f} banners/s; plain re loop: {loop:,.0f} banners/s")
    print(f"ratio: {ours / loop:.0f} x (goal 50); of 100,000 banners/s: {ours / 100_000:.2f} x")
    fields = sorted(known.library.by_field)
    dice = random.Random(5)
    pairs = [(dice.choice(fields), text) for text in texts]
    by_field = per_second(lambda pair: known.library.match(*pair), pairs)
    print(f"by field, captures and memo included: {by_field:,.0f} banners/s")
    repeated = [pairs[number % 1000] for number in range(count)]
    print(
        f"repeated values: {per_second(lambda p: known.library.match(*p), repeated):,.0f} banners/s"
    )


if __name__ == "__main__":
    main()
