#!/usr/bin/env python3
"""Hourly bars of 24 FX instruments beside other stores: save, size, loads, a month, small saves.

Usage: bench/market/hourly_bars.py --build build/release [--tools ../shared/tools] [--small 2000]
    [--daily 5000] [--folder DIR]

Every contender runs in a process of its own (peak memory), one after the other, on the same disk.
Loaded rows are compared with the file before a time counts. ArcticDB is installed from PyPI into an
environment of its own below build/bench.
"""

import argparse
import itertools
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import bar_stores
import machine
import numpy
import pyarrow
import pyarrow.compute as pc
import pyarrow.parquet as pq
from environment import python_with

YEAR = ("2024-01-01", "2025-01-01")
NAME = "EUR_USD"
PRICES = ["open", "high", "low", "close"]
#: figure, unit, bound
FIGURES = {
    "save": ("save all, one save an instrument", "s", 3.0),
    "save_at_once": ("save all at once", "s", 3.0),
    "bytes": ("stored", "B a bar", 13.5),
    "bytes_folded": ("stored, compacted", "B a bar", 13.5),
    "one": ("one instrument, one year", "ms", 1.5),
    "all": ("all instruments, one year", "ms", 15.0),
    "two": ("the same, two columns", "ms", 15.0),
    "by_time": ("the same, sorted by time", "ms", 60.0),
    "month": ("one month saved durably", "ms", 5.0),
    "small": ("small saves of 3 bars, each", "ms", 10.0),
    "small_files": ("files after them", "", None),
    "small_ratio": ("load after them against compacted", "times", 2.0),
    "daily": ("daily bars of ten years, each instrument", "ms", None),
    "daily_bytes": ("stored of them", "B a bar", None),
    "daily_one": ("one of these instruments, ten years", "ms", None),
    "daily_all": ("all of them, one month", "ms", None),
    "memory": ("peak memory", "MiB", None),
}


def source(path: Path) -> dict[str, pyarrow.Table]:
    """Bars by instrument; timestamp in microseconds UTC."""
    table = pq.read_table(path)
    stamps = table["timestamp"].cast(pyarrow.timestamp("ns", "UTC"))
    table = table.set_column(0, "timestamp", stamps.cast(pyarrow.timestamp("us", "UTC")))
    names = sorted(table["instrument"].unique().to_pylist())
    return {
        name: table.filter(pc.equal(table["instrument"], name)).drop_columns(["instrument"])
        for name in names
    }


def between(table: pyarrow.Table, first: str, after: str) -> pyarrow.Table:
    """Rows with first <= timestamp < after."""
    low, high = (numpy.datetime64(at, "us").astype(int) for at in (first, after))
    stamps = table["timestamp"].cast("int64")
    return table.filter(pc.and_(pc.greater_equal(stamps, low), pc.less(stamps, high)))


def months(table: pyarrow.Table) -> list[pyarrow.Table]:
    """23 months of two years."""
    starts = [f"{year}-{month:02}-01" for year in (2023, 2024) for month in range(1, 13)]
    return [between(table, *pair) for pair in itertools.pairwise(starts)]


def median_ms(work: Callable[[], Any], times: int) -> float:
    """Of `times` calls, after one that does not count."""
    work()
    spans = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        spans.append(time.perf_counter() - begin)
    return statistics.median(spans) * 1000


def must(right: bool, what: str) -> None:
    """A wrong answer ends the run."""
    if not right:
        raise SystemExit(f"wrong answer: {what}")


def same(loaded: pyarrow.Table, given: pyarrow.Table) -> bool:
    """Times equal, prices equal bit for bit."""
    return loaded["timestamp"].equals(given["timestamp"]) and all(
        numpy.array_equal(loaded[name].to_numpy().view("i8"), given[name].to_numpy().view("i8"))
        for name in PRICES
    )


def lamina_loads(store: Any, bars: dict[str, pyarrow.Table]) -> dict[str, float]:
    """Loads of one year, checked."""
    year = between(bars[NAME], *YEAR)
    must(same(store.bars.load(NAME, *YEAR).to_arrow(), year), "one year")
    everything = store.bars.load(None, *YEAR).to_arrow()
    given = pyarrow.concat_tables(between(table, *YEAR) for _, table in sorted(bars.items()))
    must(same(everything, given), "a year of all")
    two = ["timestamp", "close"]
    return {
        "one": median_ms(lambda: store.bars.load(NAME, *YEAR), 60),
        "all": median_ms(lambda: store.bars.load(None, *YEAR), 30),
        "two": median_ms(lambda: store.bars.load(None, *YEAR, columns=two), 30),
        "by_time": median_ms(lambda: store.bars.load(None, *YEAR, by_time=True), 10),
    }


