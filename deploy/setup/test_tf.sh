#!/bin/sh
# Run the tests of what TensorFlow trains, in an environment of its own: .venv-tf
set -eu
cd "$(dirname "$0")/../.."
stamp=".venv-tf/.lineside"
wanted=$(cat requirements/dev.txt requirements/train-tf.txt | cksum)
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
    uv=$(sh deploy/setup/uv.sh)
    [ -x .venv-tf/bin/python ] || "$uv" venv --quiet --python ">=3.11" .venv-tf
    echo "setup: installing requirements/dev.txt and requirements/train-tf.txt into .venv-tf"
    "$uv" pip install --quiet --python .venv-tf/bin/python --require-hashes \
        -r requirements/dev.txt -r requirements/train-tf.txt
    echo "$wanted" >"$stamp"
fi
.venv-tf/bin/python -m pytest tests/contracts/test_algorithm.py -k convolutional "$@"
