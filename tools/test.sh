#!/usr/bin/env bash
# The whole suite: set-up, checks, browser code, then pytest on three workers.
set -uo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh --tests || exit $?
status=0
# The browser's code is tested beside the checks: neither uses two cores for long.
browser=$(mktemp)
npm test --silent >"$browser" 2>&1 &
npm_test=$!
tools/check.sh || status=1
wait $npm_test || status=1
cat "$browser"; rm -f "$browser"
# Three workers for two cores: tests that wait for processes, slots and timeouts leave one idle.
.venv/bin/pytest -q -n 3 --dist loadgroup -m "not serial and not browser" || status=1
# Browsers are no neighbours for what is timed, and keep an event loop in their process: by
# themselves, a file on each worker. What measures seconds runs alone.
.venv/bin/pytest -q -n 3 --dist loadgroup -m browser || status=1
.venv/bin/pytest -q -m "serial and not browser" || status=1
exit $status
