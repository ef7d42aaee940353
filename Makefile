# Entry points of the project; `make help` lists the targets.
# Requires Python 3.11 or later, make and git; everything else is installed into .venv and build/ on first use.

PYTHON ?= python3
PIPENV_VERSION := 2026.10.3

# Options of the commands. Empty ones are left to the command's own default: see `make help` and `dr COMMAND --help`.
# On AWS: YES=1 skips the confirmation, EXCLUDE_REGION=primary plans without calls to that region, DECLINE=1 declines a
# failover that waits for approval, LOCAL=1 means the environment on this machine, ALLOW="name name" agrees to the
# replacement or deletion of what holds data, and to a change of the environment's identity.
ENV ?=
YES ?=
LOCAL ?=
EMPTY ?=
EXCLUDE_REGION ?=
COPY_REGION ?=
NAME ?=
REGION ?=
MODE ?=
REASON ?=
DECLINE ?=
ALLOW ?=
ALLOW_DELETIONS ?=
RESTORE ?=
BACKEND ?=
SECRETS_PROVIDER ?=
LOAD ?=
COMPARE ?=
AGAINST ?=
SCENARIO ?=
SPEED ?=
RATE ?=
DURATION ?=
SEED ?=
OUTAGE_MODE ?=
ENGINE ?=
PROVIDER ?=
REPEAT ?=
NLB_TAIL ?=
# Free text is passed through the environment, so that quotes in it are safe.
export REASON BACKEND SECRETS_PROVIDER
export DR_ALLOW = $(ALLOW)
export LOCALAWS_PROVIDER = $(PROVIDER)

VENV := .venv
RUN := $(VENV)/bin/python
DR := $(VENV)/bin/dr
READY := $(VENV)/.ready
PIPENV := build/pipenv/bin/pipenv
export PIPENV_VENV_IN_PROJECT := 1
export PIPENV_IGNORE_VIRTUALENVS := 1
export PIPENV_NOSPIN := 1

YES_ARG = $(if $(filter 1 true yes,$(YES)),--yes)
LOCAL_ARG = $(if $(filter 1 true yes,$(LOCAL)),--local)
ENV_ARG = $(if $(ENV),--env $(ENV))
REASON_ARG = $(if $(REASON),--reason "$$REASON")
EXCLUDE_ARG = $(if $(EXCLUDE_REGION),--exclude-region $(EXCLUDE_REGION))
REHEARSE_ARGS = $(if $(SPEED),--speed $(SPEED)) $(if $(RATE),--rate $(RATE)) $(if $(SEED),--seed $(SEED)) $(if $(OUTAGE_MODE),--outage-mode $(OUTAGE_MODE)) $(if $(NLB_TAIL),--nlb-tail $(NLB_TAIL)) $(if $(ENGINE),--engine $(ENGINE)) $(ENV_ARG)
# What a rehearsal needs whose stacks the Pulumi CLI deploys.
REHEARSE_NEEDS = $(READY) $(LAYER) $(if $(filter pulumi,$(ENGINE)),pulumi $(POLICY))

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^##@ /{printf "\n%s\n", substr($$0, 5)} /^[a-z -]+:.*## /{n = split($$1, names, " "); for (i = 1; i <= n; i++) printf "  %-18s %s\n", names[i], $$2}' $(MAKEFILE_LIST)

##@ Setup

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
$(LAYER): Pipfile.lock components/compute/layer_build.py | $(READY)
	@echo "Building the functions' libraries for Lambda into build/layer ..."
	@$(RUN) -m components.compute.layer_build build/layer
	@touch $@

POLICY := build/policy-venv/.ready
$(POLICY): policy/requirements.txt pyproject.toml | $(PIPENV)
	@echo "Installing the policy pack's own environment into build/policy-venv ..."
	@$(PYTHON) -m venv build/policy-venv
	@build/policy-venv/bin/python -m pip install --quiet --disable-pip-version-check --requirement policy/requirements.txt
	@build/policy-venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.PHONY: install
install: $(READY) ## Install the pinned dependencies into .venv

.PHONY: lock
lock: | $(PIPENV) ## Resolve Pipfile into Pipfile.lock, without the URL of a package index
	@$(PIPENV) lock --dev && $(PIPENV) lock --categories "functions"
	@$(PYTHON) .ci/unname_index.py Pipfile.lock

##@ On this machine

