#!/usr/bin/env bash
# The package for a server, its rules as machine code (decision 0018): passlight-*.whl below
# build/wheel, in a folder for each Python, and beside it, unpacked, what a test or a measurement
# can run. Second run: nothing to do. WHEEL_PYTHON: a Python with the tools in uv.lock, not .venv's.
set -euo pipefail
cd "$(dirname "$0")/.."
python=$(realpath -s "${WHEEL_PYTHON:-.venv/bin/python}")
if ! "$python" -c 'import hatchling, hatch_mypyc' 2>/dev/null; then
  echo "$python has not the tools that make the package. Run make setup, and leave WHEEL_PYTHON empty." >&2
  exit 2
fi
folder=build/wheel/$("$python" -c 'import sys; print(sys.implementation.cache_tag)')
headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
if ! command -v cc >/dev/null || [ ! -f "$headers/Python.h" ]; then
  echo "A compiler or the headers of Python are missing. Install with: sudo apt-get install -y gcc libc6-dev python3-dev (for $headers)" >&2
  exit 2
fi
# One at a time: who comes second finds it made.
mkdir -p build/wheel
exec 9>build/wheel/lock
flock 9
sources=(pyproject.toml uv.lock README.md tools/mypyc.ini tools/wheel.sh policies src)
want=$("$python" -V; find "${sources[@]}" -name __pycache__ -prune -o -type f -print0 |
  sort -z | xargs -0 sha256sum | sha256sum)
made() { ls "$folder"/passlight-*.whl 2>/dev/null; }
if [ "$(cat "$folder/.stamp" 2>/dev/null)" = "$want" ] && made; then exit 0; fi
# From a copy: what the compiler leaves beside its sources would hide every later change of them.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r --parents "${sources[@]}" "$copy"
rm -rf "$folder"
mkdir -p "$folder"
folder=$(realpath "$folder")
# The locked tools, not whatever is newest today.
(cd "$copy" && HATCH_BUILD_HOOK_ENABLE_MYPYC=1 "$python" -m hatchling build --target wheel --directory "$folder") >"$folder/log" 2>&1 ||
  { tail -n 20 "$folder/log" >&2; exit 1; }
"$python" -m zipfile -e "$folder"/passlight-*.whl "$folder/unpacked"
echo "$want" >"$folder/.stamp"
made
