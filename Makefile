# Everything people do here. `make help` lists it.
# VIGIE_CORPORA  folder with public captures: suites and scores that need it are left out without it, and say so
# VIGIE_LONG     1: floods and rewritings at full size
# VIGIE_CACHE    where tools are kept that cargo has to build first

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
MAKEFLAGS += --no-print-directory

CARGO_TARGET_DIR ?= $(CURDIR)/target
VIGIE_CACHE ?= $(HOME)/.cache/vigie
TOOLS := $(VIGIE_CACHE)/tools
export CARGO_TARGET_DIR VIGIE_CACHE
export PATH := $(TOOLS)/bin:$(PATH)

# Suites that run the binary use this one; without the variable they build a debug binary of their own.
VIGIE_BIN := $(CARGO_TARGET_DIR)/release/vigie
export VIGIE_BIN
VIGIE_MODEL := $(CARGO_TARGET_DIR)/release/model
export VIGIE_MODEL
VIGIE_IMAGE_TOOL := $(CARGO_TARGET_DIR)/release/image-tool
export VIGIE_IMAGE_TOOL

NIGHTLY := cargo +nightly
FUZZ_SECONDS ?= 20
ASAN_TARGET := $(shell rustc -vV 2>/dev/null | sed -n 's/^host: //p')

.PHONY: help
help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

# --- use ---

.PHONY: run
run: compiler release ## the sensor at work on the bundled traffic
	@mkdir -p '$(CARGO_TARGET_DIR)/run' && rm -f '$(CARGO_TARGET_DIR)/run/eve.json'
	@echo; echo "vigie read tests/cases/bundled --eve $(CARGO_TARGET_DIR)/run/eve.json"; echo
	@'$(VIGIE_BIN)' read tests/cases/bundled --eve '$(CARGO_TARGET_DIR)/run/eve.json'
	@echo; echo "Two of the events in $(CARGO_TARGET_DIR)/run/eve.json:"; echo
	@for kind in tls http; do grep -m1 "\"event_type\":\"$$kind\"" '$(CARGO_TARGET_DIR)/run/eve.json' || :; done
	@echo; echo "Your own traffic: $(VIGIE_BIN) read CAPTURE, or as root: $(VIGIE_BIN) run --interface IF"

.PHONY: release
release: compiler ## the binary, optimised
	cargo build --release --locked --package vigie

# A developer's step: the object is committed, so that nobody else needs clang. Debian's clang 14 gives the same bytes.
.PHONY: ebpf
CLANG_BPF = clang -O2 -g -Wall -Werror -target bpf -I/usr/include/$(shell uname -m)-linux-gnu -fdebug-prefix-map=$(CURDIR)=.
ebpf: ## the programs in the kernel, from their sources, with their hashes (needs clang, llvm, libbpf-dev)
	cd src/capture/ebpf && $(CLANG_BPF) -c steer.bpf.c -o steer.bpf.o && \
		$(CLANG_BPF) -c bypass.bpf.c -o bypass.bpf.o && \
		$(CLANG_BPF) -DAT_INTERFACE -c bypass.bpf.c -o bypass_xdp.bpf.o && \
		llvm-strip -g steer.bpf.o bypass.bpf.o bypass_xdp.bpf.o && sha256sum walk.bpf.h steer.bpf.c steer.bpf.o > steer.sha256 && \
		sha256sum walk.bpf.h bypass.bpf.c bypass.bpf.o bypass_xdp.bpf.o > bypass.sha256 && \
		cd ../generator && $(CLANG_BPF) -c inject.bpf.c -o inject.bpf.o && llvm-strip -g inject.bpf.o && \
		sha256sum inject.bpf.c inject.bpf.o > inject.sha256

# --- tests ---

.PHONY: test
test: fmt lint check release unit doc deny reference-check score image-gate ## every check that a change must pass
	@left=$$(tests/testbed/peers/guest.sh ready 2>&1 >/dev/null) && left= || left="guests ($$left)"; \
	image=$$(images/gate why); left="$$left$${left:+$${image:+, }}$$image"; \
	echo; echo "make test: passed$${left:+; left out: $$left}"

.PHONY: fmt
fmt: ## formatting
	cargo fmt --all --check

.PHONY: lint
lint: compiler ## clippy, warnings are errors
	cargo clippy --workspace --all-targets --locked -- -D warnings

