#!/bin/sh
# Make .venv-tf hold what TensorFlow's tests need, exactly as locked.
set -eu
cd "$(dirname "$0")/../.."
stamp=".venv-tf/.lineside"
wanted=$(cat requirements/dev.txt requirements/train-tf.txt | cksum)
if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$wanted" ]; then
    exit 0
fi
uv=$(sh deploy/setup/uv.sh)
[ -x .venv-tf/bin/python ] || "$uv" venv --quiet --python ">=3.11" .venv-tf
echo "setup: installing requirements/dev.txt and requirements/train-tf.txt into .venv-tf"
"$uv" pip install --quiet --python .venv-tf/bin/python --require-hashes -r requirements/dev.txt -r requirements/train-tf.txt
echo "$wanted" >"$stamp"