.PHONY: rehearse
rehearse: $(REHEARSE_NEEDS) ## Rehearse a scenario under load on this machine (SCENARIO REPEAT SPEED RATE DURATION SEED OUTAGE_MODE NLB_TAIL ENGINE ENV)
	@$(DR) rehearse $(SCENARIO) $(if $(REPEAT),--repeat $(REPEAT)) $(if $(DURATION),--duration $(DURATION)) $(REHEARSE_ARGS)

.PHONY: rehearse-all
rehearse-all: $(REHEARSE_NEEDS) ## Rehearse all scenarios one after the other and print a summary table
	@$(DR) rehearse --all $(REHEARSE_ARGS)

.PHONY: rehearse-hours
rehearse-hours: $(REHEARSE_NEEDS) ## Rehearse the scenarios that take AWS hours, about an hour on this machine
	@$(DR) rehearse --hours $(REHEARSE_ARGS)

.PHONY: local-up
local-up: $(READY) $(LAYER) ## Deploy the three stacks on the embedded AWS and run until Ctrl-C; EMPTY=1 deploys nothing (ENV SPEED NLB_TAIL EMPTY)
	@$(DR) local up $(ENV_ARG) $(if $(filter 1 true yes,$(EMPTY)),--empty) $(if $(SPEED),--speed $(SPEED)) $(if $(NLB_TAIL),--nlb-tail $(NLB_TAIL))

.PHONY: graph graph-check
graph: $(READY) $(LAYER) ## Draw the diagrams of the documentation from the registered resources
	@$(DR) graph

graph-check: $(READY) $(LAYER) ## Fail if a diagram of the documentation is not current
	@$(DR) graph --check

.PHONY: cost
cost: $(READY) $(LAYER) ## Estimate the monthly cost (ENV LOAD=<payments a second> COMPARE=<another environment>)
	@$(DR) cost $(ENV_ARG) $(if $(LOAD),--payments-per-second $(LOAD)) $(if $(COMPARE),--compare $(COMPARE))

.PHONY: test test-engine test-all
test: $(READY) $(LAYER) $(POLICY) ## Run the tests of the tiers unit, emulator and stack, about eleven minutes on two cores
	@$(RUN) -m tests

test-engine: pulumi $(READY) $(LAYER) $(POLICY) ## Run the tests of the Pulumi engine, about a quarter of an hour
	@$(RUN) -m tests engine

test-all: $(READY) $(LAYER) $(POLICY) ## Run all tests, including the tiers engine and nightly
	@$(RUN) -m tests --all

.PHONY: matrix
matrix: $(READY) $(LAYER) ## Deploy, update and destroy every combination of settings on the embedded AWS
	@MATRIX=all $(RUN) -m pytest -s -m "" tests/matrix

.PHONY: bench
bench: $(READY) $(LAYER) ## Measure the cost of deployments by number of environments
	@$(RUN) -m bench

.PHONY: bench-parameters
bench-parameters: $(READY) ## Count the API calls of reconciling 10 000 parameters
	@$(RUN) -m bench.parameters

.PHONY: bench-ledger
bench-ledger: $(READY) $(LAYER) ## Measure the payments that the ledger posts per second (AGAINST=<another checkout>)
	@$(RUN) -m bench.ledger $(if $(AGAINST),--against "$(AGAINST)")

.PHONY: bench-replay
bench-replay: $(READY) $(LAYER) ## Count the calls of a replay by the journal's size
	@$(RUN) -m bench.replay

.PHONY: bench-audit
bench-audit: $(READY) ## Count the calls of an audit of a million payments
	@$(RUN) -m bench.audit

.PHONY: bench-payments
bench-payments: $(READY) $(LAYER) ## Measure base load and CPU time per payment (SPEED AGAINST=<another checkout>)
	@$(RUN) -m bench.payments $(if $(SPEED),--speed $(SPEED)) $(if $(AGAINST),--against "$(AGAINST)")

.PHONY: lint
lint: $(READY) ## Check style
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

.PHONY: types
types: $(READY) ## Check types
	@$(RUN) -m mypy
	@for stack in primary secondary global; do $(RUN) -m mypy stacks/$$stack/__main__.py || exit 1; done

.PHONY: check
check: lint types $(READY) $(LAYER) $(POLICY) ## Check style and types and run all tests but the nightly ones, as CI does
	@$(RUN) -m tests --in-turn unit emulator stack engine

