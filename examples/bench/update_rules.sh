#!/usr/bin/env bash
# Times Gated DeltaNet alone in momc and in llama.cpp's CPU operator, in turn, and prints a table: see README.md here.
#
#   examples/bench/update_rules.sh [ARGUMENTS OF momc bench]
#
# ggml is built once, from the source of llama-cpp-python on PyPI, in the folder PEERS (target/peers if not set).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. scripts/setup.sh

version=0.3.36
peers=${PEERS:-target/peers}
mkdir -p "$peers"
peers=$(cd "$peers" && pwd)
program=$peers/ggml_gated_delta_net

if [[ ! -x $program ]]; then
    echo "building ggml in $peers; this takes some minutes" >&2
    [[ -x $peers/python/bin/pip ]] || python3 -m venv "$peers/python"
    "$peers/python/bin/pip" install -q cmake ninja scikit-build-core
    export PATH=$peers/python/bin:$PATH
    pip download -q --no-deps --no-binary llama-cpp-python --no-build-isolation -d "$peers" \
        "llama-cpp-python==$version"
    tar -C "$peers" -xf "$peers/llama_cpp_python-$version.tar.gz"
    source=$peers/llama_cpp_python-$version/vendor/llama.cpp
    cmake -G Ninja -S "$source" -B "$peers/build" -DCMAKE_BUILD_TYPE=Release -DBUILD_SHARED_LIBS=OFF \
        -DGGML_NATIVE=ON -DLLAMA_CURL=OFF -DLLAMA_BUILD_TESTS=OFF -DLLAMA_BUILD_EXAMPLES=OFF \
        -DLLAMA_BUILD_TOOLS=OFF -DLLAMA_BUILD_SERVER=OFF >/dev/null
    cmake --build "$peers/build" --target ggml ggml-cpu ggml-base >/dev/null
    libraries=$peers/build/ggml/src
    c++ -std=c++17 -O2 -I "$source/ggml/include" examples/bench/ggml_gated_delta_net.cpp -o "$program" \
        "$libraries/libggml.a" "$libraries/libggml-cpu.a" "$libraries/libggml-base.a" -fopenmp -ldl -lpthread
fi

cargo build --release --quiet
exec "${CARGO_TARGET_DIR:-target}/release/momc" bench --peer "ggml=$program {heads} {width} {tokens} {threads}" "$@"
