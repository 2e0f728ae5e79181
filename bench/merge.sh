#!/usr/bin/env bash
# Builds the release binary and times merges, dry runs, undos and many merges at once, the last on both engines.
# Arguments go to merge.py (try --help).
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${TRIBUTARY_TEST_POSTGRES:-}" ]; then
    scripts/install_deps.sh bench
    scripts/venv.sh
    [ -n "${TRIBUTARY_BINARY:-}" ] || swift build -c release --product tributary
    TRIBUTARY_POSTGRES_DURABLE=1 exec scripts/with_postgres.sh "$0" "$@"
fi
export TRIBUTARY_BINARY="${TRIBUTARY_BINARY:-$PWD/.build/release/tributary}"
exec .venv/bin/python bench/merge.py "$@"
