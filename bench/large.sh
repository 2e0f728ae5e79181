#!/usr/bin/env bash
# Builds the release binary and prints the ratios of questions to a large organisation. Arguments go to large.py (try --help).
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_deps.sh bench
scripts/venv.sh
swift build -c release --product tributary
export TRIBUTARY_BINARY="${TRIBUTARY_BINARY:-$PWD/.build/release/tributary}"
exec .venv/bin/python bench/large.py "$@"
