#!/usr/bin/env bash
# Times the prefill of one layer where tokens go evenly to all memories, all to one, to two in turn, to all but one, and
# where the router has no preference: see imbalance.rs here. Prints the fastest time of each, and how many times that of
# the even routing it is.
#
#   examples/bench/imbalance.sh [TOKENS [ROUNDS]]
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. scripts/setup.sh

tokens=${1:-2048}
rounds=${2:-15}
cargo build --release --quiet
cargo build --release --quiet -p mom-runtime --example imbalance
programs=$(realpath "${CARGO_TARGET_DIR:-target}/release")
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
"$programs/momc" compile "$folder/layer.toml" -o "$folder/layer.so"
"$programs/examples/imbalance" "$folder/layer.so" "$tokens" "$rounds"
