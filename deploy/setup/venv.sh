#!/bin/sh
# Make .venv hold what an extra needs, exactly as locked: venv.sh EXTRA
set -eu
cd "$(dirname "$0")/../.."
extra=$1
stamp=".venv/.lineside-$extra"
wanted=$(cat "requirements/$extra.txt" pyproject.toml | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit 0
fi
uv=$(sh deploy/setup/uv.sh)
[ -x .venv/bin/python ] || "$uv" venv --quiet --python ">=3.11" .venv
echo "setup: installing requirements/$extra.txt into .venv"
"$uv" pip install --quiet --python .venv/bin/python --compile-bytecode --require-hashes -r "requirements/$extra.txt"
"$uv" pip install --quiet --python .venv/bin/python --no-deps --editable .
# A start pays for compiling what has no bytecode yet, where the environment forbids to keep it at every start.
PYTHONDONTWRITEBYTECODE='' .venv/bin/python -m compileall -q -x node_modules protocols edge_agent cloud firmware_sim deploy
echo "$wanted" >"$stamp"
