#!/usr/bin/env bash
# Builds the release binary and runs it beside PocketBase. Arguments go to peers.py (try --help).
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_deps.sh bench
scripts/venv.sh
# Only the benchmark needs it.
[ -x .venv/bin/pocketbase ] || .venv/bin/python -m pip install --quiet --disable-pip-version-check -r bench/requirements.txt
swift build -c release --product tributary
export TRIBUTARY_BINARY="${TRIBUTARY_BINARY:-$PWD/.build/release/tributary}"
exec .venv/bin/python bench/peers.py "$@"
