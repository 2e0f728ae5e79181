#!/usr/bin/env bash
# Runs a command beside a throw-away PostgreSQL and removes it afterwards, whatever happens.
#
# usage: with_postgres.sh COMMAND [ARGUMENT …]
#
# The command finds the address in TRIBUTARY_TEST_POSTGRES. The cluster has synchronous writes off, which is right for
# tests that never pull the plug of PostgreSQL itself; TRIBUTARY_POSTGRES_DURABLE=1 leaves them on, for benchmarks.
set -euo pipefail

[ $# -gt 0 ] || { sed -n '2,7p' "$0" >&2; exit 2; }

# The newest installed server: Debian keeps its programs out of PATH.
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1 || true)
[ -x "$bin/initdb" ] || bin=$(dirname "$(readlink -f "$(command -v initdb)")" 2>/dev/null || true)
[ -x "$bin/initdb" ] || { echo "PostgreSQL is not installed: run scripts/install_deps.sh test" >&2; exit 1; }

folder=$(mktemp -d "${TMPDIR:-/tmp}/tributary-postgres.XXXXXX")
# PostgreSQL refuses to run as root.
as_owner=()
if [ "$(id -u)" -eq 0 ]; then
    owner=postgres
    getent passwd "$owner" >/dev/null || owner=nobody
    chown "$owner" "$folder"
    as_owner=(setpriv "--reuid=$owner" "--regid=$(id -g "$owner")" --clear-groups)
fi

stop() {
    status=$?
    trap - EXIT INT TERM
    [ -z "${child:-}" ] || { kill -TERM "$child" 2>/dev/null && wait "$child" || true; } 2>/dev/null
    if [ -f "$folder/data/postmaster.pid" ]; then
        (cd "$folder" && "${as_owner[@]}" "$bin/pg_ctl" -D "$folder/data" -m immediate -w stop >/dev/null 2>&1) || true
    fi
    rm -rf "$folder"
    exit "$status"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
durable=()
[ "${TRIBUTARY_POSTGRES_DURABLE:-0}" = 1 ] || durable=(-c fsync=off -c synchronous_commit=off -c full_page_writes=off)

cd_run() { (cd "$folder" && "${as_owner[@]}" "$@"); }
cd_run "$bin/initdb" -D "$folder/data" -U tributary --locale=C.UTF-8 -E UTF8 -A trust --no-sync >"$folder/initdb.log" 2>&1 ||
    { cat "$folder/initdb.log" >&2; exit 1; }
options="-p $port -k $folder -c listen_addresses=127.0.0.1 -c max_connections=300 ${durable[*]}"
cd_run "$bin/pg_ctl" -D "$folder/data" -l "$folder/data/server.log" -w -t 60 -o "$options" start >/dev/null ||
    { cat "$folder/data/server.log" >&2; exit 1; }

export TRIBUTARY_TEST_POSTGRES="postgres://tributary@127.0.0.1:$port/postgres"
"$@" &
child=$!
wait "$child" && result=0 || result=$?
child=
exit "$result"
