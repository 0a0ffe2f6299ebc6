#!/usr/bin/env python3
"""Time the way of real bundles in, ranking out, bundles out again, with the answers checked.

Usage: bench/backtests/first_way.py --build build/release --tools ../shared/tools [--bundles 500]
Input is generated once into build/bench. Figures of the published framework are printed beside
ours where they are known.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from pathlib import Path

import zstandard

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import bundles
import machine


def document_bytes(path: Path) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(Path(path).read_bytes()[8:])


class Bench:
    def __init__(self, arguments):
        self.lamina = Path(arguments.build) / "bin" / "lamina"
        self.scan_bench = Path(arguments.build) / "lamina_bundle_bench"
        self.tools = Path(arguments.tools)
        self.work = Path(arguments.work).resolve()
        self.work.mkdir(parents=True, exist_ok=True)
        self.rows: list[dict] = []

    def generate(self, name: str, count: int, *options: str) -> Path:
        return bundles.generated(self.tools, self.work / f"{name}-{count}", count, *options)

    def run(self, *arguments, store: Path) -> tuple[dict, float, int]:
        """The command's JSON, its wall seconds and its peak memory in bytes."""
        command = [
            "/usr/bin/env",
            str(self.lamina),
            "--store",
            str(store),
            "--json",
            *map(str, arguments),
        ]
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE)
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        if status != 0:
            raise SystemExit(f"{command} failed with status {status}")
        return json.loads(output), seconds, usage.ru_maxrss * 1024

    def report(
        self, figure: str, value: float, unit: str, bound: str, good: bool, peer: str = ""
    ) -> None:
        self.rows.append(
            dict(figure=figure, value=value, unit=unit, bound=bound, good=good, peer=peer)
        )
        mark = "ok  " if good else "MISS"
        print(f"{mark} {figure:<58} {value:>10.2f} {unit:<10} bound {bound:<14} {peer}", flush=True)

    def fresh(self, name: str) -> Path:
        store = self.work / "stores" / name
        shutil.rmtree(store, ignore_errors=True)
        self.run("init", store, store=store)
        return store

    def import_rate(self, name: str, source: Path, count: int, bound: float, peer: str) -> Path:
        for path in source.glob("*.iafbt"):  # both sides of a comparison read from the page cache
            path.read_bytes()
        store = self.fresh(name)
        report, seconds, memory = self.run("import", source, store=store)
        assert report["imported"] == count and not report["failed"] and not report["warnings"], (
            report
        )
        self.report(
            f"import {name}, {count} bundles",
            count / seconds,
            "bundles/s",
            f">= {bound}",
            count / seconds >= bound,
            peer,
        )
        self.report(f"import {name}: peak memory", memory / 1e6, "MB", "<= 600", memory <= 600e6)
        return store

    def check_store(self, store: Path, source: Path, count: int) -> None:
        verified, seconds, _ = self.run("verify", "--deep", store=store)
        assert verified["ok"] and verified["checked_documents"] == count, verified["problems"][:5]
        print(f"     verify --deep of {count} documents: ok, {seconds:.1f} s")
        for path in random.Random(1).sample(sorted(source.glob("*.iafbt")), 5):
            out = self.work / "out.iafbt"
            self.run("export", path.stem, "-o", out, "--level", 3, store=store)
            assert document_bytes(out) == document_bytes(path), path

    def size(self, store: Path, count: int) -> None:
        stats, _, _ = self.run("stats", store=store)
        on_disk = sum(p.stat().st_size for p in store.rglob("*") if p.is_file())
        figure = f"stored bundle, average of {count}, every file of the store"
        self.report(figure, on_disk / count / 1e3, "kB", "<= 120",
                    on_disk <= 120e3 * count, "framework: 688 as a file, 972 tiered")  # fmt: skip
        for table in stats["tables"]:
            print(
                f"     {table['table']:<34} {table['bytes'] / count / 1e3:8.2f} kB a bundle, "
                f"{table['files']} files"
            )
        for chunk in stats["chunks"]:
            print(
                f"     chunks {chunk['kind']:<27} {chunk['stored_bytes'] / count / 1e3:8.2f} kB "
                f"a bundle"
            )
        print(
            f"     catalog {stats['catalog_bytes'] / count / 1e3:.2f}, "
            f"objects {stats['objects_bytes'] / count / 1e3:.2f} kB a bundle"
        )

    def listing(self, count: int) -> None:
        source = self.generate("small", count, "--shape", "small")
        store = self.fresh("small")
        report, seconds, _ = self.run("import", source, store=store)
        assert report["imported"] == count, report
        print(f"     import of {count} small bundles: {count / seconds:.0f} bundles/s")
        command = [
            str(self.lamina),
            "--store",
            str(store),
            "list",
            "--sort",
            "sharpe_ratio",
            "--limit",
            "20",
        ]
        times = []
        for _ in range(41):
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times.append(time.perf_counter() - began)
        for metric in ("sharpe_ratio", "total_net_gain_percentage"):
            rows, _, _ = self.run("list", "--columns", metric, store=store)
            assert len(rows) == count
            best, _, _ = self.run("list", "--sort", metric, "--limit", 20, store=store)
            known = sorted((r[metric] for r in rows if r[metric] is not None), reverse=True)
            known += [None] * (count - len(known))
            assert [r[metric] for r in best] == known[:20], metric
        median = sorted(times)[len(times) // 2] * 1e3
        self.report(
            f"list top-20 of {count}, whole command, median of 41",
            median,
            "ms",
            "<= 25",
            median <= 25,
            "framework: about 1,000",
        )
        for metric in ("sharpe_ratio", "calmar_ratio", "total_growth"):
            inside = self.in_process(store, metric)
            if inside is not None:
                self.report(
                    f"list top-20 of {count} by {metric}, in process, median",
                    inside,
                    "ms",
                    "<= 2",
                    inside <= 2,
                )

    def in_process(self, store: Path, metric: str) -> float | None:
        code = f"""
import time, lamina
store = lamina.open({str(store)!r}, read_only=True)
times = []
for _ in range(201):
    began = time.perf_counter()
    store.backtests.list(sort={metric!r}, limit=20)
    times.append(time.perf_counter() - began)
print(sorted(times)[100] * 1e3)
"""
        environment = {**os.environ, "PYTHONPATH": str(self.lamina.parents[1] / "pylib")}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True
        )
        if done.returncode != 0:
            raise SystemExit(done.stderr)
        return float(done.stdout)

    def scan(self) -> None:
        source = self.generate("v2", 40)
        environment = {**os.environ, "LAMINA_BENCH_BUNDLES": str(source)}
        done = subprocess.run(
            [str(self.scan_bench), "--benchmark_filter=Scan", "--benchmark_format=json"],
            env=environment, check=True, capture_output=True, text=True,
        )  # fmt: skip
        for one in json.loads(done.stdout)["benchmarks"]:
            scale = {"ns": 1e-6, "us": 1e-3, "ms": 1.0, "s": 1e3}[one["time_unit"]]
            cpu = one["cpu_time"] * scale
            self.report(
                f"{one['name']}: identity and summary",
                cpu,
                "ms CPU",
                "<= 10",
                cpu <= 10,
                "framework: 193",
            )

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        lines = [
            "# Backtests: the first way", "",
            f"{machine.describe()}.",
            "Made by `bench/backtests/first_way.py`; answers are checked before figures.", "",
            "| figure | value | unit | bound | kept | peer |", "|---|---|---|---|---|---|",
        ]  # fmt: skip
        for row in self.rows:
            kept = "yes" if row["good"] else "NO"
            lines.append(
                f"| {row['figure']} | {row['value']:.2f} | {row['unit']} | {row['bound']} "
                f"| {kept} | {row['peer']} |"
            )
        (folder / "backtests_first_way.md").write_text("\n".join(lines) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--tools", default="../shared/tools")
    parser.add_argument("--work", default="build/bench")
    parser.add_argument("--out", default="bench/results")
    parser.add_argument("--bundles", type=int, default=500)
    parser.add_argument("--small", type=int, default=12500)
    arguments = parser.parse_args()
    bench = Bench(arguments)
    v2 = bench.generate("v2", arguments.bundles)
    store = bench.import_rate("v2", v2, arguments.bundles, 10, "")
    bench.size(store, arguments.bundles)
    bench.check_store(store, v2, arguments.bundles)
    v1 = bench.generate("v1", 100, "--v1")
    store = bench.import_rate("v1", v1, 100, 16, "")
    bench.check_store(store, v1, 100)
    bench.scan()
    bench.listing(arguments.small)
    bench.save(Path(arguments.out))
    return 0 if all(row["good"] for row in bench.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
