#!/bin/sh
# Write requirements/*.txt: every version with its hashes, one file an extra, for all platforms at once.
set -eu
cd "$(dirname "$0")/../.."
uv=$(sh deploy/setup/uv.sh)
for extra in edge edge-tflite cloud train-tf load node sim demo dev; do
    "$uv" pip compile --quiet --universal --generate-hashes --no-annotate --python-version 3.11 \
        --custom-compile-command "make lock" --extra "$extra" --output-file "requirements/$extra.txt" "$@" pyproject.toml
done
