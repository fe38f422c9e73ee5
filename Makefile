# Two commands do all the set-up on a fresh machine: make demo, make test.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The older of the two DuckDB lines that the tests pass on; constraints.txt pins the newer one.
DUCKDB_PREVIOUS := 1.5.6

# Files of tests side by side, each file in one process.
PARALLEL := -n auto --dist loadfile

.PHONY: demo test test-duckdb-previous check bench clean
.DELETE_ON_ERROR:

demo: $(VENV)/installed
	$(BIN)/matterhouse --warehouse data/warehouse.duckdb build data/content

test: $(VENV)/installed
	$(BIN)/python -m pytest $(PARALLEL)

test-duckdb-previous: $(VENV)/installed
	$(BIN)/pip install --quiet --no-deps --upgrade --target .duckdb-previous duckdb==$(DUCKDB_PREVIOUS)
	PYTHONPATH=$(CURDIR)/.duckdb-previous $(BIN)/python -m pytest $(PARALLEL) -m "not prefect"

check: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/installed
	$(BIN)/python -m tests.benchmarks

clean:
	rm -rf $(VENV) .duckdb-previous .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	rm -rf data/exports data/warehouse.*

$(VENV)/installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@
