# make demo | make test | make bench: each sets up .venv by itself. Needs Python 3.11 to 3.13 and nothing else.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test test-quick test-engine pulumi lint bench docs clean
.DEFAULT_GOAL := help

help:
	@echo "make demo         provision an account and two deployments on the embedded AWS, and destroy them again"
	@echo "make test         the whole test suite, but for what needs the Pulumi CLI"
	@echo "make test-engine  the tests with the real Pulumi CLI, on the embedded AWS"
	@echo "make pulumi       put the pinned Pulumi CLI into .tools/, for the engine tests"
	@echo "make lint         format, lint and types"
	@echo "make bench        speed and memory, as a table"

$(STAMP): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "byoc needs Python 3.11, 3.12 or 3.13; found none on PATH (or: make PYTHON=/path/to/python)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { echo "cannot make a virtual environment: on Debian or Ubuntu, apt install python3-venv"; rm -rf $(VENV); exit 1; }
	@echo "installing into $(VENV) (once) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable ".[policy,sandbox]" --group dev
	@touch $(STAMP)

demo: $(STAMP)
	@$(BIN)/byoc demo

test: $(STAMP)
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not engine"

test-quick: $(STAMP)
	@$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not slow and not engine"

test-engine: pulumi
	@$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder -m engine

pulumi: $(STAMP)
	@$(BIN)/python tools/pulumi/install.py

lint: $(STAMP)
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy --strict byoc tests
	@$(BIN)/mypy --strict stacks/__main__.py
	@$(BIN)/mypy --strict tools/pulumi

bench: $(STAMP)
	@$(BIN)/python -m bench

docs: $(STAMP)
	@$(BIN)/python -m byoc.config.reference > docs/configuration.md

clean:
	rm -rf $(VENV) build dist *.egg-info
