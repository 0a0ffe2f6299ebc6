#!/usr/bin/env python3
"""Time the index of a folder of bundles: cold, with nothing changed, and a top list from it.

Usage: bench/backtests/folder_index.py --build build/release --tools ../shared/tools [--bundles N]
       [--folder FOLDER]
Bundles are generated once into build/bench, unless a folder of them is given.
"""

import argparse
import json
import sqlite3
import statistics
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import bundles
import machine


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--tools", default="../shared/tools")
    parser.add_argument("--work", default="build/bench")
    parser.add_argument("--out", default="bench/results")
    parser.add_argument("--bundles", type=int, default=12500)
    parser.add_argument("--folder")
    parser.add_argument("--repeat", type=int, default=21)
    arguments = parser.parse_args()
    lamina = Path(arguments.build) / "bin" / "lamina"
    if arguments.folder:
        folder = Path(arguments.folder).resolve()
    else:
        folder = Path(arguments.work).resolve() / f"small-{arguments.bundles}"
        tools = Path(arguments.tools)
        bundles.generated(tools, folder, arguments.bundles, "--shape", "small")
    index = Path(arguments.work).resolve() / "folder_index.sqlite"
    index.parent.mkdir(parents=True, exist_ok=True)
    for path in index.parent.glob(index.name + "*"):
        path.unlink()
    good = True
    lines = ["# Index of a folder", "", f"{machine.describe()}.", ""]
    lines += ["Made by `bench/backtests/folder_index.py`.", ""]
    lines += ["| figure | ms | bound | peer |", "|---|---|---|---|"]

    def run(*words) -> tuple[object, float]:
        began = time.perf_counter()
        done = subprocess.run([lamina, "--json", *map(str, words)], capture_output=True)
        seconds = time.perf_counter() - began
        if done.returncode != 0:
            raise SystemExit(f"{words}: {done.stderr.decode()}")
        return json.loads(done.stdout), seconds

    def report(figure: str, milliseconds: float, bound: float | None, peer: str = "") -> None:
        nonlocal good
        kept = bound is None or milliseconds <= bound
        good &= kept
        limit = "" if bound is None else f"<= {bound:g} ms"
        print(
            f"{'ok  ' if kept else 'MISS'} {figure:<52} {milliseconds:>10.1f} ms  {limit}  {peer}"
        )
        lines.append(f"| {figure} | {milliseconds:.1f} | {limit} | {peer} |")

    count = sum(1 for path in folder.rglob("*") if path.suffix in (".iafbt", ".obtf"))
    first, cold = run("index", folder, "-o", index)
    assert first["indexed"] == count and not first["failed"], first
    report(f"index of {count} bundles, cold", cold * 1e3, None, "framework: 86 s for 12,500")
    again, _ = run("index", folder, "-o", index)
    assert again["skipped"] == count and again["indexed"] == 0, again
    times = [run("index", folder, "-o", index)[1] * 1e3 for _ in range(arguments.repeat)]
    report("index with nothing changed, median", statistics.median(times), 150, "framework: 536 ms")
    for metric, bound in (("sharpe_ratio", 25), ("calmar_ratio", 50)):
        words = ("list", index, "--sort", metric, "--limit", 20, "--columns", f"handle,{metric}")
        rows, _ = run(*words)
        with sqlite3.connect(index) as database:
            judged = database.execute(
                f"SELECT summary_{metric} FROM backtest_index WHERE universe_key = '' "
                f"ORDER BY summary_{metric} DESC NULLS LAST LIMIT 20"
            ).fetchall()
        assert [(row[metric],) for row in rows] == judged
        times = [run(*words)[1] * 1e3 for _ in range(arguments.repeat)]
        report(f"top-20 by {metric}, whole command, median", statistics.median(times), bound)
    times = [run("rank", index, "--focus", "balanced", "--limit", 20)[1] * 1e3 for _ in range(5)]
    report("top-20 by weights, whole command, median", statistics.median(times), None)
    print(f"     index file: {index.stat().st_size / 1e6:.1f} MB")
    out = Path(arguments.out)
    out.mkdir(parents=True, exist_ok=True)
    (out / "backtests_folder_index.md").write_text("\n".join(lines) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
