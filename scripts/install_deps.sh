#!/usr/bin/env bash
# Installs the Debian packages that are missing, without questions. Does nothing when all are there.
#
# usage: install_deps.sh [build|test|bench]    (each includes the ones before it; default: build)
set -euo pipefail

packages=(curl libsqlite3-dev libpq-dev libssl-dev libcurl4-openssl-dev zlib1g-dev ca-certificates pkg-config)
case "${1:-build}" in
    build) ;;
    test) packages+=(postgresql python3-venv curl) ;;
    bench) packages+=(postgresql python3-venv curl gcc libc6-dev wrk nginx-light sqlite3) ;;
    *) echo "usage: install_deps.sh [build|test|bench]" >&2; exit 2 ;;
esac

if ! command -v swift >/dev/null; then
    echo "Swift 6.3 or later is needed and was not found in PATH: see https://www.swift.org/install/linux/" >&2
    exit 1
fi

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing=()
for package in "${packages[@]}"; do
    case "$package" in
        # Any package that brings the program will do.
        nginx-light) command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || missing+=("$package") ;;
        *) command -v dpkg-query >/dev/null && installed "$package" || missing+=("$package") ;;
    esac
done
[ "${#missing[@]}" -eq 0 ] && exit 0

if ! command -v apt-get >/dev/null; then
    echo "This is not a Debian system. Install the equivalents of these packages yourself: ${missing[*]}" >&2
    exit 1
fi
root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || { echo "These packages are missing, and there is no sudo: ${missing[*]}" >&2; exit 1; }
    root=(sudo)
fi
echo "installing: ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${root[@]}" apt-get update -qq
"${root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
