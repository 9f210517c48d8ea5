# The verbs of the house. Needs python3 >= 3.11 and make; everything else is installed from the hashed lock into .venv.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
UV_COMPILE := $(BIN)/python -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)

# Installing one thing twice at once would break it, and every recipe here is quick to run in order.
.NOTPARALLEL:
.DEFAULT_GOAL := help
.PHONY: help install demo run test check bench lock needs rivals

help: ## List the verbs
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

install: $(VENV)/runtime ## Install what the office runs on into .venv

# exec: the program itself gets Ctrl-C and answers it, no shell stands in between.
demo: $(VENV)/runtime ## The whole office with a simulated day at 20 times its speed; Ctrl-C ends it
	@exec $(BIN)/junban demo

run: $(VENV)/runtime ## A practice office without the simulated day; Ctrl-C ends it
	@exec $(BIN)/junban up --practice

# A file's stories stay together, in one process and in their order; the files whose stories take longest begin
# (tests/conftest.py). WORKERS=0 runs all of it in one process, as `pytest` itself does.
WORKERS ?= auto
test: check needs ## Every check and every test, on all processors; WORKERS=0 for one process
	@$(BIN)/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder --max-worker-restart 0

check: $(VENV)/dev ## Format, lint, types, imports and the documents; below a minute
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m pytest -q tests/house

bench: $(VENV)/dev needs rivals ## The figures of tests/bench/README.md; ONLY=fanout for one part, QUICK=1 for a short run
	@ONLY="$(ONLY)" QUICK="$(QUICK)" $(BIN)/python -m tests.bench

lock: $(VENV)/made ## Make both locks again from pyproject.toml; UPGRADE=1 takes newer versions
	@$(BIN)/python -c "import uv" 2>/dev/null || $(PIP) install uv
	@$(UV_COMPILE) --extra office --extra practice --extra postgresql --group build pyproject.toml -o requirements.lock
	@$(UV_COMPILE) --extra office --extra practice --extra postgresql --group build --group dev pyproject.toml -c requirements.lock -o requirements-dev.lock

# ------------------------------------------------------------------------------------------------ what the verbs stand on

# Each mark is touched last: an interrupted installation is begun again. --no-deps: the lock is complete, and for a
# requirement with an extra (coverage[toml]) older pips look for a newer release than the locked one and refuse it.
$(VENV)/made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Junban needs Python 3.11 or newer: make PYTHON=/path/to/python3.11 …" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || { [ "$$(id -u)" = 0 ] && apt-get install -y -qq python3-venv; } \
		|| { echo "This Python cannot make a virtual environment; on Debian: apt-get install python3-venv" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
	@touch $@

$(VENV)/runtime: requirements.lock pyproject.toml | $(VENV)/made
	@echo "Installing what the office runs on (once, under a minute) …"
	@$(PIP) install --require-hashes --no-deps -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev: requirements-dev.lock $(VENV)/runtime
	@echo "Installing what checks and tests need …"
	@$(PIP) install --require-hashes --no-deps -r requirements-dev.lock
	@touch $@

# The tests need a browser, Japanese letters, a second, older server, a mail server, a database, another clock, and what
# reads the examples for a server of one's own. Never a reason to stop here: what stays missing is skipped by name later, or fails there when JUNBAN_REQUIRE_BROWSER=1.
needs: $(VENV)/dev
	@missing=""; \
	command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing="$$missing chromium"; \
	fc-list :lang=ja 2>/dev/null | grep -q . || ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1 \
		|| missing="$$missing fonts-noto-cjk"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	command -v smtpd >/dev/null || [ -x /usr/sbin/smtpd ] || missing="$$missing opensmtpd"; \
	ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing="$$missing nginx-light"; \
	command -v systemd-analyze >/dev/null || missing="$$missing systemd"; \
	ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || missing="$$missing libfaketime"; \
	if [ -z "$$missing" ]; then exit 0; fi; \
	if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing for the tests:$$missing"; \
		export DEBIAN_FRONTEND=noninteractive; \
		apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/dev/null && exit 0; \
	fi; \
	echo "!!! MISSING FOR THE TESTS:$$missing. What needs them is skipped. As root: apt-get install$$missing" >&2

# Autobahn's fuzzing client is Python 2's. Where there is one, it is installed once; where not, its test is skipped by name.
AUTOBAHN := $(VENV)/autobahn
PYTHON2 ?= $(firstword $(wildcard $(HOME)/.pyenv/versions/2.7*/bin/python2.7) $(wildcard /usr/bin/python2.7))
needs: $(if $(PYTHON2),$(AUTOBAHN)/made)
$(AUTOBAHN)/made: | $(VENV)/dev
	@echo "Installing Autobahn's fuzzing client (once, a few minutes) …"
	@$(PYTHON2) -m pip install --quiet --disable-pip-version-check --target $(AUTOBAHN) autobahntestsuite==25.10.1 \
		2>/dev/null || echo "!!! Autobahn's fuzzing client could not be installed: its test is skipped" >&2
	@mkdir -p $(AUTOBAHN) && touch $@

# What the fan-out is measured against: never a reason to stop. What is missing is left out by name.
rivals: $(VENV)/dev
	@if [ "$(ONLY)" != "" ] && [ "$(ONLY)" != fanout ]; then exit 0; fi; \
	missing=""; \
	command -v cc >/dev/null || missing="$$missing gcc libc6-dev"; \
	ls /usr/lib/nginx/modules/ngx_nchan_module.so >/dev/null 2>&1 || missing="$$missing nginx-light libnginx-mod-nchan"; \
	if [ -z "$$missing" ] || [ "$$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then exit 0; fi; \
	echo "Installing for the fan-out figures:$$missing"; \
	export DEBIAN_FRONTEND=noninteractive; \
	apt-get update -qq && apt-get install -y -qq --no-install-recommends $$missing >/dev/null \
		|| echo "!!! NOT INSTALLED:$$missing" >&2
