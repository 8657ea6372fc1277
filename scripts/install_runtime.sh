#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Puts ONNX Runtime's library beside the program: DESTDIR/lib/libonnxruntime.so.1.
#
#   scripts/install_runtime.sh DESTDIR
#
# The package is fetched (npm ci, no install scripts) only when its lock file has changed; the
# library is replaced by a rename and only when it differs, so that a running server keeps the one
# that it has mapped.
set -eu
[ $# -eq 1 ] || { echo "usage: $0 DESTDIR" >&2; exit 2; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
kept=$here/../build/runtime
case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) echo "ONNX Runtime has no library for $(uname -m): linear models are served all the same" >&2; exit 0 ;;
esac

fetch() {
    rm -rf "$kept"
    mkdir -p "$kept/fetch"
    cp "$here/runtime/package.json" "$here/runtime/package-lock.json" "$here/runtime/.npmrc" "$kept/fetch"
    (cd "$kept/fetch" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$kept/fetch/node_modules/onnxruntime-node/bin/napi-v6/linux/$arch/libonnxruntime.so.1" "$kept"
    rm -rf "$kept/fetch" # the package holds the libraries of all systems, 200 MB of them
    cp "$here/runtime/package-lock.json" "$kept/stamp"
}

replace() { # FROM TO
    cmp -s "$1" "$2" && return
    cp "$1" "$2.new"
    mv -f "$2.new" "$2"
    echo "installed $2"
}

cmp -s "$here/runtime/package-lock.json" "$kept/stamp" || fetch
mkdir -p "$1/lib"
replace "$kept/libonnxruntime.so.1" "$1/lib/libonnxruntime.so.1"
