# Everything from a fresh clone needs only Python 3.11 or newer, pip and make.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PY := .venv/bin/python
NODE_FILES := app/graphiql/node_modules/.package-lock.json

.PHONY: setup run test check bench audit schemathesis lock format

setup: .venv/.complete $(NODE_FILES)

.venv/.complete: requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m venv .venv
	$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	touch $@

# GraphiQL's files are the one thing that needs Node's npm; without it the server says so at / and works.
$(NODE_FILES): app/graphiql/package-lock.json
	@if command -v npm >/dev/null && npm ci --prefix app/graphiql --ignore-scripts --no-audit --no-fund --silent; then \
		touch $@; \
	else \
		echo "npm is not here, or could not fetch: / will say how to get GraphiQL; the API is complete."; \
	fi

run: setup
	$(PY) -m app demo
	$(PY) -m app serve

# All that the school does on SQLite, and the core of it on a PostgreSQL that the run starts itself.
test: setup
	$(PY) -m pytest -q -n auto --quick
	$(PY) -m pytest -q -n auto --engine=postgresql --core

check: setup
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	.venv/bin/lint-imports
	$(PY) -m pytest -q -n auto
	$(PY) -m pytest -q -n auto --engine=postgresql

bench: setup
	$(PY) -m benchmarks

# Known holes in what the program is made of. Not part of check: it asks databases that are not reachable everywhere,
# and fails where they are not.
audit: var/audit/.complete
	@status=0; \
	var/audit/bin/pip-audit --requirement requirements.lock --require-hashes --disable-pip --strict \
		--progress-spinner off || status=1; \
	for place in app/graphiql tests/graphql_http; do npm audit --prefix $$place || status=1; done; \
	exit $$status

# Ten thousand operations that strangers might think of, on a server of its own. Not part of check: it takes minutes, and
# an environment of its own.
schemathesis: setup var/schemathesis/.complete
	var/schemathesis/bin/python -m tests.schemathesis

var/schemathesis/.complete: tests/schemathesis/requirements.lock
	$(PYTHON) -m venv var/schemathesis
	var/schemathesis/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	touch $@

var/audit/.complete:
	$(PYTHON) -m venv var/audit
	var/audit/bin/python -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	touch $@

format: setup
	$(PY) -m ruff format .
	$(PY) -m ruff check --fix .

# For maintainers, with uv on the PATH: every pin and its hashes, no addresses.
lock:
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-header --quiet \
		--group dev pyproject.toml -o requirements.lock
	uv pip compile --universal --generate-hashes --python-version 3.11 --no-header --quiet \
		tests/schemathesis/requirements.in -o tests/schemathesis/requirements.lock