def lamina_bars(folder: Path, bars: dict[str, pyarrow.Table]) -> dict[str, float]:
    """Save one by one, and all at once; loads."""
    import lamina

    found: dict[str, float] = {}
    count = sum(table.num_rows for table in bars.values())
    with lamina.open(folder / "store", create=True) as store:
        begin = time.perf_counter()
        for name, table in bars.items():
            store.bars.save(table, name)
        found["save"] = time.perf_counter() - begin
        info = store.datasets.get("ohlcv")
        must(info["rows"] == count, "bars stored")
        found["bytes"] = info["bytes"] / count
        for name, table in bars.items():
            must(same(store.bars.load(name).to_arrow(), table), name)
        found |= lamina_loads(store, bars)
        store.compact("bars.ohlcv")
        found["bytes_folded"] = store.datasets.get("ohlcv")["bytes"] / count
        lamina_loads(store, bars)
        must(bool(store.verify()), "verify")
    everything = bar_stores.flat(bars)
    with lamina.open(folder / "once", create=True) as store:
        begin = time.perf_counter()
        store.bars.save(everything)
        found["save_at_once"] = time.perf_counter() - begin
        must(same(store.bars.load().to_arrow(), everything), "saved at once")
    return found


def lamina_small(folder: Path, table: pyarrow.Table, saves: int) -> dict[str, float]:
    """A month at a time; three bars at a time."""
    import lamina

    found: dict[str, float] = {}
    with lamina.open(folder / "months", create=True) as store:
        parts = months(table)
        store.bars.save(parts[0].slice(0, 1), NAME)
        spans = []
        for part in parts:
            begin = time.perf_counter()
            store.bars.save(part, NAME)
            spans.append((time.perf_counter() - begin) * 1000)
        found["month"] = statistics.median(spans)
    with lamina.open(folder / "small", create=True) as store:
        table = table.slice(0, saves * 3)
        begin = time.perf_counter()
        for at in range(0, table.num_rows, 3):
            store.bars.save(table.slice(at, 3), NAME)
        found["small"] = (time.perf_counter() - begin) / saves * 1000
        after = median_ms(lambda: store.bars.load(NAME), 50)
        found["small_files"] = store.datasets.get("ohlcv")["files"]
        must(same(store.bars.load(NAME).to_arrow(), table), "small saves")
        store.compact("bars.ohlcv")
        found["small_ratio"] = after / median_ms(lambda: store.bars.load(NAME), 50)
    return found


def daily_bars(number: int) -> pyarrow.Table:
    """2,600 weekdays of ten years, prices in cents."""
    random = numpy.random.default_rng(number)
    days = numpy.datetime64("2015-01-01") + numpy.arange(2600) * 7 // 5
    cents = 10_000 + random.integers(-150, 151, 2600).cumsum().clip(-9_000)
    around = random.integers(0, 60, (2, 2600))
    columns = {"open": cents, "high": cents + around[0], "low": cents - around[1], "close": cents}
    stamps = pyarrow.array(days.astype("datetime64[us]")).cast(pyarrow.timestamp("us", "UTC"))
    return pyarrow.table({"timestamp": stamps} | {k: v / 100 for k, v in columns.items()})


