#!/usr/bin/env bash
# The durability test can fail: a build that acknowledges messages before it commits them must turn it red, by lost
# messages and by nothing else. Succeeds when it does.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=$(mktemp -d "${TMPDIR:-/tmp}/lingxi-sabotage.XXXXXX")
trap 'rm -rf "$folder"' EXIT

built=${CARGO_TARGET_DIR:-target}/debug/lingxi
cargo build --locked -p lingxi --features sabotage-ack-before-commit
cp "$built" "$folder/lingxi"

status=0
LINGXI_TEST_BINARY=$folder/lingxi cargo test --locked -p lingxi --test it -- --exact \
    durability::twenty_kills_lose_nothing >"$folder/output" 2>&1 || status=$?
tail -n 60 "$folder/output"
if ! grep -q '^running 1 test' "$folder/output"; then
    echo "the durability test did not run"
    exit 1
fi
if [ "$status" -eq 0 ]; then
    echo "the durability test passed on a build that acknowledges before it commits"
    exit 1
fi
if ! grep -q 'Lost {' "$folder/output"; then
    echo "the durability test failed, but not because a message was lost"
    exit 1
fi
echo "the durability test notices messages that were acknowledged and lost"
