#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The journeys: the real binary, used by real clients. SLIPWAY_BIN may name another build of it.
set -eu
cd "$(dirname "$0")/.."
export SLIPWAY_BIN="${SLIPWAY_BIN:-$PWD/build/release/slipway}"
scripts/npm_ci.sh tests/journeys/browser
scripts/npm_ci.sh tests/journeys/grpc_js
# Three files at once: journeys mostly wait.
/usr/bin/python3 -m pytest -q -p no:cacheprovider -n 3 --dist loadfile tests/journeys "$@"