.PHONY: check
check: compiler ## the rules of the house
	cargo run --quiet --locked --package house-check

.PHONY: unit
unit: compiler release guests ## unit and replay tests; those that need root or corpora say so when they are left out
	@[ -n "$${VIGIE_CORPORA:-}" ] || echo "VIGIE_CORPORA is not set: suites over public captures are left out"
	@[ "$$(id -u)" = 0 ] || echo "not root: suites in network namespaces are left out (sudo -E make netns runs them)"
	@if cargo nextest --version >/dev/null 2>&1; then cargo nextest run --workspace --locked; \
	else cargo test --workspace --locked --lib --bins --tests; fi

.PHONY: doc
doc: compiler ## examples in documentation
	cargo test --workspace --locked --doc --quiet

.PHONY: deny
deny: ## licences, sources and known holes of dependencies
	@if ! cargo deny --version >/dev/null 2>&1; then \
		echo "dependencies not checked: cargo-deny is absent, 'make tools' builds it once"; \
	else \
		cargo deny --locked --config .deny.toml check --hide-inclusion-graph licenses bans sources; \
		if cargo deny --config .deny.toml fetch db >/dev/null 2>&1; then \
			cargo deny --locked --config .deny.toml check --disable-fetch advisories; \
		else echo "known holes not checked: the advisory database cannot be fetched"; fi; \
	fi

.PHONY: netns
netns: compiler release guests ## suites with real interfaces, in network namespaces; needs root
	@if [ "$$(id -u)" != 0 ]; then echo "skipped: network namespaces need root (sudo -E make netns)"; \
	elif cargo nextest --version >/dev/null 2>&1; then cargo nextest run --locked --package testbed; \
	else cargo test --locked --package testbed; fi

# The first time it needs root, a Debian mirror and a minute or two.
.PHONY: guests
guests: compiler ## what suites in guests need: QEMU, kernels, DPDK (kept in VIGIE_CACHE) and the software NIC
	@cargo build --release --locked --package model
	@timeout 900 tests/testbed/peers/guest.sh make || echo "suites in guests are left out"

.PHONY: score
score: release ## conformance and agreement over the corpora, against tests/replay/floors.toml
	@python3 tests/replay/score.py '$(VIGIE_BIN)'

.PHONY: long
long: release ## replay and flood suites at full size
	VIGIE_LONG=1 cargo nextest run --locked --package replay

# --- the appliance ---

FLAVOUR ?= onprem
IMAGE_ARGS := --flavour $(FLAVOUR) $(if $(IMAGE_KEYS),--keys '$(IMAGE_KEYS)') $(if $(IMAGE_VERSION),--version $(IMAGE_VERSION))

# Needs root and a Debian mirror; no loop device, no KVM.
.PHONY: image-tool
image-tool: compiler
	@cargo build --release --locked --quiet --package image-tool

.PHONY: image
image: release image-tool ## an image for virtual machines: FLAVOUR=onprem|aws|gcp|azure, IMAGE_KEYS=FOLDER, IMAGE_VERSION=V
	@images/build $(IMAGE_ARGS)

.PHONY: image-lock
image-lock: ## lock the packages of FLAVOUR to what the mirror has now
	@images/build --flavour $(FLAVOUR) --lock

.PHONY: image-keys
image-keys: ## keys of your own for Secure Boot and updates, in IMAGE_KEYS=FOLDER
	@images/keys '$(IMAGE_KEYS)'

# Only when something changed that goes into it; VIGIE_IMAGE_GATE=0 leaves it out.
.PHONY: image-gate
image-gate: release image-tool guests ## one image and one boot, if it changed since it passed here
	@images/gate

IMAGE_TEST_KEYS := $(if $(IMAGE_KEYS),$(IMAGE_KEYS),$(VIGIE_CACHE)/image/test-keys)

# Half an hour and more without hardware virtualisation. TEST names one of its tests.
.PHONY: image-test
image-test: release image-tool guests ## the image on boards of every hypervisor, updates and accidents, two builds alike; long
	@[ -e '$(IMAGE_TEST_KEYS)/PK.key' ] || images/keys '$(IMAGE_TEST_KEYS)'
	@images/build --keys '$(IMAGE_TEST_KEYS)'
	@VIGIE_IMAGE='$(VIGIE_CACHE)/image/onprem/out' VIGIE_IMAGE_KEYS='$(IMAGE_TEST_KEYS)' \
		cargo test --locked --package testbed --test appliance -- --test-threads 1 --nocapture $(TEST)

