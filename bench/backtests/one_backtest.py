#!/usr/bin/env python3
"""Time what one production-shape backtest costs: put, summary, equity curve, export.

Usage: bench/backtests/one_backtest.py --build build/release --tools ../shared/tools [--count 100]
Bundles are generated into build/bench unless a folder of some is given. Answers are checked against
the bundles before a figure counts; the machine's load stands beside the figures.
"""

import argparse
import hashlib
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgpack
import zstandard

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import bundles
import machine


def document_bytes(path: Path) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(path.read_bytes()[8:])


def recorded_curve(document: dict) -> list[float]:
    """The total values of the first run's snapshots: what its equity curve is."""
    run = (document.get("vector_runs") or document.get("event_runs"))[0]
    return [snapshot["total_value"] for snapshot in run["portfolio_snapshots"]]


def timed(call):
    """The answer, and milliseconds: of the clock, and of all cores for this process."""
    began, worked = time.perf_counter(), time.process_time()
    answer = call()
    return answer, ((time.perf_counter() - began) * 1e3, (time.process_time() - worked) * 1e3)


class Bench:
    def __init__(self, folder: Path, count: int, work: Path) -> None:
        self.paths = sorted(folder.glob("*.iafbt"))[:count]
        if len(self.paths) < 2:
            raise SystemExit(f"{folder} has too few bundles")
        self.work = work
        self.rows: list[tuple[str, float, float, float, float]] = []

    def report(self, figure: str, taken: list[tuple[float, float]], bound: float) -> None:
        times = sorted(wall for wall, _ in taken)
        work = statistics.median(cpu for _, cpu in taken)
        median, worst = statistics.median(times), times[int(len(times) * 0.95)]
        self.rows.append((figure, median, worst, work, bound))
        mark = "ok  " if median <= bound else "MISS"
        print(f"{mark} {figure:<52} median {median:8.2f}, 95 % {worst:8.2f}, "
              f"CPU {work:7.2f} ms, <= {bound}",
              flush=True)  # fmt: skip

    def run(self, lamina) -> None:
        root = self.work / "store"
        single = self.paths[-min(20, len(self.paths) // 2) :]
        with lamina.open(root, create=True) as store:
            store.backtests.import_(self.paths[: -len(single)])
            puts = []
            for path in single:
                report, took = timed(lambda path=path: store.backtests.import_(path))
                assert report.imported == 1 and not report.failed, report
                puts.append(took)
            self.report("durable put of one bundle, verified and synced", puts, 150)
        with lamina.open(root, read_only=True) as store:
            self.summaries(store)
            self.curves(store)
            self.exports(store)

    def summaries(self, store) -> None:
        times = []
        for path in self.paths:
            backtest, took = timed(
                lambda path=path: store.backtests.open(path.stem, summary_only=True)
            )
            assert backtest.summary.number_of_trades is not None
            times.append(took)
        listed = store.backtests.list(columns=["handle", "sharpe_ratio"]).to_pandas()
        known = dict(zip(listed["handle"], listed["sharpe_ratio"], strict=True))
        for path in self.paths[:20]:
            opened = store.backtests.open(path.stem, summary_only=True)
            assert opened.summary.sharpe_ratio == known[path.stem], path
        self.report("open with summary_only", times, 1)

    def curves(self, store) -> None:
        times = []
        for path in self.paths[:60]:
            run = store.backtests.get(path.stem).runs[0]
            table, took = timed(run.equity_curve)
            times.append(took)
            if len(times) <= 10:
                document = msgpack.unpackb(document_bytes(path), strict_map_key=False)
                assert table.to_pandas()["value"].tolist() == recorded_curve(document), path
        self.report("one equity curve", times, 2)

    def exports(self, store) -> None:
        times = []
        out = self.work / "out.iafbt"
        for path in self.paths[:20]:
            report, took = timed(lambda path=path: store.backtests.export(path.stem, out, level=3))
            times.append(took)
            document = document_bytes(out)
            assert document == document_bytes(path), path
            assert hashlib.sha256(document).hexdigest() == report.document_sha256
        self.report("export of one at zstd level 3", times, 150)

    def save(self, folder: Path, load: tuple[float, ...]) -> None:
        lines = [
            "# Backtests: one at a time", "",
            f"{machine.describe()}; load of the machine "
            f"{load[0]:.1f} before, {os.getloadavg()[0]:.1f} after (1 minute).",
            f"Made by `bench/backtests/one_backtest.py` over {len(self.paths)} bundles; answers "
            "are checked.", "",
            "| figure | median ms | 95 % ms | CPU ms | bound ms | kept |",
            "|---|---|---|---|---|---|",
        ]  # fmt: skip
        for figure, median, worst, work, bound in self.rows:
            kept = "yes" if median <= bound else "NO"
            lines.append(
                f"| {figure} | {median:.2f} | {worst:.2f} | {work:.2f} | {bound} | {kept} |"
            )
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "backtests_one_at_a_time.md").write_text("\n".join(lines) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", default="build/release", type=Path)
    parser.add_argument("--tools", default="../shared/tools", type=Path)
    parser.add_argument(
        "--bundles", type=Path, help="a folder of bundles instead of generated ones"
    )
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--work", type=Path, help="where the store is made")
    parser.add_argument("--out", default="bench/results", type=Path)
    arguments = parser.parse_args()
    sys.path.insert(0, str((arguments.build / "pylib").resolve()))
    import lamina

    folder = arguments.bundles
    if folder is None:
        folder = bundles.generated(
            arguments.tools, Path(f"build/bench/v2-{arguments.count}"), arguments.count
        )
    load = os.getloadavg()
    work = Path(tempfile.mkdtemp(prefix="lamina-one-", dir=arguments.work))
    try:
        bench = Bench(folder, arguments.count, work)
        bench.run(lamina)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    bench.save(arguments.out, load)
    return 0 if all(median <= bound for _, median, _, _, bound in bench.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
