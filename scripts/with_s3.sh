#!/usr/bin/env bash
# Runs a command beside a throw-away server that speaks S3 (moto), on the loopback interface.
#
# usage: with_s3.sh COMMAND [ARGUMENT …]
#
# The command finds the address in TRIBUTARY_TEST_S3. The server lives in a Python environment of its own, .venv-s3.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

[ $# -gt 0 ] || { sed -n '2,6p' "$0" >&2; exit 2; }

environment="$here/.venv-s3"
if [ ! -x "$environment/bin/moto_server" ]; then
    python3 -m venv "$environment"
    "$environment/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/integration/requirements-s3.txt"
fi

log=$(mktemp "${TMPDIR:-/tmp}/tributary-s3.XXXXXX")
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$environment/bin/moto_server" -H 127.0.0.1 -p "$port" >"$log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; rm -f "$log"' EXIT

export TRIBUTARY_TEST_S3="http://127.0.0.1:$port"
for _ in $(seq 200); do
    if python3 -c "import urllib.request; urllib.request.urlopen('$TRIBUTARY_TEST_S3/moto-api/', timeout=2)" 2>/dev/null; then
        "$@"
        exit
    fi
    sleep 0.1
done
cat "$log" >&2
exit 1
