#!/bin/bash
# Run all tests of one preset's build tree and count them. Usage: tools/run_tests.sh PRESET JOBS
set -uo pipefail
cd "$(dirname "$0")/.."
build=build/$1
rm -rf "$build/results"
mkdir -p "$build/results"
ctest --preset "$1" -j "$2" --output-junit "$PWD/$build/results/ctest.xml"
status=$?
.venv/bin/python tools/count_tests.py "$build/results" || status=1
exit $status
