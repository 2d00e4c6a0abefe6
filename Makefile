# Each target sets up what it needs: a bare clone, Python 3.11-3.13 and make are enough.
PYTHON ?= python3
DATASETS ?= ../shared/datasets
VENV := .venv
BIN := $(VENV)/bin

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_RETRIES ?= 10
export PIP_DEFAULT_TIMEOUT ?= 60

INSTALL := $(BIN)/python -m pip install --quiet --constraint constraints.txt --build-constraint constraints.txt

.DEFAULT_GOAL := help
.PHONY: help demo test lint format bench models vectors clean

help:  ## Show the targets
	@grep -E '^[a-z]+:.*##' Makefile | sed -E 's/^([a-z]+):[^#]*## */\1\t/' | expand -t 10

demo: $(VENV)/core.stamp  ## Train on the starter tickets, then answer six tickets
	$(BIN)/deflect demo

test: lint  ## Run every check
	$(BIN)/python -m pytest

lint: $(VENV)/tools.stamp  ## Check style, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/tools.stamp  ## Mend what can be mended without thinking
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(VENV)/bench.stamp  ## Measure side by side with fastText, scikit-learn and spaCy; FULL=1 for hours
	$(BIN)/python -m benchmarks.side_by_side $(if $(FULL),--sizes full)

models: $(VENV)/core.stamp  ## Rebuild the shipped bundle, byte for byte
	$(BIN)/deflect train data/starter_tickets.csv --playbook data/playbook.toml --output models/starter \
	  --requester requester --min-pair-df 3 --vector-weight 0 --information-weight 0.5 \
	  --calibration-fraction 0.1 --per overall --least-probability 0.93

vectors: $(VENV)/vectors.stamp  ## Make the word vectors anew, from the data sets in DATASETS
	$(BIN)/python -m vectors --datasets $(DATASETS)

clean:  ## Remove what the other targets made
	rm -rf $(VENV) build dist deflect/line/kernel.compiled .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/venv.stamp: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' || \
	  { echo "Python must be 3.11, 3.12 or 3.13. Got $$($(PYTHON) --version 2>&1). Run: make PYTHON=python3.11 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade --constraint constraints.txt pip
	@touch $@

$(VENV)/core.stamp: $(VENV)/venv.stamp pyproject.toml hatch_build.py deflect/line/kernel.c
	$(INSTALL) --editable .
	@touch $@

$(VENV)/tools.stamp: $(VENV)/core.stamp
	$(INSTALL) --group test --group lint
	@touch $@

$(VENV)/bench.stamp: $(VENV)/core.stamp
	$(INSTALL) --group bench
	@touch $@

$(VENV)/vectors.stamp: $(VENV)/core.stamp
	$(INSTALL) --group vectors
	@touch $@
