#!/usr/bin/env bash
# Kills the server at random moments under load and checks that nothing acknowledged is lost, on both engines.
# usage: chaos.sh [ROUNDS]    (default 50 on each engine)
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${TRIBUTARY_TEST_POSTGRES:-}" ]; then
    scripts/install_deps.sh test
    scripts/venv.sh
    swift build -c release --product tributary
    exec scripts/with_postgres.sh "$0" "$@"
fi
export TRIBUTARY_BINARY="${TRIBUTARY_BINARY:-$PWD/.build/release/tributary}"
for engine in sqlite postgres; do
    .venv/bin/python scripts/chaos.py --engine "$engine" --rounds "${1:-50}"
done
