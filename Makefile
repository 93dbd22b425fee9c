# Each target does all the set-up it needs; 'make run' is the place to begin.

# The first that runs and is new enough; a version manager may name some that do not run.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11; do \
	"$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& command -v "$$name" && break; done)
VENV := .venv
BIN := $(VENV)/bin
LOCKING := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-header

.DEFAULT_GOAL := help
.PHONY: help setup run test check bench soak figures mutants conformance lock openapi pictures \
	words clean system-packages soak-packages

help:
	@echo 'make run       open the till on a simulated shop'
	@echo 'make test      every test, with the system packages they need'
	@echo 'make check     lint, types and the quick tests'
	@echo 'make setup     only make .venv/bin/till ready'
	@echo 'make bench     the figures, each beside its peer'
	@echo 'make soak      the long campaigns in full'
	@echo 'make figures   write what the long campaigns came to'
	@echo 'make mutants   change emv/ in small wrong ways; the tests must notice'
	@echo 'make conformance  write which tests are cases of which section of the books'
	@echo 'make lock      pin the dependencies again'
	@echo 'make openapi   write the contract of the bank link again'
	@echo 'make pictures  draw the pictures of the README again'
	@echo 'make words     compile what was changed in ui/locale'
	@echo 'make clean     remove what the others made'

$(VENV)/bin/python:
	@PYTHON='$(PYTHON)' sh .ci/python-check
	@echo '[1/3] Making the environment in $(VENV)'
	@'$(PYTHON)' -m venv $(VENV)

$(VENV)/.setup: requirements.lock setup.cfg pyproject.toml | $(VENV)/bin/python
	@echo '[2/3] Installing the libraries, each checked against requirements.lock'
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on \
		--require-hashes --requirement requirements.lock \
		| sed -u -n -e 's/^Collecting \([^ ]*\).*/      \1/p' -e 's/^Installing collected packages.*/      putting them in place/p' -e '/rror/p'
	@echo '[3/3] Installing OpenTill'
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet \
		--no-deps --no-build-isolation --no-index --editable .
	@touch $@

$(VENV)/.setup-dev: requirements-dev.lock $(VENV)/.setup
	@echo 'Installing the tools for tests, each checked against requirements-dev.lock'
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet \
		--require-hashes --requirement requirements-dev.lock
	@touch $@

$(VENV)/.setup-readers: requirements-readers.lock $(VENV)/.setup-dev
	@echo 'Building the reader libraries, each checked against requirements-readers.lock'
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet \
		--require-hashes --requirement requirements-readers.lock
	@touch $@

setup: $(VENV)/.setup

run: $(VENV)/.setup
	@$(BIN)/till run

system-packages:
	@sh .ci/system-packages

soak-packages:
	@sh .ci/system-packages gdb

test: system-packages $(VENV)/.setup-readers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses 2 --dist worksteal

check: $(VENV)/.setup-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -m 'not slow and not wire' --ignore tests/scenarios --numprocesses 2

bench: system-packages $(VENV)/.setup-readers
	$(BIN)/python -m benchmarks

# Stopped, it goes on where it was; soak/ holds what passed, by commit.
soak: soak-packages $(VENV)/.setup-readers
	OPENTILL_SOAK=1 $(BIN)/python -m pytest -p tests.soak -vv --numprocesses 2 \
		tests/scenarios/test_kill.py tests/scenarios/stacks/test_tears.py \
		tests/scenarios/reliability tests/scenarios/test_earlier_release.py \
		tests/terminal/people/test_audit.py tests/terminal/bank/test_chain_ends.py \
		tests/simulators/bank/test_many_tills.py tests/drivers/test_symbols.py \
		tests/simulators/world

figures: $(VENV)/.setup-dev
	$(BIN)/python -m tests.reliability

# Stopped, it goes on where it was; mutants.jsonl holds what was tried.
mutants: $(VENV)/.setup-dev
	$(BIN)/python -m tests.mutation --processes 2

conformance: $(VENV)/.setup-dev
	$(BIN)/python -m tests.conformance

lock: $(VENV)/.setup-dev
	echo setuptools | $(LOCKING) - setup.cfg --extra bank -o requirements.lock
	echo setuptools | $(LOCKING) - setup.cfg --extra bank --extra hsm --extra push --extra dev \
		-c requirements.lock -o requirements-dev.lock
	$(LOCKING) setup.cfg --extra bank --extra hsm --extra push --extra dev \
		--extra pcsc --extra nfc -c requirements-dev.lock -o requirements-readers.lock

openapi: $(VENV)/.setup-dev
	$(BIN)/till sim bank --openapi docs/bank-link.openapi.yaml

pictures: $(VENV)/.setup-dev
	$(BIN)/python -m ui.pictures docs/pictures

words: $(VENV)/.setup-dev
	$(BIN)/python -m babel.messages.frontend compile --directory ui/locale --domain opentill

clean:
	rm -rf $(VENV) build dist *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
