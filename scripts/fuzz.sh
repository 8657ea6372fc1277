#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target for SECONDS_EACH (default 60), from its corpus: fuzz.sh [NAME…]
set -eu
cd "$(dirname "$0")/.."
scripts/build.sh fuzz fuzz_targets
for target in ${*:-$(cd tests/fuzz && ls ./*_fuzz.c)}; do
    name="$(basename "$target" _fuzz.c)"
    mkdir -p "build/fuzz/found/$name"
    echo "== $name"
    (cd build/fuzz/found/"$name" &&
        "../../tests/${name}_fuzz" -max_total_time="${SECONDS_EACH:-60}" -rss_limit_mb=4096 -print_final_stats=1 \
            -verbosity=0 . "../../../../tests/fuzz/corpus/$name")
done
