# SPDX-License-Identifier: Apache-2.0
# The front door: each target installs what it lacks (saying so), then works. The build itself is
# described in meson.build.

BUILD ?= build
DATA ?= data
PREFIX ?= /usr/local
# Asked for, rather than left to the build as it is.
PREFIX_WANTED := $(filter command environment,$(firstword $(origin PREFIX)))

.PHONY: all build run test unit sanitize api soak bench lint fuzz conformance install abi-baseline clean

all: build

build:
	@tools/deps build
	@test -f $(BUILD)/build.ninja || meson setup $(BUILD) --prefix="$(PREFIX)" >/dev/null
	@test -z "$(PREFIX_WANTED)" || test "$$(tools/option $(BUILD) prefix)" = "$(PREFIX)" || \
		meson configure $(BUILD) --prefix="$(PREFIX)"
	@ninja -C $(BUILD)

# A server with a demo provider, ready to try: it prints what to do next.
run: build
	@$(BUILD)/nangod serve --data $(DATA) --demo

# Everything: lint, unit tests, the same under sanitizers, and the official clients against the
# real daemon.
test:
	@tools/deps test
	@tools/test

unit: build
	@meson test -C $(BUILD) --print-errorlogs

sanitize:
	@tools/deps test
	@tools/test sanitize api_sanitize thread api_thread

api: build
	@tools/deps test
	@tools/test api

# The long forms: kills by the hundred, gigabyte bodies, thousands of clients.
soak: build
	@tools/deps test
	@SOAK=1 tools/test soak

# Against nginx; libnango against the official client; actions against node; records against plain SQLite:
# writes bench/RESULTS.md, bench/SDK.md, bench/ACTIONS.md and bench/RECORDS.md.
bench:
	@tools/deps bench
	@bench/run
	@tools/npm-once tests/api
	@bench/sdk
	@bench/actions
	@bench/records

lint:
	@tools/deps test
	@tools/lint

# Each target for FUZZ_SECONDS (60).
fuzz:
	@tools/deps fuzz
	@tools/fuzz

# The public integration templates against what was recorded of them: make conformance TEMPLATES=DIR
conformance: build
	@tools/conformance/run.mjs --templates "$(TEMPLATES)" --nangoctl $(BUILD)/nangoctl

# After a change of libnango's public functions or types that is meant: commit what this writes.
abi-baseline:
	@tools/deps test
	@tools/abi map
	@$(MAKE) --no-print-directory build
	@tools/abi renew $(BUILD)

# The server and the SDK, below PREFIX (/usr/local unless the build has another); DESTDIR goes
# before it, for packages.
install: build
	@DESTDIR="$(DESTDIR)" meson install -C $(BUILD) --no-rebuild

clean:
	rm -rf build build-*
