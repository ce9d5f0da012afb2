# make install   create .venv from the lock files
# make run       install, start the service on 127.0.0.1:8000 and show a sample patient's cards
# make test      install and run everything that must pass
# make fast      what to run before each commit: static checks, clinical cases, facts, oracle, engine (below a minute)
# make openapi   write the published interface again
# make pages     write the generated pages of docs/ again
# make site      build the site of the documents into build/site
# make web       build the page of web/ into app/_static again (needs Node.js 20.19 or newer)
# make lock      resolve the dependencies again (needs uv in .venv)
# make format    put the code into its canonical form

# The first interpreter that is new enough; another one: make PYTHON=/path/to/python install
PYTHON ?= $(shell for p in python3.11 python3 python3.12 python3.13; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo "$$p"; break; }; done)
HOST ?= 127.0.0.1
PORT ?= 8000

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
RUNTIME := $(VENV)/.installed-runtime
DEV := $(VENV)/.installed-dev

.PHONY: install run fast test test-fhir-full openapi lock format clean pages web site
.DEFAULT_GOAL := install

install: $(RUNTIME)

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed (make PYTHON=/path/to/python install)" >&2; exit 1; }
	@echo "Creating $(VENV) with $(PYTHON)"
	@"$(PYTHON)" -m venv $(VENV)

# Stamp files: nothing is done again until a lock file changes.
$(RUNTIME): requirements.lock requirements-build.lock pyproject.toml | $(BIN)/python
	@echo "Installing the locked packages"
	@$(PIP) install --require-hashes -r requirements.lock -r requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(DEV): requirements-dev.lock $(RUNTIME)
	@echo "Installing the locked packages for tests"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

run: $(RUNTIME)
	@exec $(BIN)/osteon demo --serve --host $(HOST) --port $(PORT)

test: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n auto --maxprocesses 4 --dist worksteal

fast: $(DEV)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest -q tests/clinical/test_cases.py tests/facts tests/oracle tests/unit/engine

# The validators that need environments of their own, too
test-fhir-full: $(DEV)
	$(BIN)/python -m tests.fhir.build_validators
	$(BIN)/pytest tests/fhir

openapi: $(DEV)
	$(BIN)/osteon openapi

pages: $(DEV)
	$(BIN)/python -m app.docgen.coverage docs/coverage.md
	$(BIN)/python -m app.docgen.guideline_schema docs/guideline.schema.json docs/drug.schema.json docs/locale.schema.json docs/overlay.schema.json docs/review.schema.json
	$(BIN)/python -m app.docgen.data docs/data.md
	$(BIN)/python -m app.docgen.wire docs/what-is-read.md
	$(BIN)/python -m app.docgen.safety
	$(BIN)/python -m app.docgen.hooks
	$(BIN)/python -m app.docgen.features
	$(BIN)/python -m app.docgen.settings > docs/configuration.md

# The documents as a site, one folder for each version: build/site/index.html goes to the newest
site: VERSION = $(shell $(BIN)/python -c 'import app; print(app.__version__)')
site: $(DEV)
	$(BIN)/python -m sphinx -q -W -b html docs build/site/$(VERSION)
	@{ printf '<!doctype html><meta charset="utf-8"><title>Osteon</title><meta http-equiv="refresh" content="0; url=$(VERSION)/">'; \
		for d in $$(ls build/site); do test -d "build/site/$$d" && printf '<p><a href="%s/">%s</a>' "$$d" "$$d"; done; echo; \
		} > build/site/index.html
	@echo build/site/index.html

web: web/node_modules/.package-lock.json
	npm --prefix web run build

web/node_modules/.package-lock.json: web/package-lock.json
	npm --prefix web ci --no-audit --no-fund
	@touch $@

format: $(DEV)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

LOCK := $(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --extra redis
lock:
	$(LOCK) --output-file requirements.lock
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes --no-header \
		--group build --output-file requirements-build.lock
	$(LOCK) --extra screen --group dev --constraint requirements.lock --output-file requirements-dev.lock

clean:
	rm -rf $(VENV) build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

# make instructions   instructions per call within 3 % of tests/bench/instructions.json (needs valgrind)
.PHONY: instructions
instructions: $(DEV)
	$(BIN)/python -m tests.bench.instructions --check

# Delivery and long runs: tools of their own in .venv-deploy (deploy/tools.lock), nothing of them in the service
#   make chart     lint the Helm chart, render it, compare it with the schemas of Kubernetes; lint Dockerfile and scripts
#   make image     build the image, start it, check it (docker, podman, or buildah as root)
#   make sbom      write the bill of materials and the list of licences
#   make soak      mixed traffic for 30 minutes (SECONDS=60 for another time); memory must stay flat
#   make guards    take out one guard of docs/security.md after the other; each time a test must fail (10 minutes)
#   make mutation  a sample of mutants of the guideline data, drawn by the commit (SAMPLE=300 for another number)
#   make nightly   soak, a long fuzz run, the guards, engine against oracle, every mutant
.PHONY: chart image sbom soak guards mutation nightly
DEPLOY_BIN := .venv-deploy/bin
DEPLOY_TOOLS := .venv-deploy/.installed
SECONDS ?= 1800
CHARTS ?= 100000
SAMPLE ?= 500

$(DEPLOY_TOOLS): deploy/tools.lock | $(BIN)/python
	@echo "Installing the tools of deploy/ into .venv-deploy"
	@$(BIN)/python -m venv .venv-deploy
	@$(DEPLOY_BIN)/python -m pip --disable-pip-version-check --quiet install --require-hashes --only-binary :all: -r $<
	@touch $@

chart: $(DEPLOY_TOOLS)
	$(DEPLOY_BIN)/python deploy/chart.py check
	$(DEPLOY_BIN)/hadolint Dockerfile
	$(DEPLOY_BIN)/shellcheck deploy/*.sh

image:
	deploy/build-image.sh

sbom: $(DEPLOY_TOOLS) $(RUNTIME)
	deploy/sbom.sh

soak: $(DEV)
	SOAK_SECONDS=$(SECONDS) $(BIN)/pytest -s tests/e2e/test_soak.py

guards: $(DEV)
	$(BIN)/python -m tests.guards

mutation: $(DEV)
	$(BIN)/python -m tests.mutation --sample $(SAMPLE)

nightly: soak guards
	$(BIN)/python -m tests.fuzz --charts $(CHARTS)
	ADVERSARIAL_TEXTS=60000 $(BIN)/pytest -q tests/growth/test_texts.py
	$(BIN)/python -m tests.oracle --sets $(CHARTS)
	$(BIN)/python -m tests.mutation
	$(BIN)/python -m tests.mutation --tables
