"""How fast `auditor identify` answers 100,000 JSON Lines, the whole process; and its memory.

    python bench/identify_stream.py [LINES]

Prints seconds, lines a second, and the peak memory at a tenth and at all of the lines: flat
means that the second is hardly above the first.
"""

import json
import random
import resource
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

DRIVER = """
import sys
from pathlib import Path
from auditor.identify.stream import identify_lines
from auditor.identify.knowledge import Knowledge
root = Path(sys.argv[1])
known = Knowledge.load(root / "auditor" / "data", root / "oui_data")
for line in identify_lines(sys.stdin, known):
    sys.stdout.write(line + "\\n")
"""


def lines(count: int) -> list[str]:
    """Write observations as a department's devices make them: half of them never seen before."""
    dice = random.Random(7)
    made = []
    for number in range(count):
        mac = f"{dice.choice(('2857BE', '3CEF8C', 'ACCC8E', '00408C', '001122'))}{dice.randrange(1 << 24):06X}"
        realm = dice.choice(
            (f"IP Camera(C{dice.randrange(10_000):04d})", "AXIS_" + mac, f"Login to {number:08d}")
        )
        server = dice.choice(
            ("App-webs/", "DNVRS-Webs", "nginx", "Boa/0.94.14rc21", f"thing/{number}")
        )
        seen = [
            {"field": "mac", "value": mac},
            {"field": "http.server", "value": server},
            {"field": "http.wwwauth", "value": f'Digest realm="{realm}", nonce="{dice.random()}"'},
        ]
        made.append(json.dumps({"id": f"x{number}", "observations": seen}))
    return made


def run(text: str) -> tuple[float, float, int, int]:
    """Give seconds by the wall and of CPU, answers, and peak memory in kB of a whole process."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-c", f"{DRIVER}\nimport resource\nprint(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)", str(ROOT)],
        input=text, capture_output=True, text=True, check=True, cwd=ROOT,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    wall = time.perf_counter() - started
    return wall, cpu, done.stdout.count("\n"), int(done.stderr.split()[-1])


def main() -> None:
    """Measure a tenth, then all."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    made = lines(count)
    *_, small = run("\n".join(made[: count // 10]) + "\n")
    seconds, cpu, answers, peak = run("\n".join(made) + "\n")
    assert answers == count
    print(
        f"{count} lines of three observations: {seconds:.2f} s ({cpu:.2f} s of CPU), {count / seconds:,.0f} lines/s"
    )
    print(f"peak memory: {small / 1024:.0f} MB at a tenth, {peak / 1024:.0f} MB at all")
    print(f"ratio to the goal of 5 s: {5 / seconds * count / 100_000:.2f} x as fast")


if __name__ == "__main__":
    main()
