"""The child process that reads one hostile file: its standard input in, lines of JSON out.

python -m auditor.commands.child IMPORTER OPTIONS < FILE
"""

import json
import sys
from datetime import datetime

from auditor import wiring
from auditor.commands.item_lines import encoded
from auditor.errors import AuditorError
from auditor.plugins import Options


def main(name: str, words: str) -> int:
    """Read standard input with one importer."""
    said = json.loads(words)
    options = Options(**(said | {"moment": datetime.fromisoformat(said["moment"])}))
    importer = next(each for each in wiring.importers() if each.name == name)
    try:
        for item in importer.read(sys.stdin.buffer, options):
            print(encoded(item))
        sys.stdout.flush()
    except AuditorError as error:
        print(f"{error.what}: {error.why}" if error.why else error.what, file=sys.stderr)
        return 2
    except MemoryError:
        print("reading it took more memory than a list of assets can need", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
