#!/usr/bin/env bash
# CONTRIBUTING.md says the truth: each of its patches applies, adds one file and one line to one other, and compiles without
# a warning. Before that it is shown that a patch that does not would be noticed.
#
# The patches are tried on a copy of the tree. It shares the folder of what is built: the crates that they change have
# another version there, and so names of their own; all others are the same, and are not built again. Nothing that is built
# from the copy can be taken for what is built here.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
folder=$(mktemp -d "${TMPDIR:-/tmp}/lingxi-contributing.XXXXXX")
trap 'rm -rf "$folder"' EXIT
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target}
tree=$folder/tree
mkdir "$tree"

fail() {
    echo "CONTRIBUTING.md: $*"
    exit 1
}

awk -v folder="$folder" '
    /^```diff$/ { patch = folder "/" ++n ".diff"; next }
    /^```$/ { patch = "" }
    patch { print > patch }' CONTRIBUTING.md
patches=("$folder"/*.diff)
[ "${#patches[@]}" -eq 3 ] || fail "has ${#patches[@]} patches: one for an endpoint, a command and a tool each"

# With the times of its files, so that cargo knows them again.
git ls-files -z --cached --others --exclude-standard | xargs -0 sh -c '
    for file; do [ ! -f "$file" ] || printf "%s\0" "$file"; done' sh | tar -c --format=posix --null -T - | tar -x -C "$tree"
# A repository of its own: git apply leaves out what is outside of the one that it finds.
git -C "$tree" init -q

# tries [--recount] PATCH: whether it fits, and is one new file and one more line in one other. Adds the file to `added`.
added=()
tries() {
    local counts new
    counts=$(git -C "$tree" apply --numstat "$@") && git -C "$tree" apply --check "$@" || return 1
    new=$(git -C "$tree" apply --summary "$@" | sed -n 's/^ create mode [0-9]* //p')
    [ "$(wc -l <<<"$counts")" -eq 2 ] && [ -n "$new" ] || return 1
    grep -vF "$new" <<<"$counts" | grep -qP '^1\t0\t' || return 1
    added+=("$new")
}

for patch in "${patches[@]}"; do
    # Noticed: another line in front of the new one, a second line, a line that is taken away.
    for spoilt in 's/^ .*[a-z],$/& x/' 's/^+.*,$/&\n+x/' 's/^ \(.*[a-z],\)$/-\1/'; do
        sed "/^diff.*mod.rs/,\${$spoilt
        }" "$patch" >"$folder/spoilt"
        if tries --recount "$folder/spoilt" 2>/dev/null; then
            cat "$folder/spoilt"
            fail "a spoilt patch passes"
        fi
    done
    tries "$patch" || { cat "$patch"; fail "a patch does not apply, or is not one new file and one line"; }
done
for patch in "${patches[@]}"; do git -C "$tree" apply "$patch"; done
rustfmt --edition 2024 --check "${added[@]/#/$tree/}" || fail "the new files are not formatted"

# What is put together from them is left out: it takes longest, and does not see the difference.
rm -r "$tree/lingxi/tests"
printf '//! Nothing.\nfn main() {}\n' >"$tree/lingxi/src/main.rs"
for crate in lingxi $(printf '%s\n' "${added[@]%%/*}" | sort -u); do
    sed -i 's/^version.workspace = true$/version = "0.0.0"/' "$tree/$crate/Cargo.toml"
    sed -i "/^name = \"\(lingxi-\)\?$crate\"\$/{n;s/.*/version = \"0.0.0\"/}" "$tree/Cargo.lock"
done
compiles() { (cd "$tree" && cargo clippy --workspace --all-targets --locked --keep-going -- -D warnings) >"$folder/output" 2>&1; }

# Each new file is compiled: what is wrong with it is found.
for file in "${added[@]}"; do echo 'const _: () = no_such_thing();' >>"$tree/$file"; done
if compiles; then fail "mistakes in the new files are not noticed"; fi
for file in "${added[@]}"; do
    grep -qF -- "--> $file:" "$folder/output" || { cat "$folder/output"; fail "a mistake in $file is not noticed"; }
    sed -i '$d' "$tree/$file"
done

compiles || { cat "$folder/output"; fail "its patches do not compile"; }
printf 'applied and compiled: %s\n' "${added[*]}"
