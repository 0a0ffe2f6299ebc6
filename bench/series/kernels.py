#!/usr/bin/env python3
"""Time bars, as-of joins and merges over sorted columns beside DuckDB and Polars, answers checked.

Usage: bench/series/kernels.py --build build/release [--rows 10000000]
The kernels alone are timed by lamina_series_bench (one core, CPU time); the same work from Python
on Arrow tables stands beside DuckDB and Polars, each with the threads that it takes.
"""

import argparse
import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import machine
from timing import best_of

SECOND = 1_000_000_000
BOUNDS = {  # benchmark: (figure, rows/s it must reach, in millions)
    "BM_TradeBars/minutes": ("1-minute OHLCV, kernel", 400.0),
    "BM_Asof/backward": ("as-of join backward, kernel", 50.0),
    "BM_Merge/100": ("merge of 100 inputs, kernel", 20.0),
}


def trades_and_quotes(rows: int) -> tuple[pa.Table, pa.Table]:
    random = np.random.default_rng(7)
    start = 1_704_067_200 * SECOND

    def stamps() -> np.ndarray:
        return start + np.cumsum(random.integers(1, 200_000_000, rows))

    mid = 100 + np.cumsum(random.normal(0, 0.01, rows))
    trades = pa.table(
        {"ts_ns": stamps(), "price": mid.round(2), "size": random.integers(1, 500, rows) * 1.0}
    )
    mid = 100 + np.cumsum(random.normal(0, 0.01, rows))
    quotes = pa.table({"ts_ns": stamps(), "bid": mid.round(2), "ask": (mid + 0.01).round(2)})
    return trades, quotes


class Bench:
    def __init__(self):
        self.rows: list[tuple[str, float, str, str]] = []

    def report(self, figure: str, millions: float, bound: float | None = None, note: str = ""):
        kept = "" if bound is None else ("yes" if millions >= bound else "NO")
        shown = "" if bound is None else f">= {bound:.0f}"
        self.rows.append((figure, millions, shown, kept))
        print(
            f"{kept or '   ':<4} {figure:<48} {millions:>9.1f} M rows/s  {shown:<8} {note}",
            flush=True,
        )

    def kernels(self, program: Path) -> None:
        done = subprocess.run(
            [str(program), "--benchmark_format=json", "--benchmark_min_time=0.5"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        for one in json.loads(done.stdout)["benchmarks"]:
            if one.get("error_occurred"):
                raise SystemExit(f"{one['name']}: {one['error_message']}")
            rate = one["items_per_second"] / 1e6
            known = next((key for key in BOUNDS if one["name"].startswith(key)), None)
            figure, bound = BOUNDS[known] if known else (one["name"][3:] + ", kernel", None)
            self.report(figure, rate, bound)

    def bars(self, trades: pa.Table) -> None:
        import duckdb
        import polars

        import lamina

        rows = trades.num_rows / 1e6
        seconds, ours = best_of(3, lambda: lamina.resample(trades, "1m").to_arrow())
        self.report("1-minute OHLCV from Python on Arrow", rows / seconds)
        connection = duckdb.connect()
        connection.execute("SET threads = 1")  # with more, first and last are not those of the rows
        connection.register("trades", trades)
        query = """SELECT ts_ns // 60000000000 AS minute, first(price), max(price), min(price),
            last(price), sum(size), count(*) FROM trades GROUP BY 1 ORDER BY 1"""
        seconds, theirs = best_of(3, lambda: connection.execute(query).to_arrow_table())
        self.report("  DuckDB, one thread", rows / seconds)
        for column, of_ours in enumerate(("open", "high", "low", "close"), start=1):
            assert np.array_equal(theirs.column(column).to_numpy(), ours[of_ours].to_numpy()), (
                of_ours
            )
        assert np.allclose(theirs.column(5).to_numpy(), ours["volume"].to_numpy(), rtol=1e-12)
        frame = polars.from_arrow(trades).with_columns(
            polars.col("ts_ns").cast(polars.Datetime("ns")).alias("time").set_sorted()
        )
        price = polars.col("price")
        work = lambda: frame.group_by_dynamic("time", every="1m").agg(  # noqa: E731
            price.first().alias("open"), price.max().alias("high"), price.min().alias("low"),
            price.last().alias("close"), polars.col("size").sum(),
        )  # fmt: skip
        seconds, theirs = best_of(3, work)
        self.report(f"  Polars, {polars.thread_pool_size()} threads", rows / seconds)
        assert np.array_equal(theirs["close"].to_numpy(), ours["close"].to_numpy())

    def asof(self, trades: pa.Table, quotes: pa.Table) -> None:
        import polars

        import lamina

        rows = trades.num_rows / 1e6
        seconds, ours = best_of(3, lambda: lamina.asof(trades, quotes).to_arrow())
        self.report("as-of join from Python on Arrow", rows / seconds)
        left = polars.from_arrow(trades).with_columns(polars.col("ts_ns").set_sorted())
        right = polars.from_arrow(quotes).with_columns(polars.col("ts_ns").set_sorted())
        seconds, theirs = best_of(3, lambda: left.join_asof(right, on="ts_ns"))
        self.report(f"  Polars, {polars.thread_pool_size()} threads", rows / seconds)
        bids = ours["bid"].combine_chunks().to_numpy(zero_copy_only=False)
        assert np.array_equal(theirs["bid"].to_numpy(), bids, equal_nan=True)

    def save(self, folder: Path, rows: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        lines = [
            "# Series kernels", "",
            f"{machine.describe()}. Made by `bench/series/kernels.py`; answers "
            "are checked. "
            f"From Python: {rows:,} rows, best of three. Peak memory of the whole run, input and "
            f"the other libraries included: {memory:,.0f} MB.", "",
            "| figure | M rows/s | bound | kept |", "|---|---|---|---|",
        ]  # fmt: skip
        lines += [
            f"| {figure} | {rate:.1f} | {bound} | {kept} |"
            for figure, rate, bound, kept in self.rows
        ]
        (folder / "series_kernels.md").write_text("\n".join(lines) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--tools", help="not used; for all scenarios alike")
    parser.add_argument("--out", default="bench/results")
    parser.add_argument("--rows", type=int, default=10_000_000)
    arguments = parser.parse_args()
    sys.path.insert(0, str(Path(arguments.build).resolve() / "pylib"))
    bench = Bench()
    bench.kernels(Path(arguments.build) / "lamina_series_bench")
    trades, quotes = trades_and_quotes(arguments.rows)
    bench.bars(trades)
    bench.asof(trades, quotes)
    bench.save(Path(arguments.out), arguments.rows)
    return 0 if all(kept != "NO" for *_, kept in bench.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
