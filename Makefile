# SPDX-License-Identifier: Apache-2.0
# The front door. `make run` and `make test` need nothing but Debian 12 and root or sudo.

PYTHON ?= /usr/bin/python3

.PHONY: run build setup setup-test test test-clients bench lint fuzz install asan tsan coverage clean

run: build
	build/release/slipway demo

build: setup
	scripts/build.sh release slipway

# What a fresh machine lacks: Debian packages by name, and the runtime library through npm.
setup:
	scripts/setup.sh build
	scripts/install_runtime.sh build/release

test: setup-test
	scripts/test.sh

setup-test: setup
	scripts/setup.sh test

test-clients: setup-test
	scripts/test_clients.sh

bench: setup
	scripts/setup.sh bench
	scripts/build.sh release all
	bench/run

lint: setup
	scripts/setup.sh lint
	scripts/lint.sh

asan tsan: setup-test
	scripts/test_sanitized.sh $@

fuzz: setup
	scripts/setup.sh lint
	scripts/fuzz.sh

coverage: setup-test
	scripts/coverage.sh

install: build
	cmake --install build/release --prefix $(or $(PREFIX),/usr/local)

clean:
	rm -rf build
