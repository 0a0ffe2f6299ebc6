#!/usr/bin/env python3
"""Put small backtests one by one and count the live lake files: merges keep them few.

Usage: bench/upkeep/small_puts.py --build build/release [--puts 12500]
Every put is a commit of its own. In the end all of them are there and the store verifies.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python" / "tests"))  # bundles.py
import machine
from bundles import small_document

LIVE_FILES_MAX = 500


def document(number: int) -> dict:
    values = [1000.0 + number * day for day in range(1, 6)]
    return small_document(
        f"a{number}", values, parameters={"number": number}, metrics={"sharpe_ratio": 1.0}
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=Path("build/release"))
    parser.add_argument("--tools", help="not used; for all scenarios alike")
    parser.add_argument("--out", type=Path, default=Path("bench/results"))
    parser.add_argument("--puts", type=int, default=12_500)
    arguments = parser.parse_args()
    sys.path.insert(0, str(arguments.build.resolve() / "pylib"))
    import lamina

    folder = Path(tempfile.mkdtemp(prefix="lamina-puts-"))
    most, times = 0, []
    with lamina.open(folder / "store", create=True) as store:
        for number in range(arguments.puts):
            began = time.perf_counter()
            store.backtests.put(document(number), handle=f"h/{number}")
            times.append(time.perf_counter() - began)
            if number % 50 == 49 or number + 1 == arguments.puts:
                files = {table["table"]: table["files"] for table in store.stats()["tables"]}
                most = max(most, sum(files.values()))
        assert len(store.backtests) == arguments.puts
        (values,) = store.sql(
            "SELECT sum(total_value) FROM backtests.portfolio_snapshots"
        ).fetchone()
        expected = sum(
            1000.0 + number * day for number in range(arguments.puts) for day in range(1, 6)
        )
        assert values == expected, (values, expected)
        assert store.verify()
    shutil.rmtree(folder)
    times.sort()
    median, slowest = times[len(times) // 2] * 1e3, times[-1] * 1e3
    kept = most <= LIVE_FILES_MAX
    print(
        f"{'yes' if kept else 'NO':<4}at most {most} live files after {arguments.puts} puts "
        f"(<= {LIVE_FILES_MAX}); in the end {files}; a put {median:.1f} ms, "
        f"slowest {slowest:.0f} ms"
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    lines = [
        "# Small puts", "",
        f"{machine.describe()}; load of the machine "
        f"{os.getloadavg()[0]:.1f} (1 minute), build `{arguments.build.name}`. Made by "
        "`bench/upkeep/small_puts.py`: each put a commit, files counted every 50; answers are "
        "checked.", "",
        "| figure | value | bound | kept |", "|---|---|---|---|",
        f"| puts | {arguments.puts} | | |",
        f"| live lake files at most, all tables | {most} | {LIVE_FILES_MAX} | "
        f"{'yes' if kept else 'NO'} |",
        f"| a put, median ms | {median:.1f} | | |",
        f"| a put with merges, slowest ms | {slowest:.0f} | | |",
    ]  # fmt: skip
    (arguments.out / "small_puts.md").write_text("\n".join(lines) + "\n")
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
