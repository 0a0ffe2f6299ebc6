#!/usr/bin/env python3
"""Time appends from Python and range queries of ticks, answers checked.

Usage: bench/ticks/ranges.py --build build/release [--ticks 1000000] [--out bench/results]
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

sys.path.insert(0, str(Path(__file__).parents[1]))
SECOND = 1_000_000_000
DAY = 86_400 * SECOND
START = 1_735_689_600 * SECOND  # 2025-01-01 UTC


def best_of(times: int, work):
    """Seconds of the fastest run, and its answer."""
    best, answer = float("inf"), None
    for _ in range(times):
        began = time.perf_counter()
        answer = work()
        best = min(best, time.perf_counter() - began)
    return best, answer


def trades(rows: int, contract: int, first: int, span: int) -> pa.Table:
    random = np.random.default_rng(contract)
    ts = first + np.sort(random.integers(0, span, rows))
    return pa.table(
        {
            "ts_ns": ts,
            "contract_id": np.full(rows, contract),
            "tick_type": pa.DictionaryArray.from_arrays(np.zeros(rows, "int8"), ["last"]),
            "price": (5000 + np.cumsum(random.integers(-1, 2, rows)) * 0.25),
            "size": random.integers(1, 20, rows) * 1.0,
        }
    )


class Bench:
    def __init__(self, lamina, folder: Path, ticks: int):
        self.lamina, self.folder, self.ticks = lamina, folder, ticks
        self.rows: list[tuple[str, str, str]] = []

    def tell(self, figure: str, value: str, bound: str = "") -> None:
        self.rows.append((figure, value, bound))
        print(f"{figure}: {value}" + (f" (bound {bound})" if bound else ""), flush=True)

    def append(self) -> None:
        batches = trades(self.ticks, 1, START, DAY).to_batches(max_chunksize=10_000)
        for durability in ("fsync", "os"):
            with self.lamina.open(self.folder / f"append-{durability}", create=True) as store:
                with store.ticks.writer(durability=durability, archive=False) as writer:
                    began = time.perf_counter()
                    for batch in batches:
                        writer.append(batch)
                    seconds = time.perf_counter() - began
                assert store.ticks.query(1, "last", START, START + DAY).num_rows == self.ticks
            self.tell(
                f"append from Python, batches of 10,000, {durability}",
                f"{self.ticks / seconds / 1e6:.2f} M ticks/s",
                ">= 2" if durability == "fsync" else "",
            )

    def archive(self) -> None:
        with self.lamina.open(self.folder / "archive", create=True) as store:
            days = 5
            with store.ticks.writer(durability="os", archive=False) as writer:
                for contract in range(1, 5):
                    for day in range(days):
                        table = trades(self.ticks // 4, contract, START + day * DAY, DAY)
                        for batch in table.to_batches(max_chunksize=50_000):
                            writer.append(batch)
                table = trades(self.ticks, 9, START + days * DAY, DAY)
                for batch in table.to_batches(max_chunksize=50_000):
                    writer.append(batch)
                table = trades(343_000, 10, START + days * DAY, DAY)
                for batch in table.to_batches(max_chunksize=50_000):
                    writer.append(batch)
            store.ticks.archive()
            store.compact()
            span = (START + days * DAY, START + (days + 1) * DAY)
            for contract, rows, bound in ((9, self.ticks, "<= 100 ms"), (10, 343_000, "<= 8 ms")):
                # Another end each time, so that no answer comes from the cache.
                ends = iter(range(span[1], span[1] + 1000))
                seconds, answer = best_of(
                    5, lambda c=contract, e=ends: store.ticks.query(c, "last", span[0], next(e))
                )
                assert answer.num_rows == rows
                assert not answer.facts["cached"]
                self.tell(
                    f"one contract-day of {rows:,} from the archive, warm",
                    f"{seconds * 1e3:.1f} ms",
                    bound if rows in (1_000_000, 343_000) else "",
                )
                seconds, _ = best_of(
                    5,
                    lambda c=contract, e=ends: store.ticks.query(
                        c, "last", span[0], next(e), columns=["ts_ns", "price", "size"]
                    ),
                )
                self.tell(f"  three columns of it ({rows:,})", f"{seconds * 1e3:.1f} ms")
            seconds, bars = best_of(
                3, lambda e=ends: store.ticks.query(9, "last", span[0], next(e), resolution="1m")
            )
            assert sum(bars.to_arrow().column("n_ticks").to_pylist()) == self.ticks
            self.tell(f"1-minute bars of {self.ticks:,} ticks", f"{seconds * 1e3:.1f} ms")
            store.ticks.query(9, "last", *span)
            seconds, answer = best_of(20, lambda: store.ticks.query(9, "last", *span))
            assert answer.facts["cached"]
            self.tell("the same day from the cache", f"{seconds * 1e3:.2f} ms")
            began = time.perf_counter()
            streamed = sum(
                batch.num_rows
                for batch in store.ticks.stream([1, 2, 3, 4], "last", START, START + days * DAY)
            )
            assert streamed == self.ticks // 4 * 4 * days
            seconds = time.perf_counter() - began
            self.tell("stream of four contracts", f"{streamed / seconds / 1e6:.2f} M ticks/s")

    def recent(self) -> None:
        """100 contracts at 100 ticks/s for ten minutes; the last five of one of them."""
        root = self.folder / "recent"
        with self.lamina.open(root, create=True) as store:  # noqa: SIM117
            with store.ticks.writer(durability="os", archive=False) as writer:
                per_second = pa.concat_tables(
                    trades(100, contract, START, SECOND) for contract in range(1, 101)
                ).sort_by("ts_ns")
                ts = per_second.column("ts_ns").to_numpy()
                for second in range(600):
                    writer.append(per_second.set_column(0, "ts_ns", pa.array(ts + second * SECOND)))
                writer.flush()
                span = (START + 300 * SECOND, START + 600 * SECOND)
                seconds, answer = best_of(20, lambda: store.ticks.query(7, "last", *span))
                assert answer.num_rows == 30_000
                assert answer.facts["log_rows"] == 30_000
                self.tell(
                    "last five minutes of one of 100 contracts, own memory",
                    f"{seconds * 1e3:.2f} ms",
                    "<= 1 ms",
                )
                program = (
                    "import sys, time, lamina\n"
                    "store = lamina.open(sys.argv[1], read_only=True)\n"
                    "span = int(sys.argv[2]), int(sys.argv[3])\n"
                    "best = 1e9\n"
                    "for i in range(20):\n"
                    "    began = time.perf_counter()\n"
                    "    rows = store.ticks.query(7, 'last', *span)\n"
                    "    best = min(best, time.perf_counter() - began)\n"
                    "    assert rows.num_rows == 30_000\n"
                    "print(best)\n"
                )
                done = subprocess.run(
                    [sys.executable, "-c", program, str(root), *map(str, span)],
                    capture_output=True,
                    text=True,
                    check=True,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                )
                self.tell(
                    "the same from another process",
                    f"{float(done.stdout) * 1e3:.2f} ms",
                    "<= 10 ms",
                )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", type=Path, required=True)
    parser.add_argument("--ticks", type=int, default=1_000_000)
    parser.add_argument("--tools", type=Path, help="not needed")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    sys.path.insert(0, str(given.build.resolve() / "pylib"))
    import machine

    import lamina

    with tempfile.TemporaryDirectory(prefix="bench-ticks-") as folder:
        bench = Bench(lamina, Path(folder), given.ticks)
        bench.append()
        bench.archive()
        bench.recent()
    if given.out:
        lines = [
            "# Ticks: appends from Python and range queries",
            "",
            f"{machine.describe()}. Made by `bench/ticks/ranges.py --ticks {given.ticks}`; answers "
            "are checked. The fastest of several runs, the file system's cache warm.",
            "",
            "| figure | value | bound |",
            "|---|---|---|",
            *(f"| {figure} | {value} | {bound} |" for figure, value, bound in bench.rows),
        ]
        (given.out / "ticks_ranges.md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
