# Everything a developer types. Each target sets up what it needs; nothing is installed outside the project
# except Debian's Chromium, which the browser tests drive.
PYTHON ?= python3
BIN := .venv/bin
DATA ?=
ARGS ?=
.DEFAULT_GOAL := help

.PHONY: help setup setup-dev demo serve test check format bench screenshots reference clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

setup: .venv/.runtime frontend/node_modules/.done  ## .venv with the runtime, browser libraries

setup-dev: setup .venv/.dev .venv/.chromium  ## what tests and checks need on top

demo: setup  ## the emulated portal and the app, ready to look at (DATA=folder for the real data set)
	@$(BIN)/python -m demo $(if $(DATA),--data "$(DATA)")

serve: setup  ## production server, settings from the environment
	@$(BIN)/python -m b24app serve

test: setup-dev check  ## everything: checks, then the suite on SQLite and on PostgreSQL
	@$(BIN)/python -m tests

check: setup-dev  ## format, lint, types, import contracts
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache

format: setup-dev  ## format and mend what can be mended
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: setup-dev .venv/.bench  ## measure everything in about an hour, into docs/performance.md (ARGS=--quick: a short look)
	@$(BIN)/python -m benchmarks $(ARGS)

screenshots: setup-dev  ## pictures of every screen for the documents
	@$(BIN)/python -m tests.browser.screenshots

reference: setup  ## docs/kpis.*.md from the catalogue
	@$(BIN)/python -m b24app.reference

clean:  ## remove what setup made; var/ with the data stays
	rm -rf .venv frontend/node_modules

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	@echo "Making .venv …"
	@$(PYTHON) -m venv .venv

.venv/.runtime: requirements.txt | .venv/bin/python
	@echo "Installing the runtime …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

.venv/.dev: requirements.txt requirements-dev.txt | .venv/.runtime
	@echo "Installing tools for tests and checks …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.venv/.bench: requirements-bench.txt requirements-dev.txt | .venv/.dev
	@echo "Installing what the benchmarks compare with …"
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-bench.txt
	@touch $@

.venv/.chromium: | .venv/bin/python
	@command -v chromium >/dev/null || { echo "Installing Chromium …"; \
		SUDO=$$([ $$(id -u) = 0 ] || echo sudo); \
		$$SUDO apt-get update -qq && $$SUDO apt-get install -y -qq --no-install-recommends chromium fonts-noto-core >/dev/null; }
	@touch $@

frontend/node_modules/.done: frontend/package.json frontend/package-lock.json
	@echo "Installing browser libraries …"
	@cd frontend && npm ci --silent --no-audit --no-fund
	@touch $@
