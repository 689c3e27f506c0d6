#!/bin/bash
# The gates of CI besides the tests. Each says PASS, FAIL, or NOT RUN with the reason; only FAIL ends in failure.
set -u
cd "$(dirname "$0")/.." || exit 1
bin=.venv/bin
mkdir -p build
rows=()
failed=0

gate() { # name, command…
  local name=$1 log
  shift
  log=build/gate-${name// /-}.log
  echo "── $name"
  if "$@" >"$log" 2>&1; then
    rows+=("PASS     $name")
  else
    tail -n 40 "$log"
    rows+=("FAIL     $name   (build/$(basename "$log"))")
    failed=1
  fi
}

audit() { # the advisory source may be out of reach; that is said, and is no pass
  local log=build/gate-dependency-audit.log
  echo "── dependency audit"
  cat requirements/runtime.lock > build/audited.txt
  if timeout 120 $bin/pip-audit --requirement build/audited.txt --require-hashes --disable-pip --progress-spinner off >"$log" 2>&1; then
    rows+=("PASS     dependency audit")
  elif grep -qE "Found [0-9]+ known vulnerabilit" "$log"; then
    cat "$log"
    rows+=("FAIL     dependency audit")
    failed=1
  else
    rows+=("NOT RUN  dependency audit: the source of advisories could not be reached")
  fi
}

secrets() { # tests hold passwords of their own making, and formats and mappings hold hashes; there only real key material counts
  local entropy=(--disable-plugin HexHighEntropyString --disable-plugin Base64HighEntropyString
    --disable-plugin KeywordDetector --disable-plugin BasicAuthDetector)
  git ls-files -z -- . ':!requirements/*.lock' ':!tests' ':!docs/formats' ':!headshotly/policy/mapping.toml' ':!infra/templates' |
    xargs -0 $bin/detect-secrets-hook --baseline .secrets.baseline &&
    git ls-files -z -- tests docs/formats headshotly/policy/mapping.toml infra/templates | xargs -0 $bin/detect-secrets-hook "${entropy[@]}"
}

licences() { # what ships must be usable in a commercial product
  $bin/pip-licenses --format=plain --packages $(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' requirements/runtime.lock) > build/licences.txt
  $bin/pip-licenses --partial-match --packages $(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' requirements/runtime.lock) --allow-only="MIT;BSD;Apache;PSF;Python Software Foundation;ISC;LGPL;GNU Lesser General Public License;GNU Library or Lesser General Public License;MPL;Mozilla Public License;HPND;Unlicense;0BSD;Public Domain;CC0;Zlib"
}

gate "style" $bin/ruff check .
gate "format" $bin/ruff format --check .
gate "types" $bin/mypy
gate "doors" $bin/lint-imports
gate "security of the code" $bin/bandit -q -c pyproject.toml -r headshotly
audit
gate "secrets" secrets
gate "bill of materials" $bin/cyclonedx-py requirements requirements/runtime.lock --pyproject pyproject.toml --of JSON -o build/sbom.json
gate "licences" licences

gate "infrastructure" sh setup/infra.sh

# What clause 4.1.a is judged by: which gates ran on which commit, and how each ended.
printf '%s\n' "${rows[@]}" | $bin/python setup/gates_record.py build/gates.json || failed=1

echo
printf '%s\n' "${rows[@]}"
exit $failed