.PHONY: layer
layer: $(LAYER) ## Build the functions' libraries for Lambda into build/layer

.PHONY: policy
policy: $(POLICY) ## Install the policy pack's own environment into build/policy-venv

.PHONY: clean
clean: ## Remove all build results, but not the dependencies
	@rm -rf build/local build/rehearsal build/layer build/layer.built build/policy-venv .pytest_cache .mypy_cache .ruff_cache

##@ On AWS: set up

.PHONY: doctor init
doctor: $(READY) ## Check this machine and the AWS account for deployment problems (ENV)
	@$(DR) doctor $(ENV_ARG)

init: pulumi $(READY) ## Log in to the backend, write the settings and create the stacks (ENV BACKEND SECRETS_PROVIDER YES)
	@$(DR) init $(ENV_ARG) $(if $(BACKEND),--backend "$$BACKEND") $(if $(SECRETS_PROVIDER),--secrets-provider "$$SECRETS_PROVIDER") $(YES_ARG)

.PHONY: state-create state-move
state-create: $(READY) ## Create a state backend and a secrets provider in two regions (NAME REGION COPY_REGION YES)
	@$(DR) state create $(if $(NAME),--name $(NAME)) $(if $(REGION),--region $(REGION)) $(if $(COPY_REGION),--copy-region $(COPY_REGION)) $(YES_ARG)

state-move: pulumi $(READY) ## Move the state to its copy in another region, or back (ENV REGION YES)
	@$(DR) state move $(ENV_ARG) $(if $(REGION),--region $(REGION)) $(YES_ARG)

##@ On AWS: all stacks in order

# A CLI on the path is used. Without one the pinned version is built, where Go is at hand.
PULUMI := build/pulumi/pulumi
PULUMI_MODULE := localaws/pulumi_plugins
PULUMI_PACKAGE := github.com/pulumi/pulumi
$(PULUMI): $(PULUMI_MODULE)/go.mod $(PULUMI_MODULE)/go.sum
	@command -v go >/dev/null || { echo "the Pulumi CLI is missing: https://www.pulumi.com/docs/iac/download-install/" >&2; exit 2; }
	@echo "Building the Pulumi CLI into build/pulumi (about seven minutes the first time) ..."
	@cd $(PULUMI_MODULE) && version=$$(go list -m -f '{{.Version}}' $(PULUMI_PACKAGE)/pkg/v3) \
		&& CGO_ENABLED=0 go build -tags osusergo,grpcnotrace -o ../../$@ \
		-ldflags "-s -w -X $(PULUMI_PACKAGE)/sdk/v3/go/common/version.Version=$$version" $(PULUMI_PACKAGE)/pkg/v3/cmd/pulumi

.PHONY: pulumi
pulumi: $(if $(shell sh -c 'command -v pulumi'),,$(PULUMI)) ## Build the pinned Pulumi CLI into build/pulumi if none is on the path

.PHONY: preview deploy refresh drift outputs destroy sweep
preview: pulumi $(READY) $(LAYER) $(POLICY) ## Preview a deployment (ENV LOCAL ALLOW)
	@$(DR) preview $(ENV_ARG) $(LOCAL_ARG)

deploy: pulumi $(READY) $(LAYER) $(POLICY) ## Deploy both regions in parallel, then global (ENV YES LOCAL ALLOW)
	@$(DR) deploy $(ENV_ARG) $(LOCAL_ARG) $(YES_ARG)

refresh: pulumi $(READY) $(LAYER) ## Refresh the state of all stacks from AWS (ENV YES LOCAL)
	@$(DR) refresh $(ENV_ARG) $(LOCAL_ARG) $(YES_ARG)

drift: pulumi $(READY) $(LAYER) ## List the differences between programs, state and AWS (ENV LOCAL)
	@$(DR) drift $(ENV_ARG) $(LOCAL_ARG)

outputs: pulumi $(READY) ## Print the outputs of all stacks (ENV LOCAL)
	@$(DR) outputs $(ENV_ARG) $(LOCAL_ARG)

destroy: pulumi $(READY) $(LAYER) ## Destroy global, then the regions, and list what is left (ENV YES LOCAL)
	@$(DR) destroy $(ENV_ARG) $(LOCAL_ARG) $(YES_ARG)

sweep: pulumi $(READY) ## Delete the leftovers of a destroyed environment (ENV YES)
	@$(DR) sweep $(ENV_ARG) $(YES_ARG)

