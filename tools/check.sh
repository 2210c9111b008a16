#!/usr/bin/env bash
# Every check that is no test; each says what it found, and all run even when one fails.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=()
run() { # run NAME COMMAND…
  local name=$1; shift
  local log; log=$(mktemp)
  if "$@" >"$log" 2>&1; then echo "✓ $name"; else echo "✗ $name"; cat "$log"; failed+=("$name"); fi
  rm -f "$log"
}
bin=.venv/bin
run "format" $bin/ruff format --check -q src tests bench tools
run "lint" $bin/ruff check -q src tests bench tools
run "types" $bin/mypy
run "import contracts" $bin/lint-imports --no-cache
run "house rules" $bin/python tools/tidy.py
run "translations" $bin/python tools/translations.py
run "glossary" $bin/python tools/glossary.py
run "OpenAPI" $bin/python -m passlight.gateway.openapi --check api/openapi.json
run "browser types" npm run --silent check
if [ ${#failed[@]} -gt 0 ]; then echo "Failed: ${failed[*]}"; exit 1; fi
