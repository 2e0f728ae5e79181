#!/usr/bin/env bash
# The long form of the tests that merges lose nothing: 32 clients over a few records for a minute, and 40 organisations of
# random modules, lookups, links and records, merged at random and undone. On SQLite and on a PostgreSQL of its own.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${TRIBUTARY_TEST_POSTGRES:-}" ]; then
    scripts/install_deps.sh test
    swift build --build-tests
    exec scripts/with_postgres.sh "$0" "$@"
fi
export TRIBUTARY_MERGE_SECONDS="${TRIBUTARY_MERGE_SECONDS:-60}" TRIBUTARY_MERGE_SEEDS="${TRIBUTARY_MERGE_SEEDS:-40}"
exec swift test --skip-build --filter 'MergeConcurrencyTests|MergeMetadataPropertyTests|MergePropertyTests|MergeFaultTests'
