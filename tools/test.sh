#!/usr/bin/env bash
# The whole suite: set-up, checks, browser code, then pytest on two workers.
set -uo pipefail
cd "$(dirname "$0")/.."
tools/setup.sh --tests || exit $?
status=0
tools/check.sh || status=1
npm test --silent || status=1
# Tests marked serial time real processes, so they run by themselves.
.venv/bin/pytest -q -n 2 --dist loadgroup -m "not serial" || status=1
.venv/bin/pytest -q -m serial
code=$?
[ $code -eq 0 ] || [ $code -eq 5 ] || status=1
exit $status
