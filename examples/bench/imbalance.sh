#!/usr/bin/env bash
# Times prefill of one layer where tokens go evenly to all memories, and where all go to one: prints the tokens a second of each.
#
#   examples/bench/imbalance.sh [TOKENS [ARGUMENTS OF momc run]]
#
# A layer alone routes by the embedding of a token, so a prompt of one token over and over goes to one memory, and a prompt
# of many different ones goes to all of them.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. scripts/setup.sh

tokens=${1:-2048}
shift || true
cargo build --release --quiet
momc=$(realpath "${CARGO_TARGET_DIR:-target}/release/momc")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cat >"$folder/layer.toml" <<'MODEL'
[model]
name = "layer"
vocab_size = 4096
hidden_size = 1024
layers = 1
block_tokens = 2048

[memory]
heads = 4
head_dim = 256
memories = 4
top_k = 1
shared_state = false
MODEL
"$momc" compile "$folder/layer.toml" -o "$folder/layer.so"

even=$(seq 0 $((tokens - 1)) | awk '{ printf "%s%d", (NR > 1 ? "," : ""), ($1 * 2741) % 4096 }')
one=$(seq 0 $((tokens - 1)) | awk '{ printf "%s7", (NR > 1 ? "," : "") }')
for turn in 1 2 3; do
    for routing in even one; do
        printf '%s %s ' "$turn" "$routing"
        "$momc" run "$folder/layer.so" --random-weights 1 --prompt-tokens "${!routing}" --max-tokens 1 "$@" 2>&1 >/dev/null |
            grep ^prompt
    done
done
