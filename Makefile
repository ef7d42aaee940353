# The one face of the project: `make help` lists what it can do.
# Needs Python 3.11 or later, make and git; everything else is installed into .venv and build/ on first use.

PYTHON ?= python3
ENV ?= dev
PIPENV_VERSION := 2026.10.3

# Settings of a rehearsal.
SCENARIO ?= region-loss
SPEED ?= 5
RATE ?= 50
DURATION ?= 40
SEED ?= 1
KIND ?= reset

VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
PIPENV := build/pipenv/bin/pipenv
export PIPENV_VENV_IN_PROJECT := 1
export PIPENV_IGNORE_VIRTUALENVS := 1
export PIPENV_NOSPIN := 1

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z -]+:.*## /{n = split($$1, names, " "); for (i = 1; i <= n; i++) printf "  %-18s %s\n", names[i], $$2}' $(MAKEFILE_LIST)

# --- What every other target needs -----------------------------------------------------------------------------------

$(PIPENV):
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: install Python 3.11 or later, or name it with PYTHON=..." >&2; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$$($(PYTHON) --version) is too old: Python 3.11 or later is needed; name one with PYTHON=..." >&2; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "$(PYTHON) has no venv module: install it (on Debian: apt-get install python3-venv)" >&2; exit 2; }
	@echo "Installing pipenv into build/pipenv ..."
	@$(PYTHON) -m venv build/pipenv
	@build/pipenv/bin/python -m pip install --quiet --disable-pip-version-check pipenv==$(PIPENV_VERSION)

$(READY): Pipfile.lock pyproject.toml | $(PIPENV)
	@echo "Installing the pinned dependencies into $(VENV) (about a minute) ..."
	@$(PIPENV) --quiet sync --dev --python $$($(PYTHON) -c 'import sys; print(sys.executable)')
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

LAYER := build/layer.built
$(LAYER): Pipfile.lock components/layer_build.py | $(READY)
	@echo "Building the functions' libraries for Lambda into build/layer ..."
	@$(RUN) -m components.layer_build build/layer
	@touch $@

.PHONY: install
install: $(READY) ## Install the pinned dependencies into .venv

.PHONY: lock
lock: | $(PIPENV) ## Resolve Pipfile into Pipfile.lock, naming no package index
	@$(PIPENV) lock --dev && $(PIPENV) lock --categories "functions"
	@$(PYTHON) .ci/unname_index.py Pipfile.lock

# --- On this machine ---------------------------------------------------------------------------------------------------

.PHONY: rehearse
rehearse: $(READY) $(LAYER) ## Lose a region under load on this machine (SCENARIO SPEED RATE DURATION SEED KIND)
	@$(RUN) -m drill rehearse --scenario $(SCENARIO) --speed $(SPEED) --rate $(RATE) --duration $(DURATION) --seed $(SEED) --kind $(KIND) --env $(ENV)

.PHONY: local-up
local-up: $(READY) $(LAYER) ## Deploy the three stacks onto the embedded AWS and keep it up until Ctrl-C
	@$(RUN) -m localaws up --env $(ENV) --speed $(SPEED)

.PHONY: graph
graph: $(READY) $(LAYER) ## Print the registered resources of the three stacks as JSON
	@$(RUN) -m localaws graph --env $(ENV)

.PHONY: test
test: $(READY) $(LAYER) ## Run all tests
	@$(RUN) -m pytest

.PHONY: matrix
matrix: $(READY) $(LAYER) ## Deploy, run again and destroy every combination of settings on this machine
	@MATRIX=all $(RUN) -m pytest -s tests/matrix

.PHONY: bench
bench: $(READY) $(LAYER) ## Measure how deployments grow with environments side by side
	@$(RUN) -m bench

.PHONY: lint
lint: $(READY) ## Check style
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

.PHONY: types
types: $(READY) ## Check types
	@$(RUN) -m mypy
	@for stack in primary secondary global; do $(RUN) -m mypy stacks/$$stack/__main__.py || exit 1; done

.PHONY: check
check: lint types test ## What CI runs: style, types, tests

.PHONY: layer
layer: $(LAYER) ## Build the functions' libraries for Lambda into build/layer

.PHONY: clean
clean: ## Remove everything that was built, but not the dependencies
	@rm -rf build/local build/rehearsal build/layer build/layer.built .pytest_cache .mypy_cache .ruff_cache

# --- On AWS ------------------------------------------------------------------------------------------------------------

.PHONY: pulumi
pulumi:
	@command -v pulumi >/dev/null || { echo "the Pulumi CLI is missing: https://www.pulumi.com/docs/iac/download-install/" >&2; exit 2; }

PULUMI = cd stacks/$* && PATH="$(CURDIR)/$(VENV)/bin:$$PATH" pulumi

.PHONY: preview-primary preview-secondary preview-global
preview-primary preview-secondary preview-global: preview-%: pulumi $(READY) $(LAYER) ## Show what a deployment would change (ENV)
	@$(PULUMI) preview --stack $(ENV)

.PHONY: deploy-primary deploy-secondary deploy-global
deploy-primary deploy-secondary deploy-global: deploy-%: pulumi $(READY) $(LAYER) ## Roll out one stack and nothing else (ENV)
	@$(PULUMI) up --stack $(ENV)

.PHONY: destroy-primary destroy-secondary destroy-global
destroy-primary destroy-secondary destroy-global: destroy-%: pulumi $(READY) $(LAYER) ## Destroy one stack (ENV)
	@$(PULUMI) destroy --refresh --stack $(ENV)
