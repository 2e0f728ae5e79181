#!/usr/bin/env bash
# Kills the server at random moments under load and checks that nothing acknowledged is lost, on both engines; then in the
# middle of every kind of job.
# usage: chaos.sh [ROUNDS] [ROUNDS OF JOBS]    (default 50 and 5 on each engine)
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
    .venv/bin/python scripts/chaos_jobs.py --engine "$engine" --rounds "${2:-5}"
done
