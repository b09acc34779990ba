# Two commands do all set-up on a fresh machine: `make lab` (the course) and `make test` (its proof).
# Windows without make: see README.md. Another interpreter: make lab PYTHON=python3.12

PYTHON ?= python3
JOBS ?= 2
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
RUN := OMP_NUM_THREADS=1 $(BIN)/python -m

.DEFAULT_GOAL := help
.PHONY: help setup lab course test test-fast lint format docs bench data notebooks clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.course: pyproject.toml constraints.txt | $(BIN)/python
	@echo "Installing the course into $(VENV) (a few minutes, once) ..."
	$(PIP) --editable '.[course]'
	@touch $@

$(VENV)/.test: $(VENV)/.course Makefile
	@echo "Installing what the tests need ..."
	$(PIP) --editable '.[course,test,docs]'
	@touch $@


setup: $(VENV)/.course  ## create .venv, install the course, fill the embedded hub
	@$(BIN)/classroom seed

lab: setup  ## the course in JupyterLab, opened at notebook 00
	@$(BIN)/classroom lab

course: setup  ## execute every notebook (copies and HTML under build/, a table at the end)
	@$(BIN)/classroom run --jobs $(JOBS)

test: lint  ## everything: lint, types, unit and parity tests, every notebook
	@$(BIN)/classroom seed
	$(RUN) pytest -n $(JOBS) --dist worksteal tests

test-fast: $(VENV)/.test  ## unit tests only, no notebooks, nothing slow
	$(RUN) pytest -n $(JOBS) -m "not slow" tests/nanoformers tests/classroom

lint: $(VENV)/.test  ## ruff and mypy
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy

format: $(VENV)/.test  ## let ruff mend what it can, notebooks too
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

notebooks: setup  ## execute the notebooks and keep their outputs; renew badges and the index
	$(BIN)/classroom badges
	$(BIN)/classroom run --jobs $(JOBS) --save
	$(BIN)/classroom index

docs: $(VENV)/.test  ## the web site: build/site/index.html
	$(BIN)/sphinx-build -q -W -c docs -b dirhtml . build/site

bench: $(VENV)/.test  ## measure us and the reference library side by side
	$(BIN)/python -m benchmarks

data: $(VENV)/.test  ## train the course's checkpoints again from their recipes
	for recipe in data/recipes/*.py; do nice $(BIN)/python $$recipe || exit 1; done

clean:  ## remove what was built (keeps .venv and .classroom)
	rm -rf build dist
