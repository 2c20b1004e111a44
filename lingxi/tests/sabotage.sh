#!/usr/bin/env bash
# The tests that break things can fail: on a build with a planted fault each must turn red, by the promise that the fault
# breaks and not by something else. Succeeds when all do.
#
#   lingxi/tests/sabotage.sh [FAULT…]    only these planted faults
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=$(mktemp -d "${TMPDIR:-/tmp}/lingxi-sabotage.XXXXXX")
trap 'rm -rf "$folder"' EXIT

# As ./test builds everything, so that only what has the planted faults is built again.
cargo test --locked --workspace --test it --features lingxi/sabotage --no-run --message-format json >"$folder/built"
built() { grep -F "\"src_path\":\"$PWD/lingxi/$1\"" "$folder/built" | sed -n 's/.*"executable":"\([^"]*\)".*/\1/p' | tail -n 1; }
tests=$(built tests/it/main.rs)
cp "$(built src/main.rs)" "$folder/lingxi"
export LINGXI_TEST_BINARY=$folder/lingxi
chosen=("$@")

# notices FAULT VIOLATION TEST [VARIABLE=VALUE…]: the test must fail on the fault, and say so by the violation.
notices() {
    local fault=$1 violation=$2 test=$3 status=0 begun=$SECONDS
    shift 3
    if [ "${#chosen[@]}" -gt 0 ] && [[ " ${chosen[*]} " != *" $fault "* ]]; then return; fi
    (cd lingxi && env LINGXI_SABOTAGE="$fault" "$@" timeout --kill-after=10 150 \
        "$tests" --exact --nocapture "$test") >"$folder/output" 2>&1 || status=$?
    if ! grep -q '^running 1 test' "$folder/output"; then
        tail -n 40 "$folder/output"
        echo "$fault: $test did not run"
        exit 1
    fi
    if [ "$status" -eq 0 ]; then
        tail -n 60 "$folder/output"
        echo "$fault: $test passed on a build that has it"
        exit 1
    fi
    if ! grep -qE "$violation" "$folder/output"; then
        grep -m 1 -A 60 'panicked at' "$folder/output" || tail -n 60 "$folder/output"
        echo "$fault: $test failed, but did not say: $violation"
        exit 1
    fi
    echo "$fault: noticed by $test, $((SECONDS - begun)) s: $(grep -m 1 -oE "$violation" "$folder/output")"
}

# suite FAULT KIND STRUCK: the fault suite, with these faults alone.
suite() {
    notices "$1" "$(broken "$2")" faults::everything_at_once LINGXI_TEST_FAULTS="$3" LINGXI_TEST_PATIENCE=12
}

# disk FAULT KIND STRUCK: the same on one process, whose disk fails.
disk() {
    notices "$1" "$(broken "$2")" faults::the_disk_of_one_process LINGXI_TEST_FAULTS="$3" LINGXI_TEST_PATIENCE=12
}

broken() { echo "promises broken, seed [0-9]+: \\{.*\"$1\": "; }

notices ack-before-commit "$(broken Lost)" durability::twenty_kills_lose_nothing
suite ack-before-commit Lost kill-chat-worker,kill-mariadb,kill-mariadb,kill-chat-worker,kill-mariadb,kill-mariadb
notices no-epoch-check "the sleeper committed something" \
    ownership::a_worker_paused_inside_its_transaction_commits_nothing
suite no-dedup Double silence-client@0/down,silence-client@1/down,silence-client@0/down,silence-client@1/down
# What is planted here needs no fault to be seen, only time.
harmless=kill-ai-worker,kill-ai-worker,kill-ai-worker,kill-ai-worker,kill-ai-worker,kill-ai-worker
suite kick-forgotten Leaked "$harmless"
suite edit-lost EditLost "$harmless"
suite reaction-twice Miscounted "$harmless"
suite cursor-moved-on-write CursorPassed silence-client@0/down,silence-client@1/down,silence-client@0/down,silence-client@1/down
suite no-resync-after-reconnect NotConverged silence-nats@0/down,silence-nats@1/down,silence-nats@0/down,silence-nats@1/down
suite no-repush-after-takeover NotConverged silence-nats@2/up,silence-nats@3/up,silence-nats@2/up,silence-nats@3/up
disk ack-of-a-failed-commit Lost full-disk@1
disk outage-without-end NotConverged read-only-disk
disk readiness-only-reads NotTold read-only-disk
