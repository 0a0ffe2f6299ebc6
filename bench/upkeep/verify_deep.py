#!/usr/bin/env python3
"""Rates of `verify --deep` on generated stores, one core's worth of CPU time, answers checked.

Usage: bench/upkeep/verify_deep.py --build build/release
Runs lamina_catalog_bench (src/lamina/catalog/verify_bench.cc): chunks are hashed, rows are summed
up, unpacked and compared with their statistics; a changed byte must be found.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import machine

BOUNDS = {  # benchmark: (figure, GB/s of one core that it must reach)
    "BM_VerifyChunks": ("verify --deep of chunks (SHA-256)", 1.0),
    "BM_VerifyRows": ("verify --deep of lake files: checksums, unpacking, statistics", 0.2),
    "BM_Statistics": ("statistics against rows, alone", 0.2),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=Path("build/release"))
    parser.add_argument("--tools", help="not used; for all scenarios alike")
    parser.add_argument("--out", type=Path, default=Path("bench/results"))
    arguments = parser.parse_args()
    command = [
        arguments.build / "lamina_catalog_bench", "--benchmark_format=json",
        "--benchmark_filter=BM_Verify|BM_Statistics", "--benchmark_min_time=1",
    ]  # fmt: skip
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    load = os.getloadavg()[0]
    rows, good = [], True
    for one in json.loads(done.stdout)["benchmarks"]:
        if one.get("error_occurred"):
            raise SystemExit(f"{one['name']}: {one['error_message']}")
        figure, bound = BOUNDS[one["name"].split("/")[0]]
        rate = one["bytes_per_second"] / 1e9
        kept = rate >= bound
        good = good and kept
        rows.append(f"| {figure} | {rate:.2f} | {bound} | {'yes' if kept else 'NO'} |")
        print(f"{'yes' if kept else 'NO':<4}{figure:<66}{rate:6.2f} GB/s  >= {bound}")
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines = [
        "# verify --deep", "",
        f"{machine.describe()}; load of the machine "
        f"{load:.1f} (1 minute), build `{arguments.build.name}`. Made by "
        "`bench/upkeep/verify_deep.py`: CPU time of all threads, so that a rate is one core's; "
        "bytes of chunks, and of values (8 each). Answers are checked.", "",
        "| figure | GB/s a core | bound | kept |", "|---|---|---|---|", *rows,
    ]  # fmt: skip
    (arguments.out / "verify_deep.md").write_text("\n".join(lines) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
