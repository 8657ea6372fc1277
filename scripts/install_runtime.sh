#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Puts the libraries that the program loads at run time beside it, into DESTDIR/lib:
#
#   scripts/install_runtime.sh DESTDIR [LIBRARY…]
#
#   libonnxruntime.so.1   46 MB   ONNX Runtime: models that the native engine does not take
#   libduckdb.so          65 MB   DuckDB: Parquet files
#
# Without LIBRARY: both. The packages are fetched (npm ci, no install scripts) only when their lock
# file has changed; a library is replaced by a rename and only when it differs, so that a running
# server keeps the one that it has mapped.
set -eu
[ $# -ge 1 ] || { echo "usage: $0 DESTDIR [LIBRARY…]" >&2; exit 2; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
kept=$here/../build/runtime
dest=$1
shift
[ $# -gt 0 ] || set -- libonnxruntime.so.1 libduckdb.so
case $(uname -m) in
    x86_64) arch=x64 ;;
    aarch64) arch=arm64 ;;
    *) echo "There are no libraries for $(uname -m): linear models are served, CSV and JSON read all the same" >&2
       exit 0 ;;
esac

fetch() {
    rm -rf "$kept"
    mkdir -p "$kept/fetch"
    cp "$here/runtime/package.json" "$here/runtime/package-lock.json" "$here/runtime/.npmrc" "$kept/fetch"
    (cd "$kept/fetch" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
    cp "$kept/fetch/node_modules/onnxruntime-node/bin/napi-v6/linux/$arch/libonnxruntime.so.1" "$kept"
    cp "$kept/fetch/node_modules/@duckdb/node-bindings-linux-$arch/libduckdb.so" "$kept"
    rm -rf "$kept/fetch" # the packages hold the libraries of all systems, 200 MB of them
    cp "$here/runtime/package-lock.json" "$kept/stamp"
}

replace() { # FROM TO
    cmp -s "$1" "$2" && return
    cp "$1" "$2.new"
    mv -f "$2.new" "$2"
    echo "installed $2"
}

cmp -s "$here/runtime/package-lock.json" "$kept/stamp" || fetch
mkdir -p "$dest/lib"
for library in "$@"; do
    replace "$kept/$library" "$dest/lib/$library"
done
