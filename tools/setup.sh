#!/usr/bin/env bash
# Set up everything on a fresh Debian-like machine; a second run takes a second or two.
#   tools/setup.sh           what `make demo` needs
#   tools/setup.sh --tests   and a browser with Chinese fonts for the tests, and a compiler
# PYTHON=/path/to/python3 chooses another Python than the distribution's.
set -euo pipefail
cd "$(dirname "$0")/.."
tests=no
[ "${1:-}" = "--tests" ] && tests=yes

say() { printf '\033[1m%s\033[0m\n' "· $*"; }
need() { # need PACKAGE… : install with apt when root, else name the exact command
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "Installing $* (apt)"
    if ! DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/tmp/passlight-apt.log 2>&1; then
      apt-get update -qq >/dev/null
      DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/tmp/passlight-apt.log 2>&1 ||
        { tail -n 5 /tmp/passlight-apt.log >&2; return 1; }
    fi
  else
    echo "Missing: $*. Install with: sudo apt-get install -y $*" >&2
    return 1
  fi
}

# The distribution's own first: it gets the distribution's security updates, and is built with
# profile-guided optimisation, a fifth faster than one compiled at home without.
python=""
for candidate in "${PYTHON:-}" /usr/bin/python3 python3 python3.13 python3.12 python3.11; do
  [ -n "$candidate" ] && command -v "$candidate" >/dev/null || continue
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then python="$candidate"; break; fi
done
[ -n "$python" ] || { echo "Passlight needs Python 3.11 or newer. Install with: sudo apt-get install -y python3" >&2; exit 2; }

stamp() { cat "$@" | sha256sum | cut -d' ' -f1; }

# Python: uv from PyPI, then the locked packages.
want=$("$python" -c 'import sys; print(sys.version, sys.base_prefix)'; stamp pyproject.toml uv.lock)
if [ "$(cat .venv/.setup-stamp 2>/dev/null)" != "$want" ]; then
  uv=$(command -v uv || true)
  if [ -z "$uv" ]; then
    if [ ! -x build/uv/bin/uv ]; then
      say "Installing uv"
      "$python" -m venv build/uv 2>/dev/null || { need python3-venv; "$python" -m venv build/uv; }
      build/uv/bin/pip install --quiet --disable-pip-version-check uv
    fi
    uv=build/uv/bin/uv
  fi
  say "Installing Python packages (uv)"
  # The system's certificates: an office network may have its own.
  UV_PYTHON_DOWNLOADS=never UV_SYSTEM_CERTS=1 "$uv" sync --frozen --all-extras --python "$python" --quiet
  echo "$want" > .venv/.setup-stamp
fi

# Browser code: npm packages, then the bundles.
if ! command -v node >/dev/null || [ "$(node -p 'process.versions.node.split(".")[0]')" -lt 20 ]; then
  need nodejs npm || exit 2
fi
want=$(stamp package.json package-lock.json)
if [ "$(cat node_modules/.setup-stamp 2>/dev/null)" != "$want" ]; then
  say "Installing browser packages (npm)"
  npm ci --no-fund --no-audit --loglevel=error
  echo "$want" > node_modules/.setup-stamp
fi
want=$(find web src/passlight/office/static -path '*/dist/*' -prune -o -type f -print0 | sort -z | xargs -0 cat package.json | sha256sum)
if [ "$(cat src/passlight/office/static/dist/.setup-stamp 2>/dev/null)" != "$want" ]; then
  say "Building the pages' scripts"
  npm run --silent build
  echo "$want" > src/passlight/office/static/dist/.setup-stamp
fi

# Java for the Spark engine; everything else runs without it.
if ! command -v java >/dev/null; then
  need openjdk-17-jre-headless || echo "The Spark engine will not be available until then; DuckDB is." >&2
fi

# Chinese fonts: posters need one; without it the demo runs and says what is missing.
if ! fc-list :lang=zh 2>/dev/null | grep -q .; then
  need fontconfig fonts-noto-cjk || echo "Posters (PDF) will not be available until then." >&2
fi
if [ "$tests" = yes ]; then
  command -v chromium >/dev/null || need chromium || exit 2
  # A real broker and a real camera path for the tests of the gate.
  [ -x /usr/sbin/mosquitto ] || command -v mosquitto >/dev/null || need mosquitto || exit 2
  command -v ffmpeg >/dev/null || need ffmpeg || exit 2
  # The package for a server is compiled.
  command -v cc >/dev/null || need gcc libc6-dev || missing=yes
  headers=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')
  [ -f "$headers/Python.h" ] || need "python$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-dev" || missing=yes
  [ -z "${missing:-}" ] || echo "The compiled package (make wheel) cannot be made until then." >&2
fi
