# The commands of this repository. `make demo` and `make test` need nothing set up before.
.PHONY: help setup demo test check fix bench faults clean

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

bench: setup     ## Measure side by side; see docs/benchmarks.md
	@.venv/bin/python -m bench

faults: setup    ## The long form of the fault tests
	@PASSLIGHT_FAULTS=long .venv/bin/pytest tests/faults -q

clean:           ## Remove what setup and the demo made
	rm -rf .venv node_modules build .passlight src/passlight/office/static/dist
