#!/usr/bin/env bash
# Starts a fresh server, loads 1,000 real-looking persons through the official client, merges 500 pairs, checks.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_deps.sh test
scripts/venv.sh
swift build -c release --product tributary
TRIBUTARY_BINARY="${TRIBUTARY_BINARY:-$PWD/.build/release/tributary}" exec .venv/bin/python demo/febrl.py "$@"
