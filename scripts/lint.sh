#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Form and laws: clang-format, the layering, clang-tidy, warnings as errors, each public header alone.
set -eu
cd "$(dirname "$0")/.."
sources="$(git ls-files 'src/*.c' 'src/*.h' 'tests/*.c' 'tests/*.h' 'bench/*.c')"
# shellcheck disable=SC2086
clang-format --dry-run --Werror $sources
/usr/bin/python3 tests/tidy/layers.py
/usr/bin/python3 tests/tidy/laws.py
/usr/bin/python3 tests/tidy/openapi.py
scripts/build.sh dev all
/usr/bin/python3 tests/tidy/headers.py build/dev
git ls-files 'src/*.c' | xargs -P 2 -n 16 clang-tidy -p build/dev --quiet --warnings-as-errors='*' 2>/dev/null
echo "lint: all is well"
