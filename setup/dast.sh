#!/bin/sh
# Scans the running service, on scratch data, with scanners in an environment of their own.
# Ends with 0: nothing found, 1: something found (build/findings/dast-*.sarif), 2: it could not be known.
set -eu
cd "$(dirname "$0")/.."
want=$(cksum < requirements/dast.lock)
if [ "$(cat build/dast/.lock 2>/dev/null || true)" != "$want" ]; then
  .uv/bin/uv venv --quiet --clear --python .venv/bin/python build/dast || exit 2
  .uv/bin/uv pip sync --quiet --require-hashes --python build/dast/bin/python requirements/dast.lock || exit 2
  printf '%s' "$want" > build/dast/.lock
fi
exec .venv/bin/python -u -m dast
