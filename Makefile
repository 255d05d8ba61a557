SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup run test lint bench soak clean

PYTHON ?= python3.11
MINUTES ?= 10
# Each has a stack of its own. Much of what tests do is waiting, so that two need little more time than one.
PROCESSES ?= 2
IN_VENV := .venv/bin/python

help:  ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/complete  ## Make the virtual environment from the lock and fetch Kafka, Connect and Debezium
	@$(IN_VENV) -m stack setup

run: setup  ## Start the local stack, the workers and the demo load; Ctrl-C stops everything
	@$(IN_VENV) -m cli up

test: setup  ## Run every test, as CI does
	@$(IN_VENV) -m stack setup-tests
	@$(IN_VENV) -m pytest -n $(PROCESSES) --dist loadfile --no-loadscope-reorder

lint: setup  ## Check style, types and the import rules
	@$(IN_VENV) -m ruff check .
	@$(IN_VENV) -m ruff format --check .
	@$(IN_VENV) -m mypy .
	@.venv/bin/lint-imports

bench: setup  ## Measure throughput and latency against the peers
	@$(IN_VENV) -m bench

soak: setup  ## Run what takes long, the chaos test for MINUTES (10) among it
	@SYNC_SOAK_MINUTES=$(MINUTES) $(IN_VENV) -m pytest -m campaign -s

clean:  ## Stop and delete the local stack, the virtual environment and the caches
	@if [ -x $(IN_VENV) ]; then $(IN_VENV) -m stack clean; fi
	@rm -rf .local .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/complete: requirements-dev.txt stack/make_venv.sh
	@PYTHON=$(PYTHON) bash stack/make_venv.sh
