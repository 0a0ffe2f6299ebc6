#!/usr/bin/env python3
"""Time durable appends of ticks, many contracts at once, the last minutes and recovery.

Usage: bench/ticks/recording.py --build build/release [--seconds 60] [--out bench/results]
Appends of 1,000 ticks stand beside a bare loop of as many bytes over a file filled before, in turns
(lamina_tick_log_bench), and beside DuckDB (a committed insert) and a synced Parquet file an append.
"""

import os
import sys
import tempfile
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import machine
import tick_sets
from tick_sets import DAY, SECOND, START, middle, trades
from timing import best_of

FIVE_MINUTES = 300 * SECOND
FEEDS = 4  # threads that append


def role_last_minutes(root: str) -> dict:
    """What a process that records nothing itself sees: its first answer, and later ones."""
    import lamina

    began = time.perf_counter()
    store = lamina.open(root, read_only=True)
    opened = time.perf_counter()
    times = []
    for _ in range(20):
        asked = time.perf_counter()
        rows = store.ticks.query(7, "last", START + FIVE_MINUTES, START + 2 * FIVE_MINUTES)
        times.append(time.perf_counter() - asked)
        assert rows.num_rows == 30_000
    return {"open": opened - began, "first": times[0], "best": min(times)}


ROLES = {"last_minutes": role_last_minutes}


