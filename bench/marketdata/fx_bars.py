"""Hourly bars of 24 FX instruments: save, size, load, one month, many small saves.

    PYTHONPATH=build/release/pylib python bench/marketdata/fx_bars.py BARS.parquet [--folder DIR]

BARS.parquet: timestamp (int64 ns UTC), instrument, open, high, low, close. Every answer is compared
with the file before its time counts.
"""

import argparse
import itertools
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pyarrow.compute as pc
import pyarrow.parquet as pq

import lamina

YEAR = ("2024-01-01", "2025-01-01")
PRICES = ["open", "high", "low", "close"]


def source(path: Path) -> dict[str, pyarrow.Table]:
    table = pq.read_table(path)
    stamps = table["timestamp"].cast(pyarrow.timestamp("ns", "UTC"))
    table = table.set_column(0, "timestamp", stamps)
    names = sorted(table["instrument"].unique().to_pylist())
    return {
        name: table.filter(pc.equal(table["instrument"], name)).drop_columns(["instrument"])
        for name in names
    }


def median_ms(work: Callable[[], Any], times: int) -> float:
    spans = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        spans.append(time.perf_counter() - begin)
    return statistics.median(spans) * 1000


def same(loaded: pyarrow.Table, given: pyarrow.Table) -> bool:
    stamps = given["timestamp"].cast(pyarrow.timestamp("us", "UTC"))
    return loaded["timestamp"].equals(stamps) and all(
        numpy.array_equal(loaded[name].to_numpy(), given[name].to_numpy()) for name in PRICES
    )


def between(table: pyarrow.Table, first: str, after: str) -> pyarrow.Table:
    stamp = lambda at: pyarrow.scalar(numpy.datetime64(at, "ns")).cast("int64")  # noqa: E731
    low, high = stamp(first), stamp(after)
    stamps = table["timestamp"].cast("int64")
    return table.filter(pc.and_(pc.greater_equal(stamps, low), pc.less(stamps, high)))


def line(what: str, value: float, unit: str, bound: float) -> None:
    mark = "ok" if value <= bound else "OVER"
    print(f"{what:<52} {value:>9.2f} {unit:<6} bound {bound:>7g}  {mark}", flush=True)


def run(path: Path, folder: Path) -> None:
    bars = source(path)
    count = sum(table.num_rows for table in bars.values())
    with lamina.open(folder / "store", create=True) as store:
        begin = time.perf_counter()
        for name, table in bars.items():
            store.bars.save(table, name)
        line(f"save {count:,} bars, one save an instrument", time.perf_counter() - begin, "s", 3)
        info = store.datasets.get("ohlcv")
        if info["rows"] != count:
            raise SystemExit(f"{info['rows']} bars stored, not {count}")
        line("stored", info["bytes"] / count, "B/bar", 13.5)
        for name, table in bars.items():
            if not same(store.bars.load(name).to_arrow(), table):
                raise SystemExit(f"{name}: loaded bars differ")
        name = "EUR_USD"
        year = between(bars[name], *YEAR)
        if not same(store.bars.load(name, *YEAR).to_arrow(), year):
            raise SystemExit("one year differs")
        span = median_ms(lambda: store.bars.load(name, *YEAR), 60)
        line("load one instrument, one year", span, "ms", 1.5)
        rows = sum(between(table, *YEAR).num_rows for table in bars.values())
        if store.bars.load(None, *YEAR).num_rows != rows:
            raise SystemExit("a year of all differs")
        span = median_ms(lambda: store.bars.load(None, *YEAR), 30)
        line("load all instruments, one year", span, "ms", 15)
        two = ["timestamp", "close"]
        span = median_ms(lambda: store.bars.load(None, *YEAR, columns=two), 30)
        line("the same, two columns", span, "ms", 15)
        span = median_ms(lambda: store.bars.load(None, *YEAR, by_time=True), 10)
        line("the same, sorted by time", span, "ms", 60)
    with lamina.open(folder / "months", create=True) as store:
        starts = [f"{year}-{month:02}-01" for year in (2023, 2024) for month in range(1, 13)]
        months = [between(bars[name], *pair) for pair in itertools.pairwise(starts)]
        store.bars.save(months[0].slice(0, 1), name)
        spans = []
        for month in months:
            begin = time.perf_counter()
            store.bars.save(month, name)
            spans.append((time.perf_counter() - begin) * 1000)
        line("save one month durably", statistics.median(spans), "ms", 5)
    with lamina.open(folder / "small", create=True) as store:
        table = bars[name].slice(0, 2000 * 3)
        begin = time.perf_counter()
        for at in range(0, table.num_rows, 3):
            store.bars.save(table.slice(at, 3), name)
        span = (time.perf_counter() - begin) / 2000 * 1000
        after = median_ms(lambda: store.bars.load(name), 30)
        files = store.datasets.get("ohlcv")["files"]
        if not same(store.bars.load(name).to_arrow(), table):
            raise SystemExit("small saves differ")
        store.compact("bars.ohlcv")
        compacted = median_ms(lambda: store.bars.load(name), 30)
        print(f"  {files} files; {after:.2f} ms, compacted {compacted:.2f} ms")
        line("2,000 saves of 3 bars: each", span, "ms", 10)
        line("load after them, against compacted", after / compacted, "times", 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("bars", type=Path)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    folder = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        run(given.bars, folder)
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()
