#!/bin/sh
# See to the real servers that the tests talk to: found on the PATH, else installed as root, else named and refused.
set -eu
missing=""
for pair in mosquitto:mosquitto "$@"; do
    command=${pair%%:*}
    if ! command -v "$command" >/dev/null 2>&1 && [ ! -x "/usr/sbin/$command" ]; then
        missing="$missing ${pair##*:}"
    fi
done
[ -n "$missing" ] || exit 0
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "setup: installing$missing with apt-get"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # The package starts a broker of its own where there is an init system; the tests start theirs.
    # shellcheck disable=SC2086
    apt-get install -qq -y --no-install-recommends $missing >/dev/null
    exit 0
fi
echo "setup: the tests talk to real servers and these are missing:$missing" >&2
echo "setup: install them first, for example: sudo apt-get install$missing" >&2
exit 1
