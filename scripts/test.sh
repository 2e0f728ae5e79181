#!/usr/bin/env bash
# Every test on both engines: one debug build, the Swift suites, the Python suites against the built binary, and a few
# rounds of kill -9. Prints what ran and how long it took; fails if any part failed.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ -z "${TRIBUTARY_TEST_POSTGRES:-}" ]; then
    scripts/install_deps.sh test
    exec scripts/with_postgres.sh "$0" "$@"
fi

logs=$(mktemp -d)
trap 'rm -rf "$logs"' EXIT
report=()
failed=0

step() {
    local name=$1 begin=$SECONDS result=passed
    shift
    echo
    echo "=== $name"
    "$@" || { result=FAILED; failed=1; }
    report+=("$(printf '%-34s %-7s %4d s' "$name" "$result" $((SECONDS - begin)))")
    [ "$result" = passed ]
}

summary() {
    echo
    echo "=== Summary"
    printf '%s\n' "${report[@]}"
    if [ "$failed" -eq 0 ]; then echo "all passed"; else echo "FAILED"; fi
    exit "$failed"
}

# The compiler is busy for minutes; the Python packages come in beside it.
scripts/venv.sh >"$logs/venv" 2>&1 &
venv=$!

await_venv() { wait "$venv" || { cat "$logs/venv"; return 1; }; }

# The suite of stores in buckets needs a server that speaks S3; without one it would be left out without a word.
s3=()
if scripts/with_s3.sh true >"$logs/s3" 2>&1; then
    s3=(scripts/with_s3.sh)
else
    echo "THE S3 SUITE DOES NOT RUN: its server could not be installed or started" >&2
    tail -5 "$logs/s3" >&2
    report+=("$(printf '%-34s %-7s' "S3 suite" "NOT RUN")")
fi

step "debug build" swift build --build-tests || { wait "$venv" || true; summary; }
step "Swift tests" "${s3[@]}" swift test --skip-build || true
step "Python environment" await_venv || summary
export TRIBUTARY_BINARY="${TRIBUTARY_BINARY:-$PWD/.build/debug/tributary}"
step "Python tests" .venv/bin/python -m pytest -q integration --ignore integration/test_kill.py || true
step "kill -9, ${TRIBUTARY_KILL_ROUNDS:=3} rounds on each engine" env "TRIBUTARY_KILL_ROUNDS=$TRIBUTARY_KILL_ROUNDS" \
    .venv/bin/python -m pytest -q integration/test_kill.py || true
for engine in sqlite postgres; do
    step "broken requests for ${TRIBUTARY_FUZZ_SECONDS:=20} s, $engine" .venv/bin/python scripts/fuzz.py \
        --seconds "$TRIBUTARY_FUZZ_SECONDS" --engine "$engine" || true
done
summary
