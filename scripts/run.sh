#!/usr/bin/env bash
# Imports a small mixture-of-memories model from a Hugging Face folder, compiles it to native code and generates text
# with it. Sets up what is missing first.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/setup.sh

model=tests/golden/models/mom_tiny
out=target/first-run

# Prints a command the way a user would type it, then runs it.
step() {
    local word line='$'
    for word in "$@"; do
        [[ "$word" == *" "* ]] && word="'$word'"
        line+=" $word"
    done
    printf '\n%s\n' "$line"
    "$@"
}

cargo build --release
mkdir -p "$out"
export PATH="${CARGO_TARGET_DIR:-target}/release:$PATH"
step momc import "$model" -o "$out/mom_tiny.toml"
step momc compile "$out/mom_tiny.toml" -o "$out/mom_tiny.so"
step momc run "$out/mom_tiny.so" --weights "$model" --prompt "one two three" --max-tokens 24
