"""Ticks that benchmarks are made of, their arguments, the figures they print."""

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

SECOND = 1_000_000_000
DAY = 86_400 * SECOND
START = 1_735_689_600 * SECOND  # 2025-01-01 UTC


def trades(rows: int, contract: int, first: int, span: int, seed: int | None = None) -> pa.Table:
    """A walk of one contract by quarters, spread over `span` nanoseconds from `first` on."""
    random = np.random.default_rng(contract if seed is None else [contract, seed])
    return pa.table(
        {
            "ts_ns": first + np.sort(random.integers(0, span, rows)),
            "contract_id": np.full(rows, contract),
            "tick_type": _types(rows, "last"),
            "price": 5000 + np.cumsum(random.integers(-1, 2, rows)) * 0.25,
            "size": random.integers(1, 20, rows) * 1.0,
        }
    )


def quotes(rows: int, contracts: int, first_row: int) -> pa.Table:
    """Quotes of `contracts` interleaved, one each microsecond, received within a millisecond."""
    random = np.random.default_rng(first_row)
    ts = START + (first_row + np.arange(rows)) * 1000
    bid = 5000 + np.cumsum(random.integers(-1, 2, rows)) * 0.25
    return pa.table(
        {
            "ts_ns": ts,
            "recv_ns": ts + random.integers(0, 900_000, rows),
            "contract_id": random.integers(1, contracts + 1, rows),
            "tick_type": _types(rows, "bid_ask"),
            "bid_price": bid,
            "bid_size": random.integers(1, 40, rows) * 1.0,
            "ask_price": bid + 0.25,
            "ask_size": random.integers(1, 40, rows) * 1.0,
        }
    )


def _types(rows: int, name: str) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(np.zeros(rows, "int8"), [name])


def middle(values: list[float], part: float = 0.5) -> float:
    return sorted(values)[int((len(values) - 1) * part)]


def begin(doc: str, roles: dict | None = None, **counts: int) -> tuple[argparse.Namespace, Any]:
    """The arguments of a benchmark, and the package of the build they name. `counts`: options
    with their defaults. `roles`: what a process that `in_child` started does; it ends here."""
    parser = argparse.ArgumentParser(description=doc.splitlines()[0])
    parser.add_argument("--build", type=Path, default=Path("build/release"))
    parser.add_argument("--tools", type=Path, default=Path("../shared/tools"))
    parser.add_argument("--out", type=Path, help="a folder for the results")
    for name, count in counts.items():
        parser.add_argument("--" + name.replace("_", "-"), type=int, default=count)
    if roles:
        parser.add_argument("--role", choices=roles)
        parser.add_argument("arguments", nargs="*")
    given = parser.parse_args()
    if roles and given.role:
        answer = roles[given.role](*given.arguments)
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(json.dumps({**answer, "peak_mb": peak_mb}))
        sys.exit(0)
    given.build = given.build.resolve()
    sys.path.insert(0, str(given.build / "pylib"))
    import lamina

    return given, lamina


class Figures:
    """One figure a line: printed as they come, written as a table in the end."""

    def __init__(self):
        self.rows: list[tuple[str, str, str, str]] = []

    def tell(
        self, figure: str, value: float, unit: str, bound: str = "", digits: int = 2, note: str = ""
    ) -> None:
        """`bound`: ">= 2" or "<= 8", in the same unit."""
        kept = ""
        if bound:
            sign, limit = bound.split()
            met = value >= float(limit) if sign == ">=" else value <= float(limit)
            kept = "yes" if met else "NO"
        shown = f"{value:,.{digits}f} {unit}" + (f" ({note})" if note else "")
        self.rows.append((figure, shown, f"{bound} {unit}" if bound else "", kept))
        print(f"{kept:<4} {figure}: {shown}" + (f", bound {bound}" if bound else ""), flush=True)

    def write(self, path: Path, title: str, text: str) -> None:
        lines = [
            f"# {title}",
            "",
            text,
            "",
            "| figure | value | bound | kept |",
            "|---|---|---|---|",
        ]
        lines += [f"| {' | '.join(row)} |" for row in self.rows]
        path.write_text("\n".join(lines) + "\n")


def in_child(script: str, role: str, *arguments) -> dict:
    """`script --role role arguments…` in a process of its own: its answer, with `peak_mb`."""
    done = subprocess.run(
        [sys.executable, script, "--role", role, *map(str, arguments)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    if done.returncode != 0:
        raise SystemExit(f"{script} --role {role}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


class Run(NamedTuple):
    seconds: float
    cpu: float  # seconds of processor time
    peak_mb: float


def run_command(command: list) -> Run:
    """What a program that must succeed took."""
    began = time.perf_counter()
    child = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise SystemExit(f"{command}: exit status {child.returncode}")
    seconds = time.perf_counter() - began
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def google_benchmark(program: Path, names: str) -> dict[str, dict]:
    """The full sizes of a program of micro-benchmarks, by name."""
    done = subprocess.run(
        [program, f"--benchmark_filter={names}", "--benchmark_format=json"],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "LAMINA_BENCH_FULL": "1"},
    )
    found = {}
    for one in json.loads(done.stdout)["benchmarks"]:
        if one.get("error_occurred"):
            raise SystemExit(f"{one['name']}: {one['error_message']}")
        found[one["name"]] = one
    return found
