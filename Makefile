# make lab      set up everything and open JupyterLab on the first notebook (LAB_ARGS adds options)
# make notebooks  run every notebook, offline (NOTEBOOKS_ARGS=--save keeps the outputs, =07 runs one)
# make test     set up everything and run every test (PYTEST_ARGS adds options)
# make lint     style, types, layers, sizes
# make docs     the documents as a site in build/site, with warnings as errors
# make check    test, lint and docs
# make bench    measure speed and memory beside what they are compared with (BENCH_ARGS=serving measures one suite)
# make chaos    try to break it with faults, kills and several servers (CHAOS_ARGS=faults)
# make binder   do what Binder does in an environment of its own, and measure memory
# make widgets  bundle the widgets, where their sources have changed
# make clean    remove all that make made
#
# Needs only make and Python >= 3.11; PYTHON=/path/to/python picks another one than the first that fits.

CANDIDATES := python3 python3.14 python3.13 python3.12 python3.11 python
PYTHON ?= $(shell for each in $(CANDIDATES); do \
	$$each -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)
NOTEBOOK := notebooks/01_first_chat.ipynb
BIN := .venv/bin
READY := .venv/.ready
# npm and Node come with the development packages.
NPM := cd widgets && PATH="$(CURDIR)/$(BIN):$$PATH" npm
MODULES := widgets/node_modules/.package-lock.json
# JupyterLab wants a flag from root; and who is root is most likely in a container, with no browser to open.
ROOT_ARGS := $(if $(filter 0,$(shell id -u)),--allow-root --no-browser)

# Tests that measure how smoothly a view runs go one by one, after the others.
WORKERS := 2
OR_NONE := || [ $$? -eq 5 ] # one of the two may have nothing that PYTEST_ARGS asks for

.PHONY: help lab notebooks test lint docs bench chaos binder check clean widgets model browser

help:
	@sed -n 's/^# \(make\)/\1/p' Makefile

lab: $(READY) model widgets
	$(BIN)/jupyter lab --LabApp.default_url=/lab/tree/$(NOTEBOOK) $(ROOT_ARGS) $(LAB_ARGS)

notebooks: $(READY) model widgets
	@$(BIN)/python tools/run_notebooks.py $(NOTEBOOKS_ARGS)

test: $(READY) model browser widgets $(MODULES)
	$(NPM) test
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -m "not browser" $(PYTEST_ARGS) $(OR_NONE)
	$(BIN)/python -m pytest -q -n $(WORKERS) --dist loadfile -m "browser and not smooth" $(PYTEST_ARGS) $(OR_NONE)
	$(BIN)/python -m pytest -q -m smooth $(PYTEST_ARGS) $(OR_NONE)

lint: $(READY) $(MODULES)
	$(BIN)/ruff check -q .
	$(BIN)/ruff format -q --check .
	$(BIN)/mypy --no-error-summary
	$(BIN)/mypy --no-error-summary tools widgets/hatch_build.py
	$(BIN)/mypy --no-error-summary --explicit-package-bases benchmarks
	$(BIN)/lint-imports --no-logo
	$(BIN)/python tools/check_sizes.py
	$(NPM) run --silent types
	$(NPM) run --silent lint

docs: $(READY)
	$(BIN)/python tools/build_docs.py --check
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet
	@echo 'The site is in build/site: $(BIN)/python -m http.server --directory build/site'

bench: $(READY) model widgets
	@mkdir -p build
	@$(BIN)/python -m benchmarks --json build/bench.json $(BENCH_ARGS)

chaos: $(READY) model
	@$(BIN)/python -m tests.chaos $(CHAOS_ARGS)

binder: $(READY)
	@$(BIN)/python tools/try_binder.py

check: test lint docs

clean:
	rm -rf build .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	rm -rf widgets/node_modules src/agentbench/notebook/static src/agentbench/gateway/static
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

widgets: $(READY)
	@$(BIN)/python widgets/hatch_build.py

$(MODULES): widgets/package-lock.json | $(READY)
	@$(NPM) ci --prefer-offline --loglevel=error > /dev/null
	@touch $@

# Neither of these fails: the tests and the notebook say what is missing, and what to do.
model: $(READY)
	@$(BIN)/agentbench models pull || true

browser: $(READY)
	@$(BIN)/python tools/browser.py --install > /dev/null || true

$(READY): pyproject.toml tools/set_up.py
	@if [ -z "$(PYTHON)" ]; then \
		echo 'agentbench needs Python 3.11 or newer with venv (on Debian: apt install python3 python3-venv).' >&2; \
		echo 'If it is not on the PATH: make PYTHON=/path/to/python' >&2; exit 1; fi
	@$(PYTHON) tools/set_up.py
	@touch $@