##@ On AWS: a single stack

.PHONY: preview-primary preview-secondary preview-global
preview-primary preview-secondary preview-global: preview-%: pulumi $(READY) $(LAYER) $(POLICY) ## Preview a deployment of one stack (ENV EXCLUDE_REGION LOCAL ALLOW)
	@$(DR) preview $* $(ENV_ARG) $(LOCAL_ARG) $(EXCLUDE_ARG)

.PHONY: deploy-primary deploy-secondary deploy-global
deploy-primary deploy-secondary deploy-global: deploy-%: pulumi $(READY) $(LAYER) $(POLICY) ## Deploy one stack (ENV YES EXCLUDE_REGION LOCAL ALLOW)
	@$(DR) deploy $* $(ENV_ARG) $(LOCAL_ARG) $(EXCLUDE_ARG) $(YES_ARG)

.PHONY: refresh-primary refresh-secondary refresh-global
refresh-primary refresh-secondary refresh-global: refresh-%: pulumi $(READY) $(LAYER) ## Refresh the state of one stack from AWS (ENV YES LOCAL)
	@$(DR) refresh $* $(ENV_ARG) $(LOCAL_ARG) $(YES_ARG)

.PHONY: outputs-primary outputs-secondary outputs-global
outputs-primary outputs-secondary outputs-global: outputs-%: pulumi $(READY) ## Print the outputs of one stack (ENV LOCAL)
	@$(DR) outputs $* $(ENV_ARG) $(LOCAL_ARG)

.PHONY: destroy-primary destroy-secondary destroy-global
destroy-primary destroy-secondary destroy-global: destroy-%: pulumi $(READY) $(LAYER) ## Destroy one stack (ENV YES LOCAL)
	@$(DR) destroy $* $(ENV_ARG) $(LOCAL_ARG) $(YES_ARG)

##@ A deployed environment (LOCAL=1 for the one on this machine)

.PHONY: failover failback approve unfence
failover: $(READY) ## Fail over away from a region (ENV REGION MODE=planned|forced REASON YES LOCAL)
	@$(DR) failover $(ENV_ARG) $(if $(REGION),--region $(REGION)) $(if $(MODE),--mode $(MODE)) $(REASON_ARG) $(LOCAL_ARG) $(YES_ARG)

failback: $(READY) ## Fail back to the primary region (ENV REASON YES LOCAL)
	@$(DR) failback $(ENV_ARG) $(REASON_ARG) $(LOCAL_ARG) $(YES_ARG)

approve: $(READY) ## Approve or decline a failover that waits for approval (ENV DECLINE REASON YES LOCAL)
	@$(DR) approve $(ENV_ARG) $(REASON_ARG) $(if $(filter 1 true yes,$(DECLINE)),--decline) $(LOCAL_ARG) $(YES_ARG)

unfence: $(READY) ## Reactivate the writer's region after both were fenced (ENV REGION REASON YES LOCAL)
	@$(DR) unfence $(ENV_ARG) $(if $(REGION),--region $(REGION)) $(REASON_ARG) $(LOCAL_ARG) $(YES_ARG)

.PHONY: drill drill-check
drill: $(READY) ## Run a drill against a deployed environment and write the report (ENV SCENARIO YES LOCAL)
	@$(DR) drill run $(SCENARIO) $(ENV_ARG) $(LOCAL_ARG) $(YES_ARG)

drill-check: $(READY) ## Check whether each region could take over now (ENV LOCAL)
	@$(DR) drill check $(ENV_ARG) $(LOCAL_ARG)

.PHONY: audit
audit: $(READY) ## Compare the journal with the ledger, payment by payment (ENV LOCAL)
	@$(DR) audit $(ENV_ARG) $(LOCAL_ARG)

.PHONY: parameters-diff parameters-sync
parameters-diff: $(READY) ## Show the differences between the two regions' parameters (ENV LOCAL)
	@$(DR) parameters diff $(ENV_ARG) $(LOCAL_ARG)

parameters-sync: $(READY) ## Synchronize the two regions' parameters (ENV LOCAL ALLOW_DELETIONS=<number> or RESTORE=1)
	@$(DR) parameters sync $(ENV_ARG) $(LOCAL_ARG) $(if $(ALLOW_DELETIONS),--allow-deletions $(ALLOW_DELETIONS)) $(if $(filter 1 true yes,$(RESTORE)),--restore)
