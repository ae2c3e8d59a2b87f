# Everything a person or the CI runs. `make` alone lists it.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
STAMP := $(VENV)/.installed
# The first of these that is 3.11 or newer and can make a virtual environment is used.
PYTHONS := python3.11 python3.12 python3.13 python3 python
SYLLABUS_HOME ?= var
PYTEST_ARGS ?=

CALLERS_PATH := $(PATH)
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help install demo run test test-slow coverage check bench catalogue lock format clean

help:  ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP)  ## create .venv with what requirements.lock pins; instant when nothing changed

$(STAMP): requirements.lock pyproject.toml
	@test -x $(VENV)/bin/python || for candidate in $(PYTHONS); do \
		"$$candidate" -c 'import ensurepip, sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
		echo "Creating $(VENV) with $$("$$candidate" --version)"; \
		"$$candidate" -m venv $(VENV) && break; \
	done
	@test -x $(VENV)/bin/python || { \
		echo "Python 3.11 or newer with its venv module is needed (tried: $(PYTHONS))." >&2; exit 1; }
	@echo "Installing requirements.lock into $(VENV); the first time this takes a minute or two"
	@python -m pip install --quiet --quiet --requirement requirements.lock
	@python -m pip install --quiet --quiet --no-deps --editable .
	@touch $@

demo: install  ## the main job, start to end: upload, train, evaluate, export, predict
	@# It ends with commands to try, which must be found on the path of the shell that called make.
	@PATH="$(CALLERS_PATH)" $(VENV)/bin/python -m client.demo

run: install  ## start the embedded stack and stay; PORT=8000 and SYLLABUS_HOME=var are the defaults
	@python -m api --check
	@mkdir -p "$(SYLLABUS_HOME)"
	@SYLLABUS_HOME="$(SYLLABUS_HOME)" python -m workers.init
	@test "$$(id -u)" != 0 || as_root='-u root'; SYLLABUS_HOME="$(SYLLABUS_HOME)" exec supervisord -n -c stack.ini $$as_root

test: install  ## the tests that take seconds, on SQLite and PostgreSQL
	@echo "Without the slow tests (full-size data, repeated kills): make test-slow runs those."
	@python -m pytest -m "not slow" -n 2 --dist loadfile $(PYTEST_ARGS)

test-slow: install  ## the tests that take minutes; the CI runs them too
	@python -m pytest -m slow --timeout 1800 $(PYTEST_ARGS)

coverage: install  ## the quick tests again, with the lines and branches they miss
	@python -m pytest -m "not slow" --cov --cov-report term-missing $(PYTEST_ARGS)

check: install  ## style, types, the rooms' borders and the freshness of the catalogue
	@ruff check .
	@ruff format --check .
	@mypy
	@lint-imports
	@python -m models catalogue --check

bench: install  ## the measurements of docs/benchmarks.md
	@python -m benchmarks

catalogue: install  ## write models/catalogue.json again from the registry
	@python -m models catalogue --write

lock:  ## resolve the requirements anew in a throw-away environment and pin what they give
	@rm -rf build/lock && mkdir -p build && "$(firstword $(PYTHONS))" -m venv build/lock
	@build/lock/bin/python -m pip install --quiet --quiet -r requirements.txt -r requirements-dev.txt
	@build/lock/bin/python -m pip check
	@{ sed -n '/^#/p;/python_full_version/p' requirements.lock; build/lock/bin/python -m pip freeze \
		| grep -v -i -E '^(nvidia|cuda|triton==)' | sed 's/+[a-z0-9.]*$$//'; } > build/requirements.lock
	@mv build/requirements.lock requirements.lock && rm -rf build/lock

format: install  ## apply the style
	@ruff check --fix .
	@ruff format .

clean:  ## remove what was built here; .venv and var stay
	@rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .schemathesis .import_linter_cache .coverage .coverage.*
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
