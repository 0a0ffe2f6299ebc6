# Verbs only: set-up is in tools/setup.sh, builds are in CMakePresets.json. `make help` lists the verbs.
JOBS ?= $(shell nproc)
PY   := .venv/bin/python
STORE ?= build/demo-store
say   = @printf '== %s\n' "$(1)"

.DEFAULT_GOAL := help
.PHONY: help deps build demo test install wheel headers asan tsan fuzz crash soak soak-ticks bench fmt tidy clean

help:            ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## */\t/' | expand -t 12

deps:            ## Debian packages and .venv (installs what is missing)
	@tools/setup.sh

build/%/build.ninja: tools/requirements-dev.txt CMakePresets.json | deps
	$(call say,configuring $*)
	@mkdir -p build
	@cmake --preset $* > build/configure-$*.log 2>&1 || { cat build/configure-$*.log; exit 1; }
	@touch $@

build: deps build/dev/build.ninja    ## compile everything (preset dev)
	$(call say,compiling)
	@cmake --build --preset dev -j $(JOBS)

demo: deps build/dev/build.ninja     ## make a market, run and store a parameter sweep, rank it, export one bundle
	$(call say,compiling the lamina command)
	@cmake --build --preset dev -j $(JOBS) --target lamina
	$(call say,demo: a store in $(STORE))
	@build/dev/bin/lamina demo $(STORE)

test: build      ## all tests: C++, Python, lints
	$(call say,testing)
	@tools/run_tests.sh dev $(JOBS)

install: deps    ## editable install into .venv (an edit rebuilds at the next import)
	$(PY) -m pip install -q --disable-pip-version-check --no-build-isolation -Ceditable.rebuild=true -e .

wheel: deps      ## build the wheel and try it outside the tree
	$(PY) tools/check_wheel.py --keep build/wheel

headers: deps build/dev/build.ninja  ## compile every header alone
	@cmake --build --preset headers -j $(JOBS)

asan: deps build/asan-ubsan/build.ninja    ## C++ and Python tests under address and undefined sanitizers
	@cmake --build --preset asan-ubsan -j $(JOBS)
	@tools/run_tests.sh asan-ubsan $(JOBS)

tsan: deps build/tsan/build.ninja    ## C++ tests under the thread sanitizer
	@cmake --build --preset tsan -j $(JOBS)
	@tools/run_tests.sh tsan $(JOBS)

SECONDS ?= 60
fuzz:            ## fuzz every decoder SECONDS each (clang-19)
	@tools/setup.sh clang-19 libclang-rt-19-dev
	@$(MAKE) --no-print-directory build/fuzz/build.ninja
	@cmake --build --preset fuzz -j $(JOBS)
	@tools/run_fuzzers.sh build/fuzz $(SECONDS)

crash: deps build/dev/build.ninja    ## cut power at 20,000 places and more, fail 5,000 calls, flip 20,000 bytes (an hour)
	@cmake --build --preset dev -j $(JOBS) --target lamina_crash
	@build/dev/bin/lamina_crash --states 50000 --faults 5000 --flips 20000 --jobs $(JOBS) --report build/crash.md

soak: SECONDS = 3600
soak: deps build/dev/build.ninja     ## writers and readers, killed at random, for SECONDS (an hour)
	@cmake --build --preset dev -j $(JOBS) --target lamina
	@$(PY) tests/crash/soak.py --binary build/dev/bin/lamina --seconds $(SECONDS)

soak-ticks: SECONDS = 1200
soak-ticks: deps build/dev/build.ninja    ## the same for ticks, for SECONDS (twenty minutes)
	@cmake --build --preset dev -j $(JOBS) --target lamina_pylib
	@PYTHONPATH=build/dev/pylib $(PY) tests/crash/soak_ticks.py --seconds $(SECONDS)

bench: deps build/release/build.ninja    ## figures with checked answers (quiet machine; -O2)
	@cmake --build --preset release -j $(JOBS) --target lamina lamina_pylib lamina_bundle_bench lamina_series_bench lamina_catalog_bench lamina_tick_log_bench
	@for script in bench/*/*.py; do $(PY) $$script --build build/release --tools ../shared/tools --out bench/results || exit 1; done

fmt: deps        ## format all C++ and Python files
	@$(PY) tools/check_format.py --fix

tidy: build      ## clang-tidy over the sources (minutes)
	@tools/setup.sh clang-tidy-19
	@git ls-files 'src/*.cc' 'python/src/*.cc' | grep -vE '_(test|bench|fuzz)\.cc$$' | xargs -P $(JOBS) -n 4 clang-tidy-19 -p build/dev --quiet

clean:           ## remove build/ (keeps .venv)
	rm -rf build
