#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs the Debian packages that a task needs and that are missing: setup.sh build|test|bench|lint
set -eu

build="ca-certificates gcc libc6-dev make cmake ninja-build pkg-config libuv1-dev libnghttp2-dev
node-llhttp libssl-dev libsqlite3-dev libprotobuf-c-dev protobuf-c-compiler protobuf-compiler
libonnx-dev libjansson-dev libyaml-dev libzstd-dev libcurl4-openssl-dev libcurl4"
test="python3 python3-pytest python3-pytest-xdist python3-sklearn python3-grpcio python3-protobuf python3-venv curl openssl chromium fonts-dejavu-core
procps iproute2 python3-aiosmtpd prometheus prometheus-alertmanager"
bench="python3 python3-venv nginx-light wrk nghttp2-client libsimdjson-dev g++ python3-sklearn"
lint="clang clang-format clang-tidy libclang-rt-14-dev llvm gcovr python3"

case "$1" in
build) wanted="$build" ;;
test) wanted="$test" ;;
bench) wanted="$bench" ;;
lint) wanted="$lint" ;;
*) echo "setup.sh: what is '$1'? build, test, bench or lint" >&2; exit 2 ;;
esac

have() { dpkg-query -W -f='${Status}' "$1" 2>/dev/null | grep -q 'ok installed'; }

missing=""
for package in $wanted; do
    have "$package" || missing="$missing $package"
done
# Any Node from 18 on will do; Debian's own comes with npm in a package beside it.
if [ "$1" = build ]; then
    command -v node >/dev/null 2>&1 || missing="$missing nodejs"
    command -v npm >/dev/null 2>&1 || missing="$missing npm"
fi
[ -n "$missing" ] || exit 0

sudo=""
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null 2>&1 || {
        echo "These packages are missing, and there is no sudo to install them:$missing" >&2
        exit 1
    }
    sudo=sudo
fi
echo "Installing:$missing"
$sudo apt-get update -qq
$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
