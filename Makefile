# Everything a person runs. Each target sets up what it needs; a fresh machine needs Python >= 3.11 and make only.
SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.stamp
WORKERS ?= 3
ARGS ?=
# Compiled files are kept, whatever the environment says: without them each start of a process compiles 400 sources again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help setup demo run test check format bench chromium rabbitmq clean
.DEFAULT_GOAL := help

help: ## say what each target does
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' Makefile

setup: $(STAMP) ## make the environment in .venv

$(STAMP): pyproject.toml constraints.txt scripts/venv.sh
	@sh scripts/venv.sh $(VENV)
	@touch $@

demo: $(STAMP) ## start the tower, a simulated middleware and the dashboards; Ctrl-C stops all
	@$(BIN)/tower demo $(ARGS)

run: $(STAMP) ## start the tower alone, as the TOWER_ settings say
	@$(BIN)/tower run $(ARGS)

test: $(STAMP) chromium rabbitmq ## run every test, the browser's too
	@sh scripts/in_memory.sh $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

check: $(STAMP) ## format, lint, types, import rules, documentation
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python scripts/reference.py --check
	@$(BIN)/python scripts/mapping_pages.py --check
	@$(BIN)/python scripts/permissions.py --check

format: $(STAMP) ## rewrite the code in the house format and refresh docs/reference.md
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(BIN)/python scripts/reference.py
	@$(BIN)/python scripts/mapping_pages.py
	@$(BIN)/python scripts/permissions.py

bench: $(STAMP) ## measure, as ratios in one run; ARGS picks and sizes the measurements
	@$(BIN)/python -m bench $(ARGS)

chromium:
	@sh scripts/chromium.sh

rabbitmq:
	@sh scripts/rabbitmq.sh

clean: ## remove the environment and the caches, never data
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
