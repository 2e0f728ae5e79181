#!/usr/bin/env bash
# Feeds a live server with broken and hostile requests. usage: fuzz.sh [SECONDS] [SEED]   (default 60 s on SQLite)
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_deps.sh test
scripts/venv.sh
swift build --product tributary
TRIBUTARY_BINARY="${TRIBUTARY_BINARY:-$PWD/.build/debug/tributary}" exec .venv/bin/python scripts/fuzz.py \
    --seconds "${1:-60}" ${2:+--seed "$2"}
