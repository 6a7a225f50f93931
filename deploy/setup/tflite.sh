#!/bin/sh
# Make .venv-tflite hold an agent with the other runtime (tflite-runtime, which needs numpy 1), exactly as locked.
set -eu
cd "$(dirname "$0")/../.."
stamp=".venv-tflite/.lineside"
wanted=$(cat requirements/edge-tflite.txt requirements/dev.txt | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit 0
fi
uv=$(sh deploy/setup/uv.sh)
"$uv" venv --quiet --clear --python 3.11 .venv-tflite # the last Python that tflite-runtime has wheels for
echo "setup: installing requirements/edge-tflite.txt into .venv-tflite"
"$uv" pip install --quiet --python .venv-tflite/bin/python --require-hashes -r requirements/edge-tflite.txt
"$uv" pip install --quiet --python .venv-tflite/bin/python --constraint requirements/dev.txt pytest
echo "$wanted" >"$stamp"
