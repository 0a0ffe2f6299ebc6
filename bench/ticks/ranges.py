#!/usr/bin/env python3
"""Time range queries of archived ticks beside DuckDB and Polars, answers checked.

Usage: bench/ticks/ranges.py --build build/release [--ticks 1000000] [--year-ticks 100000000]
DuckDB and Polars read one zstd Parquet file of the same ticks sorted by contract and time, as their
own writers make it; Lamina reads its store. The file system's cache is warm for all.
"""

import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import machine
import tick_sets
from tick_sets import DAY, START, trades
from timing import best_of

DAYS = 5
COLUMNS = ["ts_ns", "price", "size"]
YEAR_CONTRACTS = 20


class Bench:
    def __init__(self, lamina, figures, folder: Path, ticks: int):
        self.lamina, self.figures, self.folder, self.ticks = lamina, figures, folder, ticks

    def one_day(self) -> None:
        """Contracts of a million and of 343,000 ticks a day, among others of five days."""
        days = [
            trades(self.ticks // 4, contract, START + day * DAY, DAY)
            for contract in range(1, 5)
            for day in range(DAYS)
        ]
        last = START + DAYS * DAY
        big = {9: self.ticks, 10: 343_000}
        days += [trades(rows, contract, last, DAY) for contract, rows in big.items()]
        with self.lamina.open(self.folder / "archive", create=True) as store:
            with store.ticks.writer(durability="os", archive=False) as writer:
                for table in days:
                    for batch in table.to_batches(max_chunksize=50_000):
                        writer.append(batch)
            store.ticks.archive()
            store.compact()
            rivals = self.rivals(pa.concat_tables(days))
            for contract, rows in big.items():
                bound = {1_000_000: "<= 100", 343_000: "<= 8"}.get(rows, "")
                self.contract_day(store, rivals, contract, rows, (last, last + DAY), bound)
            self.bars_and_cache(store, (last, last + DAY))
            began = time.perf_counter()
            streamed = sum(
                batch.num_rows
                for batch in store.ticks.stream([1, 2, 3, 4], "last", START, START + DAYS * DAY)
            )
            seconds = time.perf_counter() - began
            assert streamed == self.ticks // 4 * 4 * DAYS
            self.figures.tell("stream of four contracts", streamed / seconds / 1e6, "M ticks/s")

    def rivals(self, ticks: pa.Table) -> dict:
        import duckdb
        import polars

        files = {name: str(self.folder / f"{name}.parquet") for name in ("duckdb", "polars")}
        duckdb.sql(
            f"COPY (SELECT * FROM ticks ORDER BY contract_id, ts_ns) TO '{files['duckdb']}' "
            "(FORMAT parquet, COMPRESSION zstd, PARQUET_VERSION v2)"
        )
        polars.from_arrow(ticks).sort("contract_id", "ts_ns").write_parquet(files["polars"])

        def ask_duckdb(contract: int, begin: int, end: int) -> pa.Table:
            return duckdb.execute(
                "SELECT * FROM read_parquet($file) WHERE contract_id = $contract AND "
                "ts_ns >= $begin AND ts_ns < $end ORDER BY ts_ns",
                {"file": files["duckdb"], "contract": contract, "begin": begin, "end": end},
            ).to_arrow_table()

        def ask_polars(contract: int, begin: int, end: int):
            column = polars.col
            return (
                polars.scan_parquet(files["polars"])
                .filter(
                    (column("contract_id") == contract)
                    & (column("ts_ns") >= begin)
                    & (column("ts_ns") < end)
                )
                .sort("ts_ns")
                .collect()
                .to_arrow()
            )

        return {"DuckDB": ask_duckdb, "Polars": ask_polars}

    def contract_day(self, store, rivals, contract, rows, span, bound) -> None:
        # Another end each time, so that no answer comes from the cache.
        ends = iter(range(span[1], span[1] + 1000))
        seconds, answer = best_of(
            9, lambda: store.ticks.query(contract, "last", span[0], next(ends))
        )
        assert not answer.facts["cached"]
        expected = trades(rows, contract, span[0], DAY)
        found = answer.to_arrow()
        assert found["price"].combine_chunks() == expected["price"].combine_chunks()
        note = f"{answer.facts['bytes_read'] / rows:.1f} B read a tick"
        what = f"one contract-day of {rows:,}"
        self.figures.tell(f"{what}, warm", seconds * 1e3, "ms", bound, 1, note)
        seconds, _ = best_of(
            9, lambda: store.ticks.query(contract, "last", span[0], next(ends), columns=COLUMNS)
        )
        self.figures.tell("  three columns of it", seconds * 1e3, "ms", digits=1)
        for name, ask in rivals.items():
            seconds, found = best_of(9, lambda ask=ask: ask(contract, *span))
            assert found["price"].combine_chunks() == expected["price"].combine_chunks()
            self.figures.tell(f"  {name}: its five columns", seconds * 1e3, "ms", digits=1)

    def bars_and_cache(self, store, span) -> None:
        ends = iter(range(span[1], span[1] + 1000))
        seconds, bars = best_of(
            3, lambda: store.ticks.query(9, "last", span[0], next(ends), resolution="1m")
        )
        assert sum(bars.to_arrow().column("n_ticks").to_pylist()) == self.ticks
        self.figures.tell(f"1-minute bars of {self.ticks:,} ticks", seconds * 1e3, "ms", digits=1)
        store.ticks.query(9, "last", *span)
        seconds, answer = best_of(20, lambda: store.ticks.query(9, "last", *span))
        assert answer.facts["cached"]
        self.figures.tell("the same day from the cache", seconds * 1e3, "ms")

    def year(self, ticks: int) -> None:
        """The same day of the same contract in stores of ever more days around it."""
        day = 200
        per_day = max(1, ticks // (YEAR_CONTRACTS * 365))
        first_ms = None
        for days in (1, 37, 365):
            root = self.folder / f"year-{days}"
            around = range(max(0, day - days // 2), max(0, day - days // 2) + days)
            with self.lamina.open(root, create=True) as store:
                began = time.perf_counter()
                with store.ticks.writer(durability="os", archive=False) as writer:
                    for number in around:
                        self.append_day(writer, number, per_day)
                        if number % 40 == 39:  # so that the log stays small
                            writer.seal()
                            store.ticks.archive()
                    writer.seal()
                    store.ticks.archive()
                store.compact()
                total = days * YEAR_CONTRACTS * per_day
                rate = total / (time.perf_counter() - began) / 1e6
                planned, seconds = self.ask_day(store, START + day * DAY, per_day)
                first_ms = first_ms or seconds * 1e3
                self.figures.tell(
                    f"a contract-day of {per_day:,} among {total:,} ticks",
                    seconds * 1e3,
                    "ms",
                    f"<= {first_ms + 2:.1f}" if days > 1 else "",
                    note=f"{planned}; made at {rate:.2f} M/s",
                )

    def ask_day(self, store, begin: int, rows: int) -> tuple[str, float]:
        ends = iter(range(begin + DAY, begin + DAY + 1000))
        seconds, answer = best_of(30, lambda: store.ticks.query(7, "last", begin, next(ends)))
        assert answer.num_rows == rows
        facts = answer.facts
        planned = f"{facts['files_planned']} of {facts['files_live']} files planned"
        return f"{planned}, {facts['bytes_read'] >> 10} KiB read", seconds

    def append_day(self, writer, number: int, per_day: int) -> None:
        tables = [
            trades(per_day, contract, START + number * DAY, DAY, seed=number)
            for contract in range(1, YEAR_CONTRACTS + 1)
        ]
        rows = pa.concat_tables(tables).combine_chunks()
        order = np.argsort(rows["ts_ns"].to_numpy(), kind="stable")
        for batch in rows.take(pa.array(order)).to_batches(max_chunksize=50_000):
            writer.append(batch)


def main() -> None:
    given, lamina = tick_sets.begin(__doc__, ticks=1_000_000, year_ticks=100_000_000)
    figures = tick_sets.Figures()
    with tempfile.TemporaryDirectory(prefix="bench-ticks-") as folder:
        bench = Bench(lamina, figures, Path(folder), given.ticks)
        bench.one_day()
        bench.year(given.year_ticks)
    if given.out:
        figures.write(
            given.out / "ticks_ranges.md",
            "Ticks: range queries of the archive",
            f"{machine.describe()}. Made by `bench/ticks/ranges.py --ticks {given.ticks} "
            f"--year-ticks {given.year_ticks}`; answers are checked. The fastest of several runs, "
            "the file system's cache warm.",
        )


if __name__ == "__main__":
    main()
