#!/usr/bin/env bash
# Regenerates docs/COVERAGE.md from the endpoint declarations.
set -euo pipefail
cd "$(dirname "$0")/.."

new=$(mktemp)
trap 'rm -f "$new"' EXIT
swift run tributary coverage >"$new"
[ -s "$new" ] || { echo "the coverage command printed nothing" >&2; exit 1; }
cat "$new" >docs/COVERAGE.md
