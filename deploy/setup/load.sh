#!/bin/sh
# Make .venv-load hold Locust, exactly as locked; it brings a web server of its own, which nothing else shall see.
set -eu
cd "$(dirname "$0")/../.."
stamp=".venv-load/.lineside"
wanted=$(cksum <requirements/load.txt)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit 0
fi
uv=$(sh deploy/setup/uv.sh)
[ -x .venv-load/bin/python ] || "$uv" venv --quiet --python ">=3.11" .venv-load
echo "setup: installing requirements/load.txt into .venv-load" >&2
"$uv" pip install --quiet --python .venv-load/bin/python --require-hashes -r requirements/load.txt
echo "$wanted" >"$stamp"