def lamina_daily(folder: Path, instruments: int) -> dict[str, float]:
    """Ten years of daily bars, one instrument a save; then queries."""
    import lamina

    with lamina.open(folder / "daily", create=True) as store:
        span = 0.0
        for number in range(instruments):
            table = daily_bars(number)
            begin = time.perf_counter()
            store.bars.save(table, f"S{number:05}", timeframe="1d")
            span += time.perf_counter() - begin
        name = f"S{instruments // 2:05}"
        must(same(store.bars.load(name).to_arrow(), daily_bars(instruments // 2)), name)
        january = ("2020-01-01", "2020-02-01")
        rows = between(daily_bars(0), *january).num_rows
        must(store.bars.load(None, *january).num_rows == rows * instruments, "a month of all")
        info = store.datasets.get("ohlcv")
        return {
            "daily": span / instruments * 1000,
            "daily_bytes": info["bytes"] / info["rows"],
            "daily_one": median_ms(lambda: store.bars.load(name), 30),
            "daily_all": median_ms(lambda: store.bars.load(None, *january), 10),
        }


def rival_figures(
    kind: Any, folder: Path, tools: Path, bars: dict[str, pyarrow.Table]
) -> dict[str, float]:
    """What every store is asked; row counts are checked."""
    store = kind(folder, tools)
    begin = time.perf_counter()
    store.save(bars)
    found = {"save": time.perf_counter() - begin}
    found["bytes"] = bar_stores.bytes_below(store.folder) / sum(map(len, bars.values()))
    must(store.one(NAME) == between(bars[NAME], *YEAR).num_rows, "one year")
    rows = sum(between(table, *YEAR).num_rows for table in bars.values())
    must(store.everything() == rows, "a year of all")
    found["one"] = median_ms(lambda: store.one(NAME), 15)
    found["all"] = median_ms(store.everything, 5)
    spans = []
    for part in months(bars[NAME]):
        begin = time.perf_counter()
        store.month(NAME, part)
        spans.append((time.perf_counter() - begin) * 1000)
    found["month"] = statistics.median(spans)
    return found


def run_side(given: argparse.Namespace) -> None:
    """One contender, figures as JSON on the last line."""
    bars = source(given.tools.parent / "data" / "bars" / "fx_h1_bars_24.parquet")
    folder = Path(tempfile.mkdtemp(dir=given.folder))
    try:
        if given.side == "Lamina":
            sys.path.insert(0, str(given.build.resolve() / "pylib"))
            found = lamina_bars(folder, bars)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            found |= lamina_small(folder, bars[NAME], given.small)
            if given.daily:
                found |= lamina_daily(folder, given.daily)
        else:
            found = rival_figures(bar_stores.RIVALS[given.side], folder, given.tools, bars)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(json.dumps(found | {"memory": memory / 1024}))
    finally:
        shutil.rmtree(folder)


def collect(given: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Every contender in a process of its own."""
    sides = {}
    for side in ("Lamina", *bar_stores.RIVALS):
        python: str | Path = sys.executable
        if side == "ArcticDB":  # wants older packages than the others
            python = python_with(given.work / "arcticdb", "arcticdb", "pyarrow")
        command = [python, __file__, "--side", side, "--build", given.build]
        command += ["--tools", given.tools, "--small", given.small, "--daily", given.daily]
        command += ["--folder", given.folder] if given.folder else []
        done = subprocess.run([str(each) for each in command], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{side}: {done.stderr}{done.stdout}")
        sides[side] = json.loads(done.stdout.splitlines()[-1])
        print(f"{side}: {len(sides[side])} figures", flush=True)
    return sides


def report(given: argparse.Namespace, sides: dict[str, dict[str, float]]) -> bool:
    """Print one figure a line and write the page; whether every bound is kept."""
    others = [side for side in sides if side != "Lamina"]
    lines = [
        "# Hourly bars of 24 FX instruments", "",
        f"{machine.describe()}; load of the machine {os.getloadavg()[0]:.1f} (1 minute), build "
        f"`{given.build.name}`. Made by `bench/market/hourly_bars.py`: 447,747 bars, prices as "
        f"doubles, answers checked; {given.small} small saves, {given.daily} instruments of daily "
        "bars. A month's save of the others: "
        + "; ".join(f"{side}: {bar_stores.RIVALS[side].durable}" for side in others) + ".", "",
        "| figure | unit | Lamina | bound | kept | " + " | ".join(others) + " |",
        "|---|---|---|---|---|" + "---|" * len(others),
    ]  # fmt: skip
    kept = True
    for key, (what, unit, bound) in FIGURES.items():
        value = sides["Lamina"].get(key)
        if value is None:
            continue
        good = bound is None or value <= bound
        kept = kept and good
        mark = "" if bound is None else "yes" if good else "NO"
        beside = [f"{sides[side][key]:.2f}" if key in sides[side] else "" for side in others]
        print(f"{mark:<4}{what:<44}{value:>10.2f} {unit:<8} bound {bound}; {beside}", flush=True)
        limit = "" if bound is None else f"{bound:g}"
        lines.append(
            f"| {what} | {unit} | {value:.2f} | {limit} | {mark} | " + " | ".join(beside) + " |"
        )
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "market_hourly_bars.md").write_text("\n".join(lines) + "\n")
    return kept


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", type=Path, default=Path("build/release"))
    parser.add_argument("--tools", type=Path, default=Path("../shared/tools"))
    parser.add_argument("--out", type=Path, default=Path("bench/results"))
    parser.add_argument("--small", type=int, default=2000, help="small saves")
    parser.add_argument("--daily", type=int, default=5000, help="instruments of daily bars")
    parser.add_argument("--folder", type=Path, help="where the stores are made")
    parser.add_argument("--work", type=Path, default=Path("build/bench"))
    parser.add_argument("--side", help=argparse.SUPPRESS)
    given = parser.parse_args()
    given.tools = given.tools.resolve()
    if given.side:
        run_side(given)
        return 0
    return 0 if report(given, collect(given)) else 1


if __name__ == "__main__":
    sys.exit(main())
