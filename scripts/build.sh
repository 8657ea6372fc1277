#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Configures a preset once and builds targets of it: build.sh PRESET TARGET…
set -eu
cd "$(dirname "$0")/.."
preset="$1"
shift
if [ ! -f "build/$preset/build.ninja" ]; then
    log="$(mktemp)"
    cmake --preset "$preset" >"$log" 2>&1 || { cat "$log" >&2; rm -f "$log"; exit 1; }
    rm -f "$log"
fi
cmake --build "build/$preset" --target "$@" -- --quiet
