#!/bin/sh
# Print the path of uv; where there is none, install it into a virtual environment of its own first.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
if command -v uv >/dev/null 2>&1; then
    command -v uv
    exit 0
fi
if [ ! -x "$here/.venv-uv/bin/uv" ]; then
    python3 -m venv "$here/.venv-uv" >&2 || {
        echo "setup: python3 with its venv module is needed (Debian: apt-get install python3-venv)" >&2
        exit 1
    }
    "$here/.venv-uv/bin/pip" install --quiet --disable-pip-version-check "uv>=0.5" >&2
fi
echo "$here/.venv-uv/bin/uv"
