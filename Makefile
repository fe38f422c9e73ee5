# Two commands do all the set-up on a fresh machine: make demo, make test.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# uv installs in seconds what takes pip minutes; pip comes with every Python.
UV := $(shell command -v uv)
ifdef UV
NEW_VENV = uv venv --quiet --seed --allow-existing --python $(PYTHON) $(VENV)
# Compiled once: hundreds of processes that the tests start would each compile pandas otherwise.
INSTALL = uv pip install --quiet --compile-bytecode --python $(BIN)/python --constraint constraints.txt
else
NEW_VENV = $(PYTHON) -m venv $(VENV)
INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
endif
# The older of the two DuckDB lines that the tests pass on; constraints.txt pins the newer one.
DUCKDB_PREVIOUS := 1.5.6

NEWEST_PYTHON := python3.13
NEWEST_VENV := .venv-newest

# What reads documents, workers, a browser, messages, what the README has typed, and what a run leaves
# when it is killed or a call of the system fails are the same on every line of DuckDB.
WITHOUT_DUCKDB := $(addprefix tests/,frontmatter normalize source test_config.py test_corpus_generator.py \
	test_front_matter_docs.py test_imports.py inspect/test_starter.py test_orchestrate.py test_package.py test_readme.py \
	workers/test_runner.py \
	$(addprefix reports/,page/test_browser.py page/test_charts.py test_alerts.py test_finish.py \
	test_notify.py test_terminal.py) \
	$(addprefix trust/,test_concurrency.py test_failing_calls.py test_files_in_motion.py test_fuzz.py \
	test_guard.py test_kill.py))

# Files of tests side by side, each file in one process.
PARALLEL := -n auto --dist loadfile

.PHONY: demo test test-duckdb-previous test-newest-python check bench page-screenshot clean
.DELETE_ON_ERROR:

demo: $(VENV)/installed
	$(BIN)/matterhouse --warehouse data/warehouse.duckdb build data/content --no-history --page data/page.html

test: $(VENV)/installed-dev
	$(BIN)/python -m pytest $(PARALLEL)

test-duckdb-previous: $(VENV)/installed-dev
	$(BIN)/pip install --quiet --no-deps --upgrade --target .duckdb-previous duckdb==$(DUCKDB_PREVIOUS)
	PYTHONPATH=$(CURDIR)/.duckdb-previous $(BIN)/python -m pytest $(PARALLEL) -m "not prefect and not cluster" \
		$(addprefix --ignore=,$(WITHOUT_DUCKDB))

# The newest Python that all dependencies have wheels for: the demo, and the stages of a run. With
# pyarrow, where it is installed, pandas keeps texts in another way.
test-newest-python:
	$(MAKE) VENV=$(NEWEST_VENV) PYTHON=$(NEWEST_PYTHON) demo $(NEWEST_VENV)/installed-pytest
	$(NEWEST_VENV)/bin/python -m pytest $(PARALLEL) $(addprefix tests/,frontmatter normalize load) \
		tests/test_tools.py::test_pandas_reads_an_export

check: $(VENV)/installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/installed-dev
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m tests.benchmarks
	$(BIN)/python -m tests.benchmarks.history

# The picture of the page in the README, taken anew from the sample by the system's Chromium.
page-screenshot: $(VENV)/installed-dev
	$(BIN)/python -m tests.reports.page.screenshot

clean:
	rm -rf $(VENV) $(NEWEST_VENV) .duckdb-previous .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist
	rm -rf data/exports data/page.html data/warehouse.*

# Most of what is installed is Prefect's; nothing outside $(VENV) changes.
$(VENV)/installed: pyproject.toml constraints.txt
	@echo "Installing into $(VENV): about 110 packages, 350 MB; seconds with uv, one to three minutes without"
	$(NEW_VENV)
	$(INSTALL) --editable .
	touch $@

# What tests of documents and tables need, which start no server.
$(VENV)/installed-pytest: $(VENV)/installed
	$(INSTALL) pytest pytest-xdist hypothesis pyarrow
	touch $@

$(VENV)/installed-dev: $(VENV)/installed
	@echo "Installing what the tests need as well: about 200 MB more"
	$(INSTALL) --editable '.[dev]'
	touch $@
