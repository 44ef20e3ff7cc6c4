# Two commands do everything: `make audit` and `make test`. Both set up what they need.
.POSIX:
.PHONY: audit test setup lint clean
.DEFAULT_GOAL := help
PYTHON ?= python3
BIN := .venv/bin

help:
	@echo 'make audit   audit the bundled simulated department; ends in a real report and its path'
	@echo 'make test    every check: shape, types, tests on real packets, browser and database'

audit: setup
	rm -f out/report.en.html
	@# exit codes 1 and 3 are answers (nonconforming, coverage incomplete), not failures of make
	$(BIN)/auditor demo --out out || { test $$? -ne 2 && test -f out/report.en.html; }

test: setup
	sh tools/test.sh

setup: .venv/.complete

.venv/.complete: requirements.lock pyproject.toml tools/setup.sh
	sh tools/setup.sh "$(PYTHON)"
	touch $@

lint: setup
	sh tools/lint.sh

clean:
	rm -rf .venv out dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
