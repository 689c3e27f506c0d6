#!/bin/bash
# The gates of CI besides the tests. Each says PASS, FAIL, ERROR where it could not do its work, or NOT RUN with the reason;
# FAIL and ERROR end in failure.
set -u
cd "$(dirname "$0")/.." || exit 1
bin=.venv/bin
mkdir -p build/findings
# Each gate leaves what it found here as SARIF or CycloneDX; the scan of the running service leaves its own beside them.
found=build/findings
rm -f $found/{bandit,semgrep,secrets,licences}.sarif $found/pip-audit.cdx.json
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
  if timeout 120 $bin/pip-audit --requirement build/audited.txt --require-hashes --disable-pip --progress-spinner off \
    --format cyclonedx-json --output $found/pip-audit.cdx.json >"$log" 2>&1; then
    $bin/python setup/findings.py stamp $found/pip-audit.cdx.json
    rows+=("PASS     dependency audit")
  elif grep -qE "Found [0-9]+ known vulnerabilit" "$log"; then
    $bin/python setup/findings.py stamp $found/pip-audit.cdx.json
    cat "$log"
    rows+=("FAIL     dependency audit")
    failed=1
  else
    rm -f $found/pip-audit.cdx.json
    rows+=("NOT RUN  dependency audit: the source of advisories could not be reached")
  fi
}

scan() { # the scanners tell a finding from a scan that knows nothing
  local log=build/gate-DAST.log code=0
  echo "── DAST"
  sh setup/dast.sh >"$log" 2>&1 || code=$?
  case $code in
    0) rows+=("PASS     DAST") ;;
    1) rows+=("FAIL     DAST   (build/gate-DAST.log)") ;;
    *) rows+=("ERROR    DAST   (build/gate-DAST.log)") ;;
  esac
  [ $code = 0 ] || { tail -n 40 "$log"; failed=1; }
}

secrets() { # tests hold passwords of their own making, and formats and mappings hold hashes; there only real key material counts
  local entropy=(--disable-plugin HexHighEntropyString --disable-plugin Base64HighEntropyString
    --disable-plugin KeywordDetector --disable-plugin BasicAuthDetector)
  local files code=0
  mapfile -d '' files < <(git ls-files -z -- . ':!requirements/*.lock' ':!tests' ':!docs/formats' \
    ':!headshotly/policy/mapping.toml' ':!infra/templates' ':!.secrets.baseline')
  cp .secrets.baseline build/secrets.baseline
  $bin/detect-secrets-hook --json --baseline build/secrets.baseline "${files[@]}" > build/secrets.json || code=$?
  # 3: known entries only moved to other lines, and the copy of the baseline was written anew; that is no finding.
  { [ $code = 0 ] || [ $code = 3 ]; } && code=0
  git ls-files -z -- tests docs/formats headshotly/policy/mapping.toml infra/templates | xargs -0 $bin/detect-secrets-hook --json "${entropy[@]}" >> build/secrets.json || code=1
  # What is found is written down whether there is any or not, and the gate ends as the tools do.
  cat build/secrets.json
  $bin/python setup/findings.py secrets build/secrets.json $found/secrets.sarif && [ $code = 0 ]
}

code() { # the findings are written down whether there are any or not, and the gate ends as the tool does
  local code=0
  $bin/bandit -q -c pyproject.toml -r headshotly dast painter -f sarif -o $found/bandit.sarif || code=$?
  $bin/python setup/findings.py stamp $found/bandit.sarif && [ $code = 0 ] || { cat $found/bandit.sarif; return 1; }
}

rules() {
  local code=0
  sh setup/semgrep.sh || code=$?
  $bin/python setup/findings.py stamp $found/semgrep.sarif && [ $code = 0 ]
}

licences() { # what ships must be usable in a commercial product
  $bin/pip-licenses --format=json --packages $(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' requirements/runtime.lock) > build/licences.json
  $bin/python setup/findings.py licences build/licences.json $found/licences.sarif || return 1
  $bin/pip-licenses --partial-match --packages $(sed -n 's/^\([A-Za-z0-9._-]*\)==.*/\1/p' requirements/runtime.lock) --allow-only="MIT;BSD;Apache;PSF;Python Software Foundation;ISC;LGPL;GNU Lesser General Public License;GNU Library or Lesser General Public License;MPL;Mozilla Public License;HPND;Unlicense;0BSD;Public Domain;CC0;Zlib"
}

gate "style" $bin/ruff check .
gate "format" $bin/ruff format --check .
gate "types" $bin/mypy
gate "doors" $bin/lint-imports
gate "security of the code" code
gate "rules of our own" rules
audit
gate "secrets" secrets
gate "bill of materials" $bin/cyclonedx-py requirements requirements/runtime.lock --pyproject pyproject.toml --of JSON -o build/sbom.json
gate "licences" licences

gate "infrastructure" sh setup/infra.sh
scan

# What clause 4.1.a is judged by: which gates ran on which commit, and how each ended.
printf '%s\n' "${rows[@]}" | $bin/python setup/gates_record.py build/gates.json || failed=1

echo
printf '%s\n' "${rows[@]}"
exit $failed
