PYTHON ?= python3
WORKERS ?= 2

BIN := .venv/bin
PIP := $(BIN)/python -m pip -qq --disable-pip-version-check
SOURCES = $(shell find experiment_store backends benchmarks tests -name '*.py' -o -name '*.lark')

.PHONY: help demo test check soak bench bench-peers bench-large
.NOTPARALLEL:  # one .venv, installed into by one at a time

help:
	@echo "make demo    a plain install, and a short program that uses it"
	@echo "make test    all tests, PostgreSQL included, with coverage"
	@echo "make check   format, lint, types, imports, coverage, packaging: what CI runs after the tests"
	@echo "make soak    the property tests, and writers that are killed, for hours rather than seconds"
	@echo "make bench   the store against hand-written SQL; also bench-peers, bench-large"

demo: .venv/plain
	$(BIN)/python docs/demo.py

# A module's fixtures are made once: its functions, and each of its classes, stay on one worker.
# Coverage data stays only where the run that made it passed.
test: .venv/test
	@rm -f .coverage
	$(BIN)/pytest -n $(WORKERS) --dist loadscope --cov --cov-report= || { rm -f .coverage; exit 1; }

.coverage: $(SOURCES) pyproject.toml
	@$(MAKE) test

check: .venv/check .coverage
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo --no-cache
	$(BIN)/coverage report --include='experiment_store/*' --fail-under=100
	$(BIN)/coverage report --include='backends/*' --fail-under=95
	$(BIN)/pytest -q tests/test_packaging.py

soak: .venv/test
	HYPOTHESIS_PROFILE=soak $(BIN)/pytest -n $(WORKERS) --dist loadscope

bench: .venv/test
	$(BIN)/python -m benchmarks
	$(BIN)/python -m benchmarks.histories

bench-peers: .venv/test
	$(BIN)/python -m benchmarks.peers

bench-large: .venv/test
	$(BIN)/python -m benchmarks.large

.venv/plain: pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or later is needed: make PYTHON=…" if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || { echo "making .venv"; $(PYTHON) -m venv .venv; }
	@$(PIP) install --upgrade 'pip>=25.1'  # the first that knows dependency groups
	@echo "installing experiment-store"
	@$(PIP) install --editable .
	@touch $@

.venv/test: .venv/plain
	@echo "installing what the tests need"
	@$(PIP) install --editable '.[cli,migrate,pandas,plot,polars,postgres,server,testing]' --group test
	@touch $@

.venv/check: .venv/test
	@echo "installing what the checks need"
	@$(PIP) install --group check
	@touch $@
