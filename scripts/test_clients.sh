#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Journeys with other people's clients from PyPI, pinned in tests/clients/requirements.txt.
set -eu
cd "$(dirname "$0")/.."
scripts/build.sh release slipway
venv=build/clients/venv
stamp="$venv/requirements.txt"
if ! cmp -s tests/clients/requirements.txt "$stamp"; then
    rm -rf "$venv"
    /usr/bin/python3 -m venv "$venv"
    "$venv/bin/pip" install --quiet --disable-pip-version-check -r tests/clients/requirements.txt
    cp tests/clients/requirements.txt "$stamp"
fi
export SLIPWAY_BIN="$PWD/build/release/slipway"
"$venv/bin/python" -m pytest -q -p no:cacheprovider tests/clients "$@"
