#!/usr/bin/env bash
# Runs a model with random weights in momc and in PyTorch, in turn, and prints a table of medians. What the machine can
# do is measured in the same run. Both use float32 and as many threads as there are cores.
#
#   examples/bench/compare.sh [MODEL.toml]
#
# PYTHON names a Python with PyTorch (see README.md here); PROMPT, NEW and ROUNDS set the numbers of prompt tokens, of
# new tokens, and of rounds.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. scripts/setup.sh

model=${1:-examples/02-380m.toml}
python=${PYTHON:-python3}
prompt=${PROMPT:-512}
new=${NEW:-33}
rounds=${ROUNDS:-3}
threads=$(nproc)

"$python" -c 'import torch' 2>/dev/null || fail "\`$python\` has no PyTorch; examples/bench/README.md says how to get one"
cargo build --release --quiet
momc=${CARGO_TARGET_DIR:-target}/release/momc
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

torch() { "$python" examples/bench/mom_torch.py --threads "$threads" "$@"; }

# The value of a key in the lines of JSON on standard input.
values() { sed -n "s/.*\"$1\": \([0-9.]*\).*/\1/p"; }

median() { sort -g | awk '{ v[NR] = $1 } END { m = int((NR + 1) / 2); print NR % 2 ? v[m] : (v[m] + v[m + 1]) / 2 }'; }

"$momc" compile "$model" -o "$scratch/model.so" | tee "$scratch/compile" >&2
tokens=$(seq -s, 1 "$prompt")
for ((round = 1; round <= rounds; round++)); do
    echo "round $round of $rounds" >&2
    "$momc" run "$scratch/model.so" --random-weights 1 --threads "$threads" --prompt-tokens "$tokens" \
        --max-tokens "$new" --ignore-eos 2>>"$scratch/momc" >/dev/null
    torch bench "$model" --prompt-tokens "$prompt" --max-tokens $((new - 1)) --rounds 3 >>"$scratch/torch"
    torch limits >>"$scratch/limits"
done

# momc's report says `prompt   512 tokens, 310 tokens/s`, `decode   …` alike, and `memory   1.71 GB at most`.
momc_rate() { sed -n "s|^$1 .* \([0-9.]*\) tokens/s.*|\1|p" "$scratch/momc" | median; }
gigabytes() { awk '{ print $1 * ($2 == "GB" ? 1 : $2 == "MB" ? 1e-3 : 1e-6) }'; }

prefill=$(momc_rate prompt)
decode=$(momc_rate decode)
memory=$(sed -n 's/^memory *\([0-9.]*\) \([A-Z]*\) at most/\1 \2/p' "$scratch/momc" | gigabytes | median)
torch_prefill=$(values prefill_tokens_per_second <"$scratch/torch" | median)
torch_decode=$(values decode_tokens_per_second <"$scratch/torch" | median)
torch_memory=$(values peak_bytes <"$scratch/torch" | median | awk '{ print $1 / 1e9 }')
gflops=$(values matrix_product_gflops <"$scratch/limits" | sort -g | tail -1)
bandwidth=$(values read_gb_per_second <"$scratch/limits" | sort -g | tail -1)
layers=$(values layer_parameters_per_token <"$scratch/torch" | head -1)
head=$(values head_parameters <"$scratch/torch" | head -1)

awk -v p="$prefill" -v tp="$torch_prefill" -v d="$decode" -v td="$torch_decode" -v m="$memory" -v tm="$torch_memory" \
    -v tokens="$prompt" -v gflops="$gflops" -v bandwidth="$bandwidth" -v layers="$layers" -v head="$head" \
    -v cpu="$(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -1), $threads threads" 'BEGIN {
    flops = 2 * layers * 1e-9; bytes = 4 * (layers + head) * 1e-9
    printf "%s; matrix product %.0f GFLOP/s, reading %.1f GB/s\n\n", cpu, gflops, bandwidth
    print "| | momc | PyTorch | momc / PyTorch | momc, share of the limit |"
    print "| --- | --- | --- | --- | --- |"
    printf "| prefill of %d tokens | %.0f tokens/s | %.0f tokens/s | %.2f | %.0f%% of the product |\n", \
        tokens, p, tp, p / tp, 100 * p * flops / gflops
    printf "| decode | %.1f tokens/s | %.1f tokens/s | %.2f | %.0f%% of reading |\n", \
        d, td, d / td, 100 * d * bytes / bandwidth
    printf "| peak memory | %.2f GB | %.2f GB | %.2f | |\n", m, tm, m / tm
}'
