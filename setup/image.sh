#!/bin/sh
# Makes our layer of the image twice, in two places, time zones and umasks, compares, and starts the service out of it.
set -eu
cd "$(dirname "$0")/.."
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
mkdir -p build
.venv/bin/cyclonedx-py requirements requirements/runtime.lock --pyproject pyproject.toml --of JSON --output-reproducible \
  -o build/sbom.json 2>/dev/null
scratch=$(mktemp -d /tmp/headshotly-image.XXXXXX)
trap 'rm -rf "$scratch"' EXIT
first=$(sh container/layer.sh "$PWD/build/layer")
second=$(umask 077; TZ=Asia/Tokyo sh container/layer.sh "$scratch/elsewhere/layer")
[ "$first" = "$second" ] || { echo "The layer is another each time: $first, $second" >&2; exit 1; }
echo "layer: $first (twice the same, SOURCE_DATE_EPOCH=$SOURCE_DATE_EPOCH): build/layer.tar"
