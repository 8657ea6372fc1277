#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Journeys with other people's clients from PyPI. Each tests/clients/requirements-NAME.txt is a virtual
# environment of its own for the tests in tests/clients/NAME; requirements.txt is for those beside it.
# Arguments are pytest's; with ONLY=NAME only that environment is made and run.
set -eu
cd "$(dirname "$0")/.."
scripts/build.sh release slipway
export SLIPWAY_BIN="$PWD/build/release/slipway"
failed=

run() { # name, requirements, venv, then what to test
    name=$1 requirements=$2 venv=$3
    shift 3
    if [ -n "${ONLY:-}" ] && [ "$ONLY" != "$name" ]; then return; fi
    if ! cmp -s "$requirements" "$venv/requirements.txt"; then
        rm -rf "$venv"
        /usr/bin/python3 -m venv "$venv"
        "$venv/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"
        cp "$requirements" "$venv/requirements.txt"
    fi
    echo "== $name"
    "$venv/bin/python" -m pytest -q -p no:cacheprovider "$@" || failed="$failed $name"
}

ignored=
for requirements in tests/clients/requirements-*.txt; do
    name=${requirements#tests/clients/requirements-}
    name=${name%.txt}
    ignored="$ignored --ignore=tests/clients/$name"
    run "$name" "$requirements" "build/clients/venv-$name" "tests/clients/$name" "$@"
done
# shellcheck disable=SC2086
run clients tests/clients/requirements.txt build/clients/venv $ignored tests/clients "$@"
[ -z "$failed" ] || { echo "failed:$failed" >&2; exit 1; }
