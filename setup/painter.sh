#!/bin/sh
# Runs the generative pipelines, tiny, in an environment of their own (about 1.3 GB; not part of CI).
# PAINTER_PYTHON: a Python, 3.11 or newer, for which TORCH can be had; TORCH: its requirements, the builds for
# your GPU, and torchvision's must be of the same kind.
# All but torch is installed by hash; torch and what only it needs come from the index that you trust for your GPU.
set -eu
cd "$(dirname "$0")/.."
python=${PAINTER_PYTHON:-$(command -v python3.11 || sh setup/find-python.sh)}
[ -n "$python" ] || { echo "The painter needs Python 3.11 or newer; name one in PAINTER_PYTHON." >&2; exit 1; }
torch=${TORCH:-torch==2.13.0 torchvision==0.28.0}
want=$(cat requirements/diffusion.lock setup/painter.sh | cksum; echo "$python $torch")
if [ "$(cat build/painter/.wanted 2>/dev/null || true)" != "$want" ]; then
  rm -rf build/painter
  "$python" -m venv build/painter
  pip="build/painter/bin/python -m pip install --quiet --disable-pip-version-check"
  # Without dependencies: the lock has them all, and torch, which accelerate asks for, comes next.
  $pip --require-hashes --no-deps --requirement requirements/diffusion.lock
  # shellcheck disable=SC2086 - two requirements
  $pip $torch pytest
  if ! build/painter/bin/python -c 'import torchvision' >/dev/null 2>&1; then
    echo "torch and torchvision were not built for each other ($(build/painter/bin/python -m pip list 2>/dev/null |
      sed -n 's/^\(torch[a-z]*\) */\1 /p' | paste -sd , -)); name a pair in TORCH." >&2
    exit 1
  fi
  printf '%s' "$want" > build/painter/.wanted
fi
PYTHONPATH=.:painter/tests exec build/painter/bin/python -m pytest -q -p no:cacheprovider -c painter/pytest.ini painter/tests