# --- measure and attack ---

.PHONY: bench
bench: release ## speed and memory
	cargo run --release --locked --quiet --package bench -- --vigie '$(VIGIE_BIN)' $(ARGS)

.PHONY: bench-driver
bench-driver: compiler ## what receiving a frame costs, without a wire and without a NIC
	cargo run --release --locked --quiet --package bench --bin bench-driver -- $(ARGS)

.PHONY: fuzz
fuzz: compiler ## every fuzz target for FUZZ_SECONDS (20) seconds
	@cargo fuzz --version >/dev/null 2>&1 || cargo install --locked --root '$(TOOLS)' cargo-fuzz
	@for target in $$($(NIGHTLY) fuzz list --fuzz-dir tests/fuzz); do \
		echo "fuzz: $$target, $(FUZZ_SECONDS) s"; \
		corpus='$(CARGO_TARGET_DIR)'/fuzz-corpus/$$target; mkdir -p "$$corpus"; \
		seeds=; case $$target in capture|walk) seeds=tests/cases/bundled;; esac; \
		$(NIGHTLY) fuzz run --fuzz-dir tests/fuzz --target-dir '$(CARGO_TARGET_DIR)/fuzz' "$$target" "$$corpus" $$seeds -- \
			-max_total_time=$(FUZZ_SECONDS) -rss_limit_mb=2048 -timeout=10 -verbosity=0 -print_final_stats=1 2>&1 \
			| grep -vE '^(INFO|NEW|REDUCE|#|")' | tail -n 40; \
	done

VALGRIND := valgrind --quiet --error-exitcode=9 --leak-check=full --show-leak-kinds=definite \
	--errors-for-leak-kinds=definite

.PHONY: sanitize
sanitize: compiler ## AddressSanitizer on the rooms with unsafe code, valgrind on them and the binary, loom on hand-offs
	@echo "AddressSanitizer: frame, device, avf, the drivers, the software NIC, capture (nightly)"
	RUSTFLAGS=-Zsanitizer=address CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)/asan' $(NIGHTLY) test --locked \
		--target $(ASAN_TARGET) --package frame --package device --package avf --package avf-driver --package iavf \
		--package vf-ice --package model --package capture --lib
	@if command -v valgrind >/dev/null; then \
		echo "valgrind: vigie read tests/cases/bundled"; \
		cargo build --locked --package vigie; \
		$(VALGRIND) '$(CARGO_TARGET_DIR)/debug/vigie' read tests/cases/bundled --workers 2 --quiet --eve /dev/null; \
		echo "valgrind: device's tests"; \
		cargo --config "target.'cfg(all())'.runner = '$(VALGRIND)'" test --locked --package device --lib; \
	else echo "valgrind: absent, left out"; fi
	@echo "loom: device, avf-driver"
	RUSTFLAGS='--cfg loom' CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)/loom' cargo test --locked --package device --lib hand_off
	RUSTFLAGS='--cfg loom' CARGO_TARGET_DIR='$(CARGO_TARGET_DIR)/loom' cargo test --locked --package avf-driver --lib loom

# --- upkeep ---

.PHONY: reference
reference: release ## write docs/reference from the catalogues
	cargo run --quiet --locked --package house-check -- reference '$(VIGIE_BIN)' --write

.PHONY: reference-check
reference-check: release ## docs/reference says what the catalogues say
	cargo run --quiet --locked --package house-check -- reference '$(VIGIE_BIN)'

.PHONY: tools
tools: compiler ## build cargo-nextest and cargo-deny where they are absent
	@cargo nextest --version >/dev/null 2>&1 || cargo install --locked --root '$(TOOLS)' cargo-nextest
	@cargo deny --version >/dev/null 2>&1 || cargo install --locked --root '$(TOOLS)' cargo-deny

# Rust needs a linker. This is the only step that asks for root, and only where no compiler is installed.
.PHONY: compiler
compiler:
	@if ! command -v cargo >/dev/null; then echo "Rust is missing: https://rustup.rs says how to install it"; exit 1; fi
	@if ! command -v cc >/dev/null; then \
		echo "No C compiler: Rust needs one to link. The next step installs gcc with apt, and needs root."; \
		sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
		$$sudo apt-get update && $$sudo apt-get install --yes --no-install-recommends gcc libc6-dev; \
	fi
