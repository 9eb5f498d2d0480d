# Thin: everything is done by Meson and the scripts in tools/. `make help` lists the targets.
BUILD ?= build
MESON ?= meson
NINJA ?= ninja
SETUP ?=
FUZZ_SECONDS ?= 60
JOBS := $(shell nproc 2>/dev/null || echo 2)

.PHONY: help build demo test bench bench-quick install uninstall clean asan tsan valgrind warnings fuzz test-aarch64 deps \
	deps-dev dist reproduce deb deb-arm64 test-package

help:
	@echo "make build     the tool at $(BUILD)/dain, the library beside it"
	@echo "make demo      the demo clip at twice its rate, in demo/"
	@echo "make test      all tests"
	@echo "make bench     ours beside other engines and methods (docs/benchmarks.md), BENCH=options of bench/run.py"
	@echo "make bench-quick  kernels against the processor's peak, then the tool's own benchmark"
	@echo "make install   install (DESTDIR=, SETUP=--prefix=/usr before the first build)"
	@echo "make uninstall  remove what make install put there (the same build folder, the same DESTDIR=)"
	@echo "make dist      dist/dain-VERSION.tar.gz of the last commit, built and tested by itself"
	@echo "make deb       Debian packages in dist/deb, and lintian; deb-arm64 cross-builds them (root)"
	@echo "make test-package  install them into a bare Debian 12 and run the demo clip there (root)"
	@echo "make reproduce  two builds in two places: the same hashes"
	@echo "make asan      all tests under the address and undefined-behaviour sanitizers"
	@echo "make tsan      all tests under the thread sanitizer"
	@echo "make valgrind  unit tests and one small run of the tool under valgrind"
	@echo "make warnings  gcc and clang builds in which any warning is an error"
	@echo "make fuzz      every fuzz target for FUZZ_SECONDS=$(FUZZ_SECONDS)"
	@echo "make test-aarch64  cross-built library tests under qemu-aarch64"
	@echo "make clean     remove all build folders and the demo's result"

build: deps $(BUILD)/build.ninja
	$(NINJA) -C $(BUILD) -j $(JOBS)

$(BUILD)/build.ninja:
	$(MESON) setup $(BUILD) $(SETUP)

demo: build
	tools/demo.sh $(BUILD)/dain

test: build
	$(MESON) test -C $(BUILD) --no-rebuild --print-errorlogs

bench: build
	bench/run.py --build $(BUILD) --json $(BUILD)/bench.json --markdown $(BUILD)/bench.md $(BENCH)

bench-quick: build
	$(BUILD)/tests/checkasm/checkasm --bench
	$(BUILD)/dain bench

install: build
	$(MESON) install -C $(BUILD) --no-rebuild

uninstall:
	tools/uninstall.py $(BUILD)

dist: deps
	tools/dist.sh

deb: deps
	tools/install-deps.sh --deb
	tools/deb.sh

deb-arm64:
	tools/install-deps.sh --chroot
	tools/cross-deb.sh arm64

test-package:
	tools/install-deps.sh --chroot
	tools/test-package.sh

reproduce: deps
	tools/install-deps.sh --deb
	tools/reproduce.sh

asan: deps
	tools/sanitize.sh build-asan address,undefined

tsan: deps
	tools/sanitize.sh build-tsan thread

valgrind: deps-dev build
	tools/valgrind.sh $(BUILD)

warnings: deps-dev
	tools/warnings.sh

fuzz: deps-dev
	tools/fuzz.sh $(FUZZ_SECONDS)

test-aarch64: deps
	tools/test-aarch64.sh

deps:
	@tools/install-deps.sh

deps-dev:
	@tools/install-deps.sh --dev

clean:
	rm -rf $(BUILD) build-asan build-tsan build-gcc build-clang build-fuzz build-aarch64 demo dist
