#!/bin/sh
# The shape of the house: format, lint, types, import rules.
set -eu
.venv/bin/ruff format --check auditor tests bench oui_data
.venv/bin/ruff check auditor tests bench oui_data
.venv/bin/mypy
.venv/bin/lint-imports
