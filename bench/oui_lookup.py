"""OUI look-ups against scapy and netaddr, and what each of their copies lacks, in one run.

    python bench/oui_lookup.py [MACS]

Mixed addresses: four fifths in registered blocks of all three lengths, the rest unregistered
or local. Load is cold: the first answer of a fresh process, imports of our own apart.
"""

import random
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from auditor.identify.makers import Makers  # noqa: E402
from auditor.identify.registry import Registry  # noqa: E402

COLD = """
import sys, time
from pathlib import Path
from auditor.identify.registry import Registry
started = time.perf_counter()
registry = Registry(Path(sys.argv[1]))
assert registry.registrant(0x2857BE000001)
print((time.perf_counter() - started) * 1000)
"""


def mixed(registry: Registry, count: int) -> list[int]:
    """Give `count` addresses, the same ones each time."""
    dice = random.Random(1)
    blocks = list(registry.blocks())
    found = []
    for _ in range(count):
        if dice.random() < 0.8:
            block = dice.choice(blocks)
            free = 48 - block.bits
            found.append((block.prefix << free) | dice.getrandbits(free))
        else:
            found.append(dice.getrandbits(48))
    return found


def timed(answers, count):
    """Run an iterator of answers; give seconds of CPU and how many named somebody."""
    started = time.process_time()
    hits = sum(1 for name in answers if name)
    return time.process_time() - started, hits / count


def netaddr_names(values):
    """Ask netaddr, as its documentation says to."""
    from netaddr import EUI, NotRegisteredError

    for value in values:
        try:
            yield EUI(value).oui.registration().org
        except NotRegisteredError:
            yield None


def scapy_names(texts):
    """Ask scapy's manufacturer database."""
    from scapy.config import conf
    from scapy.data import load_manuf

    conf.manufdb = load_manuf()
    look_up = conf.manufdb.lookup
    for text in texts:
        name = look_up(text)[1]
        yield name if name != text else None


def missing(registry: Registry) -> None:
    """Count the covered vendors' prefixes that the peers lack."""
    makers = Makers.load(ROOT / "auditor" / "data" / "entities")
    covered = [b for b in registry.blocks() if makers.of_registrant(b.registrant)]
    from netaddr import EUI, NotRegisteredError
    from scapy.data import load_manuf

    manuf = load_manuf()
    lack = {"netaddr": 0, "scapy": 0}
    for block in covered:
        value = block.prefix << 48 - block.bits
        text = value.to_bytes(6, "big").hex(":").upper()
        try:
            EUI(value).oui.registration()
        except NotRegisteredError:
            lack["netaddr"] += 1
        lack["scapy"] += manuf.lookup(text)[1] in {text, "IEEE Registration Authority"}
    print(
        f"prefixes of covered vendors: ours {len(covered)}, "
        + ", ".join(f"{name} lacks {number}" for name, number in lack.items())
    )


def main() -> None:
    """Measure ours and the peers on the same addresses."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    folder = ROOT / "oui_data"
    loads = [
        float(subprocess.run(
            [sys.executable, "-c", COLD, str(folder)],
            capture_output=True, text=True, check=True, cwd=ROOT,
        ).stdout)
        for _ in range(5)
    ]  # fmt: skip
    print(f"cold load and first answer: {sorted(loads)[2]:.1f} ms (median of 5)")
    registry = Registry(folder)
    values = mixed(registry, count)
    ours, hits = timed(Registry(folder).registrants(values), count)
    print(f"ours: {count / ours:,.0f} look-ups/s, {hits:.1%} named, table included")
    texts = [value.to_bytes(6, "big").hex(":").upper() for value in values]
    next(scapy_names(texts[:1]))  # its load is not counted against it
    scapy, hits = timed(scapy_names(texts), count)
    print(f"scapy: {count / scapy:,.0f} look-ups/s, {hits:.1%} named")
    few = max(1, count // 20)
    list(netaddr_names(islice(values, 10)))
    peer, hits = timed(netaddr_names(values[:few]), few)
    print(f"netaddr: {few / peer:,.0f} look-ups/s, {hits:.1%} named")
    print(f"ratio to scapy: {scapy / ours:.1f} x (goal 2)")
    print(f"ratio to netaddr: {peer / few * count / ours:.0f} x (goal 50)")
    missing(registry)


if __name__ == "__main__":
    main()
