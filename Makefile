# make help says what there is to do. Everything is made in .venv and in the cache; the machine stays as it was.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

# lab (the default), or kubeconfig: the read-only part on the cluster of CONTEXT in KUBECONFIG.
CLUSTER ?=
CONTEXT ?=
ARGS ?=

VENV := .venv
PYTHON_HERE := $(VENV)/bin/python
UV := $(VENV)/bin/uv
READY := $(VENV)/.ready
BOOTSTRAP := fixtures/clusters/lab/supply/bootstrap.sh

on_lab := $(filter lab,$(or $(CLUSTER),lab))

.PHONY: help keda setup run chaos load test nightly lint clean supply
help:
	@printf '%s\n' \
	'make run      an HA cluster comes up on this machine, is audited, broken, measured and reported on (Linux, root)' \
	'make run CLUSTER=kubeconfig [CONTEXT=NAME] [KUBECONFIG=FILE]' \
	'              the read-only part on a cluster you have; needs neither root nor Linux' \
	'make chaos    every fault there is, on the lab: the complete set of the recovery suite (up to 45 minutes)' \
	'make load     the lab again, loaded: scaling, rolling updates, overload (15 minutes at the most)' \
	'make test     lint, the tests that need no cluster, then those on the lab' \
	'make nightly  the long tests on the lab that make test leaves out: load, and recoveries that must fail' \
	'make setup    prepare everything, run nothing; the program is then .venv/bin/evenkeel' \
	'make lint     ruff and mypy' \
	'make clean    remove .venv and what tools left here; with CACHE=1 also the lab, if one is up, and what was built' \
	'' \
	'ARGS="…" passes options on: to evenkeel in make run, chaos and load, to pytest in make test.' \
	'The first make builds the cluster'"'"'s binaries where they cannot be downloaded: 10 minutes and more on 2 cores.' \
	'They are kept in $${EVENKEEL_CACHE:-$${XDG_CACHE_HOME:-~/.cache}/evenkeel}, so that later ones take seconds.'

# The virtual environment, exactly as locked.
$(VENV)/.bootstrapped: requirements-uv.lock $(BOOTSTRAP)
	@echo "making $(VENV)" >&2
	@$(BOOTSTRAP) $(VENV)
	@touch $@

$(READY): $(VENV)/.bootstrapped requirements.lock pyproject.toml
	@echo "filling $(VENV) from requirements.lock" >&2
	@$(UV) pip sync --quiet --require-hashes --python $(PYTHON_HERE) requirements.lock
	@$(UV) pip install --quiet --no-deps --no-build-isolation --python $(PYTHON_HERE) --editable .
	@touch $@

# What the lab is made of. Where it can't run, setup and test say so and go on (not under CI=true), the others do not.
supply_options := --where-possible
run chaos load: supply_options :=
supply: $(READY)
	@$(PYTHON_HERE) -m fixtures.clusters.lab.supply $(supply_options)

setup: $(READY) supply

# An autoscaler by any metric, for ELA-03 and ELA-07: ten minutes of building that not everybody wants.
keda: supply
	@$(PYTHON_HERE) -m fixtures.clusters.lab.supply --extra keda

run: $(READY) $(if $(on_lab),supply)
	@$(VENV)/bin/evenkeel run $(if $(on_lab),--cluster lab --allow-disruption,--cluster '$(CLUSTER)') \
	$(if $(CONTEXT),--context '$(CONTEXT)') $(if $(on_lab),,$(if $(KUBECONFIG),--kubeconfig '$(KUBECONFIG)')) $(ARGS)

chaos: $(READY) supply
	@$(VENV)/bin/evenkeel run --cluster lab --allow-disruption --set complete --controls REC $(ARGS)

load: $(READY) supply
	@$(VENV)/bin/evenkeel run --cluster lab --allow-disruption --set complete --controls ELA $(ARGS)

lint: $(READY)
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

test: setup lint
	$(PYTHON_HERE) -m pytest tests -m "not lab and not nightly" $(ARGS)
	$(PYTHON_HERE) -m pytest tests -m "lab and not nightly" $(ARGS)

# What takes long on the lab, or needs a machine that does nothing else: load tests, and recoveries that must fail.
nightly: setup
	$(PYTHON_HERE) -m pytest tests -m nightly $(ARGS)

# The lab belongs to the machine and may be in use from another checkout: it is taken down only with the cache it
# stands on, and only when it stands on this one (`lab down` ends any lab of the machine).
clean:
ifeq ($(CACHE),1)
	@if [ -x $(VENV)/bin/evenkeel ] && $(VENV)/bin/evenkeel lab status >/dev/null 2>&1; then $(VENV)/bin/evenkeel lab down; fi
	@if [ -x $(PYTHON_HERE) ]; then $(PYTHON_HERE) -m fixtures.clusters.lab.supply --remove; fi
endif
	@rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
