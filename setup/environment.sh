#!/bin/sh
# Makes .venv exactly as the locks say, and unpacks the face models. Run again, it does only what has changed.
# Usage: setup/environment.sh [--dev]
set -eu
cd "$(dirname "$0")/.."
say() { printf '%s\n' "$*" >&2; }
fail() { say "Set-up stopped: $*"; exit 1; }

locks="requirements/runtime.lock requirements/build.lock"
if [ "${1:-}" = "--dev" ] || [ -f .venv/.dev ]; then locks="$locks requirements/dev.lock"; fi
# shellcheck disable=SC2086 # a list of file names without spaces
want=$(cat $locks requirements/uv.lock requirements/models.lock pyproject.toml setup/environment.sh | cksum)
[ -x .venv/bin/headshotly ] && [ -f .models/manifest.json ] && [ "$(cat .venv/.locks 2>/dev/null || true)" = "$want" ] && exit 0

if [ ! -x .uv/bin/uv ] || [ "$(cat .uv/.lock 2>/dev/null || true)" != "$(cksum < requirements/uv.lock)" ]; then
  say "1/4 Fetching the installer (uv) …"
  any=$(command -v python3 || true)
  [ -n "$any" ] || any=$(sh setup/find-python.sh)
  [ -n "$any" ] || fail "there is no python3; install Python 3.12 or newer (Debian: apt-get install python3 python3-venv)."
  rm -rf .uv
  "$any" -m venv .uv >/dev/null 2>&1 || fail "$any cannot make a virtual environment; install its venv module (Debian: apt-get install python3-venv)."
  .uv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --only-binary :all: \
    --requirement requirements/uv.lock 2>.uv/error || { cat .uv/error >&2; fail "the installer could not be fetched."; }
  cksum < requirements/uv.lock > .uv/.lock
fi

python=$(sh setup/find-python.sh)
if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 12))' 2>/dev/null; then
  say "2/4 Making .venv with ${python:-a Python that uv brings} …"
  .uv/bin/uv venv --quiet --clear --python "${python:-3.13}" .venv ||
    fail "no Python 3.12 or newer was found, and none could be fetched; install one (Debian 13: apt-get install python3)."
fi
say "3/4 Installing what the locks name …"
# shellcheck disable=SC2086
.uv/bin/uv pip sync --quiet --require-hashes --python .venv/bin/python $locks || fail "the packages could not be installed."
.uv/bin/uv pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python --editable . ||
  fail "HeadShotly itself could not be installed."
say "4/4 Unpacking the face models …"
.venv/bin/headshotly setup models
if [ "$locks" != "${locks% requirements/dev.lock}" ]; then touch .venv/.dev; fi
printf '%s' "$want" > .venv/.locks
say "Set-up is done."
