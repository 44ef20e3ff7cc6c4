#!/bin/sh
# Everything that is checked, in the order in which it fails fastest.
set -eu
sh tools/lint.sh
unset PYTHONDONTWRITEBYTECODE
.venv/bin/python -m pytest -n 2 --dist loadfile "$@"
