#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The suite under sanitizers: test_sanitized.sh asan|tsan. Under TSan: the concurrent parts.
set -eu
cd "$(dirname "$0")/.."
preset="$1"
export SLIPWAY_SANITIZER="$preset"
scripts/build.sh "$preset" slipway unit_tests fuzz_targets
scripts/install_runtime.sh "build/$preset" libonnxruntime.so.1
export ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1
export TSAN_OPTIONS="suppressions=$PWD/tests/tsan.supp"
if [ "$preset" = tsan ]; then
    ctest --test-dir build/tsan --output-on-failure -j2 -R '_(io|net|store|registry|serve|watch|decay|alert|proxy)_' \
        -E '_(registry_faults|watch_profile|watch_profile_file|watch_compare)_test'
    SLIPWAY_BIN="$PWD/build/tsan/slipway" scripts/journeys.sh -m concurrent
else
    ctest --test-dir build/asan --output-on-failure -j2
    SLIPWAY_BIN="$PWD/build/asan/slipway" scripts/journeys.sh -m "not browser and not slow"
fi
