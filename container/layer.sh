#!/bin/sh
# Makes the part of the image that is ours: packages by hash, the program, its static files and models, a bill of materials.
# The same source gives the same bytes, wherever and whenever it is made.
# Usage: container/layer.sh FOLDER   (UV, PYTHON and MODELS name the installer, an interpreter and the unpacked face models)
set -eu
cd "$(dirname "$0")/.."
out=$1
uv=${UV:-.uv/bin/uv} python=${PYTHON:-.venv/bin/python} models=${MODELS:-.models}
epoch=${SOURCE_DATE_EPOCH:?set SOURCE_DATE_EPOCH, for instance to the time of the commit: git log -1 --format=%ct}
export SOURCE_DATE_EPOCH PYTHONDONTWRITEBYTECODE=1 PYTHONHASHSEED=0 LC_ALL=C
umask 022
rm -rf "$out"
mkdir -p "$out/app/site" "$out/app/bin" "$out/app/models" "$out/data"

"$uv" pip install --quiet --require-hashes --only-binary :all: --no-compile-bytecode --link-mode copy \
  --python "$python" --target "$out/app/site" --requirement requirements/runtime.lock
# Programs of packages name the interpreter they were installed with; the service starts none of them.
rm -rf "$out/app/site/bin" "$out/app/site/.lock"
cp -R headshotly "$out/app/site/headshotly"
cp "$models"/* "$out/app/models/"
cp container/headshotly container/health "$out/app/bin/"
# Production's templates and what they were made from: the running service's checks read them.
mkdir "$out/app/infra"
cp -R infra/headshotly_infra infra/suricata infra/templates "$out/app/infra/"
# Who vouches for Amazon's databases; no public authority does.
[ -z "${RDS_CA:-}" ] || cp "$RDS_CA" "$out/app/rds-ca.pem"
chmod 755 "$out/app/bin/headshotly" "$out/app/bin/health"
find "$out" \( -name __pycache__ -o -name '*.pyc' \) -prune -exec rm -rf {} +
# What installers write about the machine they ran on.
find "$out" \( -name direct_url.json -o -name INSTALLER -o -name REQUESTED -o -name RECORD -o -name uv_cache.json \) -delete

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
PYTHONPATH="$out/app/site" HEADSHOTLY_ENVIRONMENT=staging HEADSHOTLY_DATA="$scratch/data" HEADSHOTLY_MAIL="$scratch/mail" \
  DJANGO_SETTINGS_MODULE=headshotly.frontdoor.settings \
  "$python" -P -c 'import headshotly, sys; sys.exit(not headshotly.__file__.startswith(sys.argv[1]))' "$out/app/site" ||
  { echo "The layer holds no program that starts." >&2; exit 1; }
PYTHONPATH="$out/app/site" HEADSHOTLY_ENVIRONMENT=staging HEADSHOTLY_DATA="$scratch/data" HEADSHOTLY_MAIL="$scratch/mail" \
  DJANGO_SETTINGS_MODULE=headshotly.frontdoor.settings \
  "$python" -P -m django collectstatic --noinput --verbosity 0
cp "${SBOM:-build/sbom.json}" "$out/app/sbom.json"
chmod -R u=rwX,go=rX "$out"
find "$out" -exec touch --no-dereference --date="@$epoch" {} +
tar --create --file "$out.tar" --directory "$out" --sort=name --mtime="@$epoch" --owner=0 --group=0 --numeric-owner \
  --format=posix --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime .
sha256sum "$out.tar" | cut -d ' ' -f 1
