#!/bin/sh
# Makes the templates of the infrastructure offline, in an environment of their own, and checks what they say.
set -eu
cd "$(dirname "$0")/.."
command -v node >/dev/null || { echo "The templates need Node.js (Debian: apt-get install nodejs)." >&2; exit 1; }
want=$(cksum < requirements/infra.lock)
if [ "$(cat build/infra/.lock 2>/dev/null || true)" != "$want" ]; then
  .uv/bin/uv venv --quiet --clear --python .venv/bin/python build/infra
  .uv/bin/uv pip sync --quiet --require-hashes --python build/infra/bin/python requirements/infra.lock
  printf '%s' "$want" > build/infra/.lock
fi
export JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION=1 JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=1
cd infra && exec ../build/infra/bin/python -m pytest
