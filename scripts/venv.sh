#!/usr/bin/env bash
# Makes .venv with the pinned packages of integration/requirements.txt, once, and again when that file changes.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! cmp -s integration/requirements.txt .venv/installed.txt; then
    python3 -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check -r integration/requirements.txt
    cp integration/requirements.txt .venv/installed.txt
fi
