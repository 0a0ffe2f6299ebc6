"""Writers, an archiver and retention on the ticks of one store, killed at random, and readers.

Each writer is a process that appends numbered ticks and, after each acknowledgement, writes the
last number down in a file of its own. Whoever is killed is started again. Readers ask for a
writer's ticks and must find every number acknowledged before they asked, each once, in order, with
its own value. In the end everything is archived, read and verified. Prints counts as JSON; exit 1
tells that something was wrong.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

BASE = 1_735_689_600_000_000_000  # 2025-01-01 UTC
STEP = 1_000_000  # between two ticks of a writer
BATCH = 200


class Wrong(Exception):
    """The store did not keep a promise."""


def tick_time(number: int) -> int:
    """Numbers go forward in time, but for every tenth batch, which comes late."""
    late = 3_600_000_000_000 if number // BATCH % 10 == 9 else 0
    return BASE + number * STEP - late


# ---- roles, each a process of its own ------------------------------------------------------------


def write(root: str, number_of_writer: str, ledger: str) -> None:
    import lamina

    contract = int(number_of_writer)
    while True:
        # The catalog's lock was held for longer than a writer waits: it says so, nothing happened.
        with contextlib.suppress(lamina.Conflict):
            return write_on(root, contract, ledger)


def write_on(root: str, contract: int, ledger: str) -> None:
    import pyarrow as pa

    import lamina

    # The log of the one before is opened again: an append that was stored and not acknowledged when
    # it was killed is there from then on, and its repetition is known.
    with lamina.open(root) as store, store.ticks.writer(producer=f"soak{contract}") as writer:
        known = store.ticks.query(contract, "last", 0, columns=["size"]).to_arrow().column("size")
        number = int(max(known.to_pylist(), default=-1)) + 1
        with open(ledger, "r+b", buffering=0) as out:
            while True:
                numbers = range(number, number + BATCH)
                writer.append(
                    pa.table(
                        {
                            "ts_ns": [tick_time(n) for n in numbers],
                            "contract_id": [contract] * BATCH,
                            "tick_type": ["last"] * BATCH,
                            "price": [n * 0.5 for n in numbers],
                            "size": [float(n) for n in numbers],
                        }
                    ),
                    producer_seq=number // BATCH + 1,
                )
                number += BATCH
                os.pwrite(out.fileno(), struct.pack("<q", number), 0)
                time.sleep(random.uniform(0, 0.01))


def archive(root: str) -> None:
    import lamina

    with lamina.open(root) as store:
        while True:
            with contextlib.suppress(lamina.Conflict):
                store.ticks.archive()
            time.sleep(random.uniform(0.05, 0.4))


def keep(root: str) -> None:
    import lamina

    with lamina.open(root) as store:
        while True:
            with contextlib.suppress(lamina.Conflict):
                store.ticks.retention(dry_run=False)
                store.compact()
            time.sleep(random.uniform(0.2, 1.0))


# ---- the one that watches ------------------------------------------------------------------------


class Role:
    """A process that is killed now and then, and started again."""

    def __init__(self, *arguments: str):
        self.arguments = arguments
        self.errors = tempfile.TemporaryFile()  # noqa: SIM115
        self.process = self.start()

    def start(self) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, __file__, *self.arguments],
            stderr=self.errors,
            stdout=subprocess.DEVNULL,
        )

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        code = self.process.wait(timeout=60)
        if code != -signal.SIGKILL:
            self.errors.seek(0)
            raise Wrong(f"{self.arguments} ended: {code}: {self.errors.read().decode()[-2000:]}")

    def restart(self) -> None:
        self.kill()
        self.process = self.start()


def acknowledged(ledger: Path) -> int:
    return struct.unpack("<q", ledger.read_bytes()[:8])[0]


def check(rows, least: int, most: int | None, whole: bool) -> int:
    """Numbers of rows sorted by time: each from 0 on once, at its time, with its price."""
    table = rows.to_arrow()
    numbers = [int(size) for size in table.column("size").to_pylist()]
    times = table.column("ts_ns").to_pylist()
    if times != sorted(times):
        raise Wrong("ticks are not in order")
    if len(set(numbers)) != len(numbers):
        raise Wrong(f"{len(numbers) - len(set(numbers))} ticks came twice")
    for number, at, price in zip(numbers, times, table.column("price").to_pylist(), strict=True):
        if at != tick_time(number) or price != number * 0.5:
            raise Wrong(f"tick {number} has changed")
    if whole and sorted(numbers) != list(range(len(numbers))):
        missing = set(range(max(numbers) + 1)) - set(numbers)
        raise Wrong(f"{len(missing)} ticks are missing, the first is {min(missing)}")
    if whole and len(numbers) < least:
        raise Wrong(f"{least} ticks were acknowledged, {len(numbers)} are there")
    if most is not None and len(numbers) > most:
        raise Wrong(f"{len(numbers)} ticks, of which only {most} can have been sent")
    return len(numbers)


def read(
    store, contracts: list[int], ledgers: dict[int, Path], rng: random.Random
) -> tuple[str, int]:
    """One look, of one of several kinds; RETURNS the kind and how many ticks it saw."""
    contract = rng.choice(contracts)
    least = acknowledged(ledgers[contract])
    kind = rng.choice(("query", "stream", "part", "bars", "tail"))
    if kind == "query":
        return kind, check(store.ticks.query(contract, "last", 0), least, None, True)
    if kind == "stream":
        import pyarrow as pa

        batches = [b.to_arrow() for b in store.ticks.stream(contract, "last", 0, batch_rows=5000)]
        return kind, check(Rows(pa.concat_tables(batches)), least, None, True) if batches else 0
    if kind == "part":
        first = rng.randrange(max(1, least))
        rows = store.ticks.query(contract, "last", tick_time(first), tick_time(first) + 5000 * STEP)
        return kind, check(rows, 0, None, False)
    if kind == "bars":
        bars = store.ticks.query(contract, "last", 0, resolution="1s", columns=["n_ticks"])
        count = sum(bars.to_arrow().column("n_ticks").to_pylist())
        if count < least:
            raise Wrong(f"{least} ticks were acknowledged, bars hold {count}")
        return kind, count
    seen: list[int] = []
    for rows in store.ticks.tail(contract, "last", from_seq=0, wait=0):
        seen += [int(size) for size in rows.to_arrow().column("size").to_pylist()]
    if len(set(seen)) != len(seen) or len(seen) < least:
        raise Wrong(f"a tail gave {len(seen)} ticks, {len(set(seen))} of them new, of {least}")
    return kind, len(seen)


class Rows:
    def __init__(self, table):
        self.table = table

    def to_arrow(self):
        return self.table


def soak(seconds: float, seed: int, writers: int, readers: int, folder: Path) -> dict:
    import lamina

    rng = random.Random(seed)
    root = folder / "store"
    with lamina.open(root, create=True):
        pass
    config = root / "lamina.toml"  # small segments, kept for no time: everything moves all the time
    config.write_text(
        config.read_text()
        + "\n[ticks]\nsegment_max_bytes = 1048576\nbuffer_retention_hours = 0\n"
        + "buffer_rotation_minutes = 1\narchive_retention_days = 0\n"  # the ticks are of 2025
    )
    contracts = list(range(1, writers + 1))
    ledgers = {contract: folder / f"ledger{contract}" for contract in contracts}
    for ledger in ledgers.values():
        ledger.write_bytes(struct.pack("<q", 0))
    roles = [Role("write", str(root), str(c), str(ledgers[c])) for c in contracts]
    roles += [Role("archive", str(root)), Role("keep", str(root))]
    counts: Counter = Counter()
    wrong: list[str] = []
    done = threading.Event()

    def reader(number: int) -> None:
        mine = random.Random(seed * 100 + number)
        with lamina.open(root, read_only=True) as store:
            while not done.is_set():
                try:
                    kind, ticks = read(store, contracts, ledgers, mine)
                    counts[f"{kind} read"] += 1
                    counts["ticks read"] += ticks
                except Exception as error:  # whatever goes wrong ends the soak
                    wrong.append(f"reader {number}: {error!r}")
                    done.set()

    threads = [threading.Thread(target=reader, args=(n,)) for n in range(readers)]
    for thread in threads:
        thread.start()
    until = time.monotonic() + seconds
    try:
        while time.monotonic() < until and not done.is_set():
            time.sleep(rng.uniform(0.5, 5.5))
            role = rng.choice(roles)
            role.restart()
            counts[f"{role.arguments[0]} killed"] += 1
    except Wrong as error:
        wrong.append(str(error))
    finally:
        done.set()
        for role in roles:
            try:
                role.kill()
            except Wrong as error:
                wrong.append(str(error))
        for thread in threads:
            thread.join()
    with lamina.open(root) as store:
        store.ticks.archive()
        for contract in contracts:
            least = acknowledged(ledgers[contract])
            rows = store.ticks.query(contract, "last", 0)
            counts["ticks acknowledged"] += least
            try:
                counts["ticks there"] += check(rows, least, least + 10_000 * BATCH, True)
            except Wrong as error:
                wrong.append(f"writer {contract} in the end: {error}")
        report = store.verify(deep=True)
        wrong += [f"verify: {problem}" for problem in report.problems]
    return {"seconds": seconds, "seed": seed, **dict(sorted(counts.items())), "wrong": wrong}


def main() -> int:
    roles = {"write": write, "archive": archive, "keep": keep}
    if len(sys.argv) > 1 and sys.argv[1] in roles:
        arguments = sys.argv[2:]
        roles[sys.argv[1]](*arguments)
        return 0
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--writers", type=int, default=3)
    parser.add_argument("--readers", type=int, default=5)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-ticks-") as folder:
        report = soak(given.seconds, given.seed, given.writers, given.readers, Path(folder))
    print(json.dumps(report, indent=1))
    return 1 if report["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
