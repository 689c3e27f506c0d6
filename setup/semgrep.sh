#!/bin/sh
# Runs our own Semgrep rules over the code, offline, in an environment of their own: first over what each must find and must
# not, then over everything. Findings go to build/findings/semgrep.sarif; ends with 1 where there are any.
set -eu
cd "$(dirname "$0")/.."
want=$(cksum < requirements/semgrep.lock)
if [ "$(cat build/semgrep/.lock 2>/dev/null || true)" != "$want" ]; then
  .uv/bin/uv venv --quiet --clear --python .venv/bin/python build/semgrep
  .uv/bin/uv pip sync --quiet --require-hashes --python build/semgrep/bin/python requirements/semgrep.lock
  printf '%s' "$want" > build/semgrep/.lock
fi
export PATH="$PWD/build/semgrep/bin:$PATH" SEMGREP_SEND_METRICS=off SEMGREP_ENABLE_VERSION_CHECK=0
mkdir -p build/findings
semgrep --test --quiet --metrics off --disable-version-check --config setup/semgrep setup/semgrep
# Tests are no part of the service; the examples beside the rules break them on purpose.
exec semgrep scan --quiet --error --metrics off --disable-version-check --jobs 2 --exclude setup/semgrep \
  --config setup/semgrep --sarif-output build/findings/semgrep.sarif headshotly painter dast setup
