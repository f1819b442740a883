# make demo | test | check | bench | screenshots — each installs what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ROOT := $(shell test "$$(id -u)" = 0 || echo sudo)

.PHONY: demo test check bench screenshots browser clean

demo: $(VENV)/.demo
	@$(BIN)/tuneport demo

# Two at a time: most tests wait for processes.
test: $(VENV)/.test browser
	$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(VENV)/.test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest tests/test_docs.py tests/services/kernel tests/services/test_scope.py tests/services/test_tenants.py

bench: $(VENV)/.test
	@test -n "$(DATA)" || { echo "Say where the data sets are: make bench DATA=folder (see docs/benchmarks.md)"; exit 2; }
	$(BIN)/python -m benchmarks.training $(DATA)
	$(BIN)/python -m benchmarks.hardware
	$(BIN)/python -m benchmarks.inference
	$(BIN)/python -m benchmarks.forecast
	$(BIN)/python -m benchmarks.quotes $(DATA)

screenshots: $(VENV)/.test browser
	$(BIN)/python -m tests.e2e.screenshots docs/screenshots

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Tuneport needs Python 3.11 or newer; set PYTHON=…"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { $(ROOT) apt-get update -qq && $(ROOT) apt-get install -y -qq python3-venv; }
	$(PYTHON) -m venv $(VENV)

# torch first and alone, so that nothing asks for another build of it.
$(VENV)/.torch: constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt torch
	@touch $@

$(VENV)/.demo: pyproject.toml constraints.txt $(VENV)/.torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[demo]'
	@touch $@

$(VENV)/.test: pyproject.toml constraints.txt $(VENV)/.torch
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	@touch $@ $(VENV)/.demo

browser:
	@command -v chromium >/dev/null || { $(ROOT) apt-get update -qq && $(ROOT) apt-get install -y -qq chromium fonts-noto-cjk; }

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info
