# Needs python3 (3.11 or newer) and make. `make` alone lists the targets.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
LOCKED := install --quiet --require-hashes -r
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-header
WORKERS ?= 2
ROUNDS ?= 30

# Bytecode is kept even where the environment asks for none: most processes of a test run live for
# a few seconds, and without it each of them compiles every module that it imports.
export PYTHONDONTWRITEBYTECODE :=

# A Redis comes with the dependencies for 3.11 and 3.12 only, so these go before a newer python3.
PYTHON ?= $(shell for each in python3 python3.12 python3.11; do \
	"$$each" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' 2>/dev/null \
	&& echo "$$each" && exit; done; echo python3)

# Scripts in a virtual environment name its path, so one that was moved or copied is made again.
ifneq ($(wildcard $(VENV)/.made),)
ifneq ($(shell cat $(VENV)/.made),$(shell pwd -P))
$(shell rm -rf $(VENV))
endif
endif

.DEFAULT_GOAL := help
.PHONY: help install demo test lint fix node prove chaos bench lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

install: $(VENV)/.installed ## make .venv with ludo-proxy in it

demo: install ## play: sandbox, proxy and worker on a bundled Redis; prints the board's address
	@exec $(BIN)/ludo-proxy demo $(ARGS)

test: lint ## check everything that `make prove` does not
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

lint: $(VENV)/.installed-dev ## style, types and the direction of imports
	@$(BIN)/ruff format --check --quiet . || { echo 'not formatted: run make fix' >&2; exit 1; }
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

fix: $(VENV)/.installed-dev ## format, and repair what can be repaired
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

node: $(VENV)/.installed-dev ## the suite that HTTP caches are compared by, from npm
	@npm install --prefix $(VENV)/node --no-save --no-audit --no-fund --ignore-scripts --silent \
		http-cache-tests@0.4.5

prove: $(VENV)/.installed-dev ## the long fuzz, chaos, model and outage runs
	@$(MAKE) --silent node || echo 'no npm: http-cache-tests does not run' >&2
	@$(BIN)/python -m pytest tests/cachetests
	@$(BIN)/python -m pytest -m prove --timeout 3600 --hypothesis-profile prove $(ARGS)

chaos: $(VENV)/.installed-dev ## kill everything at random under load; ROUNDS=30, SEED=… to repeat a run
	@exec $(BIN)/python -m tests.chaos --rounds $(ROUNDS) $(if $(SEED),--seed $(SEED)) $(ARGS)

bench: $(VENV)/.installed-dev ## what the audit, the engine, a worker and the relay do in a second
	@$(PIP) install --quiet uv && $(BIN)/uv pip install --quiet --python $(BIN)/python --group bench \
		|| echo 'ludo-king-engine could not be installed: nothing is compared' >&2
	@$(BIN)/python -m benchmarks.audit
	@$(BIN)/python -m benchmarks.intake
	@$(BIN)/python -m benchmarks.apply
	@$(BIN)/python -m benchmarks.facade
	@$(BIN)/python -m benchmarks.transport
	@$(BIN)/python -m benchmarks.relay
	@$(BIN)/python -m benchmarks.archive

lock: $(VENV)/.installed ## renew the three lock files from pyproject.toml
	@$(PIP) install --quiet uv
	@$(COMPILE) pyproject.toml -o requirements.lock
	@$(COMPILE) pyproject.toml --group dev -o requirements-dev.lock
	@$(COMPILE) --group build -o requirements-build.lock

clean: ## remove .venv, caches and the demo's data
	@rm -rf $(VENV) .ludo .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@command -v $(PYTHON) >/dev/null || { \
		echo 'python3 not found: install Python 3.11 or newer, or name one with PYTHON=…' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed; found $$($(PYTHON) -V). Name one with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module: install it (Debian, Ubuntu: apt install python3-venv)" >&2; exit 1; }
	@$(PYTHON) -m venv $(VENV)
	@pwd -P > $@

$(VENV)/.installed: $(VENV)/.made requirements.lock requirements-build.lock pyproject.toml
	@echo 'Installing ludo-proxy into $(VENV) …'
	@$(PIP) $(LOCKED) requirements.lock -r requirements-build.lock
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.installed-dev: $(VENV)/.installed requirements-dev.lock
	@echo 'Installing the tools of the tests …'
	@$(PIP) $(LOCKED) requirements-dev.lock
	@touch $@