class Bench:
    def __init__(self, lamina, figures, folder: Path, seconds: int):
        self.lamina, self.figures, self.folder, self.seconds = lamina, figures, folder, seconds

    def engine(self, program: Path) -> None:
        found = tick_sets.google_benchmark(program, "DurableAppend|Recovery|LiveBuffer|FromLog")
        for contracts in (1, 100):
            one = found[f"BM_DurableAppend/{contracts}"]
            what = f"durable appends of 1,000 ticks of {contracts} contract(s)"
            own, bare = one["log_rows_per_s"] / 1e6, one["bare_rows_per_s"] / 1e6
            note = f"{own:.2f} M ticks/s, bare {bare:.2f}"
            self.figures.tell(
                what, 100 * one["share_of_bare"], "% of a bare loop", ">= 60", 0, note
            )
            note = f"bare {one['bare_p50_us'] / 1e3:.3f}, p99 {one['p99_us'] / 1e3:.2f}"
            self.figures.tell("  p50", one["p50_us"] / 1e3, "ms", "<= 0.25", 3, note)
        recovery = next(one for name, one in found.items() if name.startswith("BM_Recovery"))
        self.figures.tell("recovery of 1 GiB of log", recovery["real_time"] / 1e3, "s", "<= 3")

    def append_in_python(self) -> None:
        rows = 2_000_000
        for batch_rows in (10_000, 1000):
            batches = trades(rows, 1, START, DAY).to_batches(max_chunksize=batch_rows)
            for durability, bound in (("fsync", ">= 2"), ("os", "")):
                root = self.folder / f"append-{durability}-{batch_rows}"
                with self.lamina.open(root, create=True) as store:
                    with store.ticks.writer(durability=durability, archive=False) as writer:
                        began, times = time.perf_counter(), []
                        cpu = time.process_time()
                        for batch in batches:
                            asked = time.perf_counter()
                            writer.append(batch)
                            times.append(time.perf_counter() - asked)
                        seconds = time.perf_counter() - began
                        cpu = (time.process_time() - cpu) / rows * 1e6
                    assert store.ticks.query(1, "last", START, START + DAY).num_rows == rows
                self.figures.tell(
                    f"Arrow batches of {batch_rows:,} from Python, {durability}",
                    rows / seconds / 1e6,
                    "M ticks/s",
                    bound if batch_rows == 10_000 else "",
                    note=f"p50 {middle(times) * 1e3:.2f} ms, p99 {middle(times, 0.99) * 1e3:.2f}, "
                    f"processor time {cpu:.2f} µs a tick",
                )

    def rivals(self) -> None:
        """p50 of a durable append of 1,000 ticks."""
        import duckdb

        batches = trades(200_000, 1, START, DAY).to_batches(max_chunksize=1000)
        database = duckdb.connect(str(self.folder / "rival.duckdb"))
        first = pa.Table.from_batches(batches[:1])  # noqa: F841 (named in SQL)
        database.execute("CREATE TABLE ticks AS SELECT * FROM first LIMIT 0")
        times = []
        for batch in batches:
            rows = pa.Table.from_batches([batch])
            asked = time.perf_counter()
            database.execute("INSERT INTO ticks SELECT * FROM rows")
            times.append(time.perf_counter() - asked)
        assert database.execute("SELECT count(*) FROM ticks").fetchone() == (200_000,)
        self.figures.tell("DuckDB: p50 of a committed insert of 1,000", middle(times) * 1e3, "ms")
        times = []
        folder = self.folder / "rival-files"
        folder.mkdir()
        entry = os.open(folder, os.O_RDONLY)
        for number, batch in enumerate(batches):
            rows = pa.Table.from_batches([batch])
            asked = time.perf_counter()
            with open(folder / f"{number}.parquet", "wb") as file:
                pa.parquet.write_table(rows, file, compression="zstd")
                file.flush()
                os.fsync(file.fileno())
            os.fsync(entry)
            times.append(time.perf_counter() - asked)
        os.close(entry)
        self.figures.tell("pyarrow: p50 of a synced file of 1,000", middle(times) * 1e3, "ms")

    def many_contracts(self, contracts: int, rate: int) -> None:
        """Ticks come ten times a second, in appends of about 1,000: of one contract, or of some
        together. Four threads append, each for its share. The archiver runs beside."""
        root = self.folder / f"many-{contracts}"
        batch_rows, pause = rate // 10, 0.1
        rounds = int(self.seconds / pause)
        together = max(1, 1000 // batch_rows)
        made = [
            pa.concat_tables(
                trades(batch_rows, contract, START, int(pause * SECOND))
                for contract in range(first, min(first + together, contracts + 1))
            ).sort_by("ts_ns")
            for first in range(1, contracts + 1, together)
        ]
        times: list[list[float]] = [[] for _ in range(FEEDS)]
        late = [0.0] * FEEDS
        with self.lamina.open(root, create=True) as store:
            with store.ticks.writer() as writer:
                began = time.perf_counter() + 0.1

                def feed(number: int) -> None:
                    own = [(t, t.column("ts_ns").to_numpy()) for t in made[number::FEEDS]]
                    for turn in range(rounds):
                        wait = began + turn * pause - time.perf_counter()
                        if wait > 0:
                            time.sleep(wait)
                        for table, stamps in own:
                            ts = pa.array(stamps + int(turn * pause * SECOND))
                            rows = table.set_column(0, "ts_ns", ts)
                            asked = time.perf_counter()
                            writer.append(rows)
                            times[number].append(time.perf_counter() - asked)
                        late[number] = time.perf_counter() - began - (turn + 1) * pause

                threads = [threading.Thread(target=feed, args=(n,)) for n in range(FEEDS)]
                for thread in threads:
                    thread.start()
                for thread in threads:
                    thread.join()
                seconds = time.perf_counter() - began
                counts = writer.counts()
            expected = rounds * batch_rows
            for contract in range(1, contracts + 1, max(1, contracts // 100)):
                answer = store.ticks.query(
                    contract, "last", START, START + DAY, columns=["ts_ns", "size"]
                ).to_arrow()
                assert answer.num_rows == expected, (contract, answer.num_rows)
                one = trades(batch_rows, contract, START, int(pause * SECOND))
                sizes = pa.compute.sum(one["size"]).as_py() * rounds
                assert pa.compute.sum(answer["size"]).as_py() == sizes
        lost = contracts * expected - counts["durable"]
        flat = [one for each in times for one in each]
        self.figures.tell(
            f"{contracts:,} contracts, {rate:,} ticks/s each, {self.seconds} s: lost",
            lost + counts["refused"],
            "ticks",
            "<= 0",
            0,
            f"{counts['durable']:,} durable in {seconds:.1f} s",
        )
        self.figures.tell(
            "  behind at the end", max(0.0, *late), "s", "<= 1", 2,
            f"append of {made[0].num_rows:,}: p50 {middle(flat) * 1e3:.2f} ms, "
            f"p99 {middle(flat, 0.99) * 1e3:.1f}, {counts['syncs']:,} syncs",
        )  # fmt: skip

    def last_minutes(self) -> None:
        """100 contracts at 100 ticks/s for ten minutes; the last five of one of them."""
        root = self.folder / "recent"
        with self.lamina.open(root, create=True) as store:  # noqa: SIM117
            with store.ticks.writer(durability="os", archive=False) as writer:
                per_second = pa.concat_tables(
                    trades(100, contract, START, SECOND) for contract in range(1, 101)
                ).sort_by("ts_ns")
                ts = per_second.column("ts_ns").to_numpy()
                for second in range(600):
                    rows = per_second.set_column(0, "ts_ns", pa.array(ts + second * SECOND))
                    for batch in rows.combine_chunks().to_batches(max_chunksize=1000):
                        writer.append(batch)
                writer.flush()
                span = (START + FIVE_MINUTES, START + 2 * FIVE_MINUTES)
                seconds, answer = best_of(20, lambda: store.ticks.query(7, "last", *span))
                assert answer.num_rows == 30_000
                assert answer.facts["log_rows"] == 30_000
                what = "last five minutes of one of 100 contracts"
                self.figures.tell(f"{what}, own memory", seconds * 1e3, "ms", "<= 1")
                # Ten minutes in a few seconds leaves work: indexes, the next segment to be filled.
                time.sleep(2)
                other = tick_sets.in_child(__file__, "last_minutes", root)
                note = f"opening the store {other['open'] * 1e3:.1f} ms before it"
                self.figures.tell(
                    f"{what}, another process, first question", other["first"] * 1e3, "ms", "<= 10",
                    note=note,
                )  # fmt: skip
                self.figures.tell("  and later ones", other["best"] * 1e3, "ms", "<= 10")


def main() -> None:
    given, lamina = tick_sets.begin(__doc__, ROLES, seconds=60)
    figures = tick_sets.Figures()
    with tempfile.TemporaryDirectory(prefix="bench-ticks-") as folder:
        bench = Bench(lamina, figures, Path(folder), given.seconds)
        bench.engine(given.build / "lamina_tick_log_bench")
        bench.append_in_python()
        bench.rivals()
        bench.last_minutes()
        bench.many_contracts(1000, 100)
        bench.many_contracts(100, 10_000)
    if given.out:
        figures.write(
            given.out / "ticks_recording.md",
            "Ticks: durable appends, many contracts, the last minutes, recovery",
            f"{machine.describe()}. Made by `bench/ticks/recording.py --seconds {given.seconds}`; "
            "counts and sums of what comes back are checked.",
        )


if __name__ == "__main__":
    main()
