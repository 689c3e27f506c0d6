#!/bin/sh
# Prints the path of a Python that can run HeadShotly (3.12 or newer, with SQLite and TLS), preferring 3.13.
# Looks on the PATH and where version managers keep theirs off it. Prints nothing when there is none.
set -u
suits() {
  [ -x "$1" ] && "$1" -c 'import sys, ssl, sqlite3, venv
sys.exit(not (3, 12) <= sys.version_info[:2] <= (3, 14) or sqlite3.sqlite_version_info < (3, 37))' >/dev/null 2>&1
}
for version in 3.13 3.12 3.14; do
  for candidate in \
    "$(command -v "python$version" 2>/dev/null)" \
    "${PYENV_ROOT:-$HOME/.pyenv}"/versions/"$version"*/bin/python3 \
    "$HOME"/.asdf/installs/python/"$version"*/bin/python3 \
    "$HOME"/.local/share/mise/installs/python/"$version"*/bin/python3 \
    "$HOME"/.local/share/uv/python/cpython-"$version"*/bin/python3 \
    /usr/local/bin/python$version /usr/bin/python$version /opt/homebrew/bin/python$version \
    /opt/local/bin/python$version /opt/python/cp3${version#3.}-cp3${version#3.}/bin/python3 \
    /opt/python*/bin/python$version "$HOME"/miniconda3/bin/python$version "$HOME"/anaconda3/bin/python$version \
    /opt/conda/bin/python$version
  do
    [ -n "$candidate" ] && suits "$candidate" && { echo "$candidate"; exit 0; }
  done
done
exit 0
