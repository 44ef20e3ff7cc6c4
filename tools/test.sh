#!/bin/sh
# Everything that is checked, in the order in which it fails fastest. Much of it waits, so there are more workers than cores.
set -eu
sh tools/lint.sh
unset PYTHONDONTWRITEBYTECODE
.venv/bin/python -m pytest -n 3 --dist loadfile --no-loadscope-reorder "$@"
