# What a person or a build server does with this project. Everything runs in .venv, which is made from the lock file.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Tried in this order; a name that is found but does not run, or is too old, is passed over.
PYTHONS := python3.13 python3.12 python3.11 python3 python
PACKAGES = $(shell grep -c '==' requirements.txt)
# A dozen processes start in one run: what they compile is kept, also where bytecode is unwanted among the sources.
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX := $(CURDIR)/$(VENV)/bytecode
# What to test: make test TESTS="tests/unit -k lots"
TESTS ?=

.PHONY: help
help: ## Show this
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: demo
demo: $(INSTALLED) ## A year of real purchases, from Kafka to balances (BASKETS=5000 for a quick look, KEEP=1 leaves it up)
	@$(BIN)/bonus demo

.PHONY: up
up: $(INSTALLED) ## Start PostgreSQL, Kafka and the services on this machine
	@$(BIN)/bonus local up

.PHONY: down
down: $(INSTALLED) ## Stop them; the data stays
	@$(BIN)/bonus local down

.PHONY: test
test: $(INSTALLED) ## Run the tests (TESTS="tests/unit -k lots" for some of them)
	@mkdir -p build; code=0; $(BIN)/pytest $(TESTS) || code=$$?; echo $$code > build/pytest-exit-code; exit $$code

.PHONY: lint
lint: $(INSTALLED) ## Check style, types, import contracts and the published documents
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/bonus contracts check

.PHONY: check
check: lint test ## All of lint, then the tests

.PHONY: bench
bench: $(INSTALLED) ## Measure throughput, latency and memory; writes build/bench.json
	@$(BIN)/python -m services.command bench

.PHONY: docs
docs: $(INSTALLED) ## Write what is generated: schemas, AsyncAPI, OpenAPI, the list of decisions
	@$(BIN)/bonus contracts write
	@$(BIN)/python -m tests.architecture.decisions

.PHONY: lock
lock: $(INSTALLED) ## Write requirements.txt from requirements.in, with hashes; what is locked stays (UPGRADE=1: the newest)
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-emit-index-url --no-emit-find-links $(if $(UPGRADE),--upgrade) --output-file requirements.txt requirements.in

.PHONY: install
install: $(INSTALLED) ## Make .venv from the lock file

.PHONY: clean
clean: ## Stop the stack; remove its data, build output and caches
	@if [ -x $(BIN)/bonus ]; then $(BIN)/bonus local down --wipe; fi
	@rm -rf build .local *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +

$(INSTALLED): requirements.txt
	@python=$$(for name in $(PYTHONS); do \
		"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$name"; break; }; \
	done) || true; \
	if [ -z "$$python" ]; then echo "Python 3.11 or newer is needed; none of $(PYTHONS) is." >&2; exit 1; fi; \
	echo "making $(VENV) with $$("$$python" --version)"; \
	"$$python" -m venv --clear $(VENV) || { echo "Python's module venv is needed (Debian: python3-venv)." >&2; exit 1; }
	@echo "installing $(PACKAGES) packages"
	@$(BIN)/python -m pip install --disable-pip-version-check --require-hashes --progress-bar off -r requirements.txt \
		| awk '/^Collecting/ && ++n % 20 == 0 {print "  " n " packages found"; fflush()} /^Installing/ {print "  unpacking"; fflush()}'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
