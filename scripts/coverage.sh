#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Line coverage of src/ by the unit tests.
set -eu
cd "$(dirname "$0")/.."
scripts/build.sh coverage unit_tests
ctest --test-dir build/coverage -j2 --output-on-failure
gcovr --root . --filter src/ build/coverage
