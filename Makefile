# The commands of this repository. `make demo` and `make test` need nothing set up before.
.PHONY: help setup demo test test-newer check fix bench wheel faults soak clean
NEWER ?= 3.13
SOAK ?= 200

help:            ## Show this list
	@grep -E '^[a-z-]+: .*##' $(MAKEFILE_LIST) | sed 's/:.*##/ —/'

setup:           ## Python packages, browser packages, scripts, fonts
	@tools/setup.sh

demo: setup      ## Run everything on a simulated district and print the logins
	@.venv/bin/passlight demo

test:            ## Set up, check, and run the whole suite
	@tools/test.sh

check:           ## Lint, types, import contracts, house rules, translations, OpenAPI
	@tools/setup.sh
	@tools/check.sh

fix:             ## Format and mend what can be mended
	@.venv/bin/ruff format src tests bench tools
	@.venv/bin/ruff check --fix src tests bench tools

test-newer:      ## Run the suite without a browser on a newer Python (NEWER=3.13)
	@tools/setup.sh
	@UV_PROJECT_ENVIRONMENT=.venv-newer UV_PYTHON_DOWNLOADS=never uv sync --frozen --all-extras --quiet --python $(NEWER)
	@.venv-newer/bin/pytest -q -n 2 --dist loadgroup -m "not serial and not browser and not fault"

bench: setup     ## Measure side by side; see docs/benchmarks.md
	@.venv/bin/python -m bench

wheel:           ## The package for a server, rules as machine code, into build/wheel
	@tools/setup.sh
	@tools/wheel.sh

faults: setup    ## The long form of the fault tests and of the two days at a hall
	@PASSLIGHT_FAULTS=long .venv/bin/pytest tests/faults tests/simulation/test_hall_days.py tests/browser/test_pages.py tests/browser/test_office_pages.py -q

soak:      ## Both evaluators on two million points, SOAK (200) odd packs, SOAK outbreaks
	@tools/setup.sh --tests
	@PASSLIGHT_SOAK=$(SOAK) .venv/bin/pytest tests/city/test_differential.py tests/city/test_odd_worlds.py -q -n 2
	@PASSLIGHT_COMPILED=yes PASSLIGHT_SOAK=$(SOAK) .venv/bin/pytest tests/city/test_differential.py -q -n 2 \
		-o pythonpath="$$(dirname $$(tools/wheel.sh))/unpacked ."
	@.venv/bin/passlight simulate --check --city --seeds $(SOAK)

clean:           ## Remove what setup and the demo made
	rm -rf .venv node_modules build .passlight src/passlight/office/static/dist
