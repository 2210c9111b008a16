#!/usr/bin/env bash
# The whole suite: set-up, checks, browser code, then pytest on four workers.
set -uo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh --tests || exit $?
# Some hundred processes are started below, and each test file is read by seven: bytecode is kept,
# whatever the machine says, and beside the source, not in it.
unset PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX=$PWD/build/pycache
status=0
beside() { # beside COMMAND… : run it in the background, and say what it said in one piece
  (log=$(mktemp); "$@" >"$log" 2>&1; code=$?; cat "$log"; rm -f "$log"; exit $code) &
}
# Neither uses a core for long, and the first tests leave room.
beside npm test --silent; npm_test=$!
beside tools/check.sh; checks=$!
# Four workers for two cores: tests that wait for processes, slots and timeouts leave one idle.
.venv/bin/pytest -q -n 4 --dist loadgroup -m "not serial and not browser" || status=1
wait $npm_test || status=1
wait $checks || status=1
# Browsers are no neighbours for what is timed, and keep an event loop in their process: by
# themselves, a file on each worker. What measures seconds runs alone. Only their files are read.
marked() { grep -rl --include="test_*.py" "mark\.$1" tests; }
mapfile -t browser < <(marked browser | grep -v '^tests/browser/')
.venv/bin/pytest -q -n 3 --dist loadgroup -m browser tests/browser "${browser[@]}" || status=1
mapfile -t serial < <(marked serial)
.venv/bin/pytest -q -m "serial and not browser" "${serial[@]}" || status=1
exit $status
