#!/usr/bin/env bash
# Builds the release binary and serves a demo organisation from ./data. Arguments go to `tributary serve`.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/install_deps.sh build
swift build -c release --product tributary
exec .build/release/tributary serve --demo --data ./data "$@"
