#!/usr/bin/env bash
# Makes sure that everything momc is built with is there, and installs from apt what is not.
#
# The other scripts source this file, because it also points the build at LLVM. It costs a few milliseconds when
# nothing is missing. Set MLIR_SYS_220_PREFIX to use another build of LLVM and MLIR 22 than Debian's.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

debian_prefix=/usr/lib/llvm-22
export MLIR_SYS_220_PREFIX="${MLIR_SYS_220_PREFIX:-$debian_prefix}"
export TABLEGEN_220_PREFIX="${TABLEGEN_220_PREFIX:-$MLIR_SYS_220_PREFIX}"
export LLVM_SYS_221_PREFIX="${LLVM_SYS_221_PREFIX:-$MLIR_SYS_220_PREFIX}"
export LIBCLANG_PATH="${LIBCLANG_PATH:-$MLIR_SYS_220_PREFIX/lib}"

fail() {
    local line
    for line in "$@"; do
        echo "${0##*/}: $line" >&2
    done
    exit 1
}

command_exists() { command -v "$1" >/dev/null; }

file_exists() { [[ -e "$MLIR_SYS_220_PREFIX/$1" ]]; }

# A shared library that the C compiler finds, wherever the distribution keeps it.
library_exists() { command_exists cc && [[ "$(cc -print-file-name="$1.so")" == */* ]]; }

libclang_exists() { compgen -G "$LIBCLANG_PATH/libclang*.so*" >/dev/null; }

# Prints one line for each package whose contents are missing: its name and what momc needs it for.
missing_packages() {
    command_exists cc || echo "gcc links programs and compiled models"
    command_exists c++ || echo "g++ compiles the C++ part of the MLIR bindings"
    file_exists bin/llvm-config || echo "llvm-22-dev LLVM 22, which generates machine code"
    file_exists include/mlir-c/IR.h || echo "libmlir-22-dev MLIR 22, through which models are lowered"
    file_exists lib/libPolly.a || echo "libpolly-22-dev is linked wherever LLVM 22 is"
    file_exists bin/mlir-opt || echo "mlir-22-tools mlir-opt, with which the tests check printed programs"
    libclang_exists || echo "libclang-22-dev libclang, which makes the Rust bindings of MLIR"
    library_exists libz || echo "zlib1g-dev is linked by LLVM"
    library_exists libzstd || echo "libzstd-dev is linked by LLVM"
}

# Answers whether apt knows every package given.
apt_knows() {
    local package
    for package in "$@"; do
        [[ -n "$(apt-cache show --no-all-versions "$package" 2>/dev/null)" ]] || return 1
    done
}

install_packages() {
    local packages=("$@") root=()
    if [[ $(id -u) -ne 0 ]]; then
        if ! command_exists sudo; then
            fail "installing these needs root, and there is no sudo; ask somebody who is root to run" \
                "    apt-get update && apt-get install --no-install-recommends ${packages[*]}"
        fi
        root=(sudo)
    fi
    if ! apt_knows "${packages[@]}"; then
        echo "setup: apt does not know them yet; running apt-get update"
        "${root[@]}" apt-get update -qq
        apt_knows "${packages[@]}" || fail \
            "apt has no package for some of: ${packages[*]}" \
            "Debian 12 has them in 'bookworm-security main'; is that among its sources?" \
            "Elsewhere install LLVM and MLIR 22 from any source and set MLIR_SYS_220_PREFIX to where they are."
    fi
    # Only asks for the sizes: without the lock, which needs root, and answering no.
    LC_ALL=C apt-get install -o Debug::NoLocking=1 --assume-no --no-install-recommends "${packages[@]}" 2>/dev/null |
        sed -n 's/^\(Need to get\|After this operation\)/setup: &/p' || true
    echo "setup: installing; with a fast connection this takes about a minute"
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get install -qq --no-install-recommends "${packages[@]}")
    # Package lists that are too old name files which no longer exist.
    "${root[@]}" "${install[@]}" >/dev/null ||
        { "${root[@]}" apt-get update -qq && "${root[@]}" "${install[@]}" >/dev/null; }
}

if ! command_exists cargo; then
    [[ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]] ||
        fail "Rust is missing; https://rustup.rs installs it without root, then run this again"
    export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

missing=$(missing_packages)
if [[ -n "$missing" ]]; then
    echo "setup: what is missing, and what for:"
    while read -r package reason; do
        printf '    %-16s %s\n' "$package" "$reason"
    done <<<"$missing"
    if [[ "$MLIR_SYS_220_PREFIX" != "$debian_prefix" && "$missing" == *-22-* ]]; then
        fail "what is called *-22-* above is looked for where MLIR_SYS_220_PREFIX points, $MLIR_SYS_220_PREFIX;" \
            "unset it to have Debian's installed"
    fi
    command_exists apt-get || fail \
        "there is no apt-get here; install a C and a C++ compiler, zlib, zstd, libclang, and LLVM and MLIR 22" \
        "with the means of this system, and set MLIR_SYS_220_PREFIX to where LLVM and MLIR are"
    mapfile -t packages < <(cut -d' ' -f1 <<<"$missing")
    install_packages "${packages[@]}"
    missing=$(missing_packages)
    [[ -z "$missing" ]] || fail "still missing under $MLIR_SYS_220_PREFIX: $(cut -d' ' -f1 <<<"$missing" | xargs)"
fi
