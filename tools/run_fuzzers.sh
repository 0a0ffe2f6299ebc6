#!/bin/bash
# Run every fuzz target of a build tree on its committed corpus.
# Usage: tools/run_fuzzers.sh BUILD SECONDS
# New inputs go to BUILD/corpus/; a crash leaves its input beside them and fails the run.
set -euo pipefail
cd "$(dirname "$0")/.."
build=$1 seconds=$2
targets=$(git ls-files 'src/*_fuzz.cc' | xargs -n1 basename | sed 's/\.cc$//')
for target in $targets; do
  echo "== $target: $seconds s"
  mkdir -p "$build/corpus/$target" "fuzz/corpus/$target"
  "$build/$target" -max_total_time="$seconds" -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$build/corpus/$target/" "$build/corpus/$target" "fuzz/corpus/$target" 2>&1 |
    grep -E 'stat::number_of_executed|stat::peak_rss|ERROR|SUMMARY|Test unit written' || true
  [ "${PIPESTATUS[0]}" = 0 ] || { echo "$target failed" >&2; exit 1; }
done
