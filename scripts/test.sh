#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tests: units and fuzz corpora in the dev build, then the journeys against the release binary.
set -eu
cd "$(dirname "$0")/.."
scripts/build.sh release slipway
scripts/build.sh dev unit_tests fuzz_targets
ctest --test-dir build/dev --output-on-failure -j2
scripts/journeys.sh
