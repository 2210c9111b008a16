#!/usr/bin/env bash
# The package for a server, its rules as machine code (decision 0018): build/wheel/passlight-*.whl,
# and beside it, unpacked, what a test or a measurement can run. Second run: nothing to do.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-$PWD/.venv/bin/python}
headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
if ! command -v cc >/dev/null || [ ! -f "$headers/Python.h" ]; then
  echo "A compiler or the headers of Python are missing. Install with: sudo apt-get install -y gcc libc6-dev python3-dev" >&2
  exit 2
fi
# One at a time: who comes second finds it made.
mkdir -p build
exec 9>build/wheel.lock
flock 9
sources=(pyproject.toml README.md tools/mypyc.ini policies src)
want=$("$python" -V; find "${sources[@]}" -name __pycache__ -prune -o -type f -print0 |
  sort -z | xargs -0 sha256sum | sha256sum)
if [ "$(cat build/wheel/.stamp 2>/dev/null)" = "$want" ]; then ls build/wheel/passlight-*.whl; exit 0; fi
# From a copy: what the compiler leaves beside its sources would hide every later change of them.
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
cp -r --parents "${sources[@]}" "$copy"
rm -rf build/wheel
mkdir -p build/wheel
# The locked tools, not whatever is newest today.
(cd "$copy" && HATCH_BUILD_HOOK_ENABLE_MYPYC=1 "$python" -m hatchling build --target wheel --directory "$OLDPWD/build/wheel") >build/wheel/log 2>&1 ||
  { tail -n 20 build/wheel/log >&2; exit 1; }
"$python" -m zipfile -e build/wheel/passlight-*.whl build/wheel/unpacked
echo "$want" >build/wheel/.stamp
ls build/wheel/passlight-*.whl
