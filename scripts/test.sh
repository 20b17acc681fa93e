#!/usr/bin/env bash
# Runs every test. Sets up what is missing first. Arguments go to the tests: `scripts/test.sh golden` runs those whose
# names contain "golden".
#
# MOMC_GOLDEN=<folder> takes the reference data from there instead of tests/golden. MOMC_TARGET=emulated runs what is
# compiled on the emulated device instead of this machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/setup.sh

cargo test --workspace -- "$@"
