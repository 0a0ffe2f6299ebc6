#!/usr/bin/env python3
"""Time the published framework and this build on the same bundles, in the same run, in turns.

Usage: bench/backtests/beside_framework.py --build build/release --tools ../shared/tools
       [--bundles 100] [--framework PYTHON]
Bundles are generated into build/bench. The framework is installed from PyPI into an environment of
its own below build/bench, unless the python of an environment that has it is given. Each side is
one process that has its modules loaded: only the calls are timed. Answers are compared first.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import bundles
import machine
from environment import python_with

PACKAGE = "investing-algorithm-framework"
PEERS = Path(__file__).parent / "peers"


class Side:
    """A process that does what it is asked for."""

    def __init__(self, name: str, python: Path, script: str, environment: dict[str, str]):
        self.name = name
        self.process = subprocess.Popen(
            [python, PEERS / script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, **environment},
        )

    def ask(self, *words) -> tuple[object, float]:
        """Its answer, and the milliseconds it took."""
        self.process.stdin.write(json.dumps(list(map(str_or_int, words))) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.name} died on {words}: exit {self.process.wait()}")
        got = json.loads(line)
        return got["answer"], got["seconds"] * 1e3


def str_or_int(word):
    return word if isinstance(word, int) else str(word)


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


class Comparison:
    def __init__(self, arguments):
        self.work = arguments.work / "beside"
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.bundles = bundles.generated(
            arguments.tools, arguments.work / f"v2-{arguments.bundles}", arguments.bundles
        )
        self.paths = sorted(self.bundles.glob("*.iafbt"))
        python = arguments.framework or python_with(arguments.work / "framework", PACKAGE)
        build = {"PYTHONPATH": str(Path(arguments.build).resolve() / "pylib")}
        self.sides = (
            Side("framework", python, "framework.py", {}),
            Side("ours", Path(sys.executable), "ours.py", build),
        )
        self.versions = [side.ask("version")[0] for side in self.sides]
        self.rows: list[tuple[str, float, float, str]] = []

    def both(self, *words) -> list:
        """The answers of both, which must agree."""
        answers = [side.ask(*words)[0] for side in self.sides]
        if answers[0] != answers[1]:
            raise SystemExit(f"{words}: the answers differ:\n{answers[0]}\n{answers[1]}")
        return answers

    def time(self, figure: str, requests) -> None:
        """Median of each side over `requests` (one list of words for each side), in turns."""
        times: list[list[float]] = [[], []]
        for words in requests:
            for i, side in enumerate(self.sides):
                times[i].append(side.ask(*words[i])[1])
        self.add(figure, *(statistics.median(one) for one in times), "ms")

    def add(self, figure: str, theirs: float, ours: float, unit: str) -> None:
        ratio = theirs / ours if ours else float("inf")
        print(f"{figure:<46} {theirs:>12,.2f} {ours:>12,.2f} {unit:<3} {ratio:>9.1f}x")
        self.rows.append((figure, theirs, ours, unit))

    def index(self) -> None:
        files = [[self.work / f"{name}-{i}.sqlite" for i in range(2)] for name in ("iaf", "ours")]
        self.time(
            f"index of {len(self.paths)} bundles, cold",
            [[("index", self.bundles, files[side][i]) for side in (0, 1)] for i in range(2)],
        )
        tops = [
            side.ask("top", files[i][0], "sharpe_ratio", 20)[0] for i, side in enumerate(self.sides)
        ]
        if tops[0] != tops[1]:
            raise SystemExit(f"the top lists differ:\n{tops[0]}\n{tops[1]}")
        again = [[("index", self.bundles, files[side][0]) for side in (0, 1)]] * 7
        self.time("index with nothing changed", again)
        lists = [[("top", files[side][0], "sharpe_ratio", 20) for side in (0, 1)]] * 21
        self.time("top-20 of the index by sharpe_ratio", lists)

    def opening(self) -> None:
        for path in self.paths[:5]:
            self.both("open", path)
            self.both("open_summary", path)
        some = [[("open", path)] * 2 for path in self.paths[:15]]
        self.time("open one bundle, all of it", some)
        some = [[("open_summary", path)] * 2 for path in self.paths[:15]]
        self.time("open one bundle, summary only", some)

    def storing(self, puts: int) -> None:
        roots = [self.work / "tiered-iaf", self.work / "tiered-ours"]
        for side, root in zip(self.sides, roots, strict=True):
            side.ask("make_store", root)
        chosen = self.paths[:puts]
        for path in chosen:
            self.both("load", path)
        self.time(
            "put of one, durable (theirs: not synced)", [[("put", path)] * 2 for path in chosen]
        )
        self.both("count")
        for path in chosen[:5]:
            self.both("open_stored", path.stem)
        some = [[("open_stored", path.stem)] * 2 for path in chosen]
        self.time("open one of the store, all of it", some)
        sizes = [size_of(root) / 1e3 / puts for root in roots]
        self.add("store, a backtest", *sizes, "KB")
        bundles = sum(path.stat().st_size for path in chosen) / 1e3 / puts
        self.add("bundle files (left) and store, a backtest", bundles, sizes[1], "KB")

    def write(self, out: Path) -> None:
        lines = ["# Beside the published framework", ""]
        lines += [
            f"Made by `bench/backtests/beside_framework.py`: {len(self.paths)} bundles of 7 runs"
        ]
        lines += [f"and 15,344 snapshots; {PACKAGE} {self.versions[0]}, Lamina {self.versions[1]}."]
        lines += [f"{machine.describe()}.", "Medians; calls in loaded processes, in turns.", ""]
        lines += ["| figure | framework | ours | ratio |", "|---|---|---|---|"]
        for figure, theirs, ours, unit in self.rows:
            lines.append(
                f"| {figure} | {theirs:,.2f} {unit} | {ours:,.2f} {unit} | {theirs / ours:.1f} |"
            )
        out.mkdir(parents=True, exist_ok=True)
        (out / "backtests_beside_framework.md").write_text("\n".join(lines) + "\n")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--tools", type=Path, default=Path("../shared/tools"))
    parser.add_argument("--work", type=Path, default=Path("build/bench"))
    parser.add_argument("--out", type=Path, default=Path("bench/results"))
    parser.add_argument("--bundles", type=int, default=100)
    parser.add_argument("--puts", type=int, default=20)
    parser.add_argument("--framework", type=Path, help="python of an environment that has it")
    arguments = parser.parse_args()
    arguments.work = arguments.work.resolve()
    comparison = Comparison(arguments)
    print(f"{'':<46} {'framework':>12} {'ours':>12}")
    comparison.index()
    comparison.opening()
    comparison.storing(arguments.puts)
    comparison.write(arguments.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
