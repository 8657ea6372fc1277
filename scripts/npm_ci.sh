#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# npm ci in a folder, only when its lock file has changed since the last time.
set -eu
cd "$1"
stamp=node_modules/.slipway-lock
if [ -f "$stamp" ] && cmp -s package-lock.json "$stamp"; then
    exit 0
fi
npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
cp package-lock.json "$stamp"
