#!/bin/sh
# Build the console into cloud/console/static; what has not changed is not done again.
set -eu
cd "$(dirname "$0")/../.."
console=cloud/console
kept=build/console
mkdir -p "$kept"
sum_of() { find "$@" -type f | LC_ALL=C sort | xargs cksum | cksum; }
is_done() { [ -f "$kept/$1" ] && [ "$(cat "$kept/$1")" = "$2" ]; }
run_npm() { sh deploy/setup/npm.sh "$@" >&2; }

# The OpenAPI document: a second or more of Python, so only where a source of the cloud is another one.
spoken=$(find cloud protocols -name node_modules -prune -o -name '*.py' -print | LC_ALL=C sort | xargs cksum | cksum)
if [ ! -f build/openapi.json ] || ! is_done openapi "$spoken"; then
    .venv/bin/python -m cloud.cli openapi >"$kept/openapi.json"
    cmp -s "$kept/openapi.json" build/openapi.json || cp "$kept/openapi.json" build/openapi.json
    echo "$spoken" >"$kept/openapi"
fi

locked=$(cat "$console/package-lock.json" "$console/.npmrc" | cksum)
if [ ! -d "$console/node_modules" ] || ! is_done modules "$locked"; then
    echo "setup: installing what builds the console, as package-lock.json says" >&2
    # Not `ci`: it refuses a lock without packages for other platforms, and some registries do not carry those.
    rm -rf "$console/node_modules"
    run_npm install --no-save --loglevel=error
    echo "$locked" >"$kept/modules"
fi

typed=$(cat build/openapi.json "$console/package.json" "$console/package-lock.json" | cksum)
if [ ! -f "$console/src/api/schema.d.ts" ] || ! is_done types "$typed"; then
    run_npm run --silent types
    echo "$typed" >"$kept/types"
fi

sources=$(sum_of "$console/src" "$console/public" "$console/index.html" "$console"/*.json "$console"/*.ts)
if [ -f "$console/static/index.html" ] && is_done built "$sources"; then
    exit 0
fi
echo "setup: building the console" >&2
# Built beside and then exchanged: who reads the old one meanwhile finds all of it.
run_npm run --silent build -- --outDir ../../"$kept"/static --emptyOutDir --logLevel warn
find "$kept/static" -type f \( -name '*.js' -o -name '*.css' -o -name '*.html' -o -name '*.svg' -o -name '*.json' \) \
    -size +1k -exec gzip -9 -n -k -f {} +
rm -rf "$console/static"
mv "$kept/static" "$console/static"
echo "$sources" >"$kept/built"
