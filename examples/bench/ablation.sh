#!/usr/bin/env bash
# Says what each rewrite is worth for the 380M model and the tiny one: the tables of docs/explain.md, on standard output.
#
#   examples/bench/ablation.sh [MODEL.toml …]
#
# Every program is timed against the one with all rewrites, in turn; of the 380M model two are in memory at a time, 5 GB in
# all, and it takes a quarter of an hour on two quiet cores.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. scripts/setup.sh

[[ $# -gt 0 ]] || set -- examples/02-380m.toml examples/01-tiny.toml
cargo build --release --quiet
for model in "$@"; do
    "${CARGO_TARGET_DIR:-target}/release/momc" explain "$model" --ablate --measure
    echo
done
