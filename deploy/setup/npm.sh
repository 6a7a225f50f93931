#!/bin/sh
# Run npm on the console: the machine's, where it is new enough.
set -eu
node=$(sh "$(dirname "$0")/node.sh")
cd "$(dirname "$0")/../../cloud/console"
PATH="$node:$PATH" exec npm "$@"
