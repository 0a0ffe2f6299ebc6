"""Many processes on one store: readers see one state, writers conflict, holders are named."""

import importlib.util
import json
import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import bundles
import lake
import pytest
from command import BINARY, error_of, run, run_json

import lamina

SPAWN = multiprocessing.get_context("spawn")
HANDLES = [f"h{number}" for number in range(6)]


def document(tag: str) -> dict:
    return bundles.small_document(
        "a",
        [1000.0 + len(tag)] * 3,
        tag=tag,
        parameters={"tag": tag},
        metrics={"sharpe_ratio": 1.0},
    )


@pytest.fixture
def root(tmp_path) -> Path:
    with lamina.open(tmp_path / "store", create=True):
        return tmp_path / "store"


def bundles_of(folder: Path, tag: str) -> Path:
    """The handles as bundle files, each with the document of `tag`."""
    source = lamina.LocalDirStore(folder / tag, level=1)
    for handle in HANDLES:
        source.put(document(tag), handle=handle)
    return folder / tag


def _read_states(root: Path, end: float, acknowledged, out) -> None:
    seen, wrong = 0, []
    held = lamina.open(root, read_only=True)
    while time.time() < end and not wrong:
        least = acknowledged.value
        # One that stays open, and one that opens anew.
        with lamina.open(root, read_only=True) as fresh:
            for store in (held, fresh):
                rows = store.backtests.list(columns=["handle", "tag"]).to_dicts()
                tags = {row["tag"] for row in rows}
                if len(rows) != len(HANDLES) or len(tags) != 1 or int(min(tags)) < max(least, seen):
                    wrong.append(f"{rows} after {least} was acknowledged and {seen} seen")
                    break
                seen = int(min(tags))
    out.put((seen, wrong))


def test_readers_in_processes_see_whole_snapshots_in_order(root, tmp_path):
    """A commit replaces all documents; no reader sees two versions, or an older one again."""
    versions = [bundles_of(tmp_path, f"{number:03}") for number in range(12)]
    store = lamina.open(root)
    assert store.backtests.import_(versions[0], workers=1).imported == len(HANDLES)
    acknowledged, out = SPAWN.Value("i", 0), SPAWN.Queue()
    end = time.time() + 20
    readers = [
        SPAWN.Process(target=_read_states, args=(root, end, acknowledged, out)) for _ in range(3)
    ]
    for reader in readers:
        reader.start()
    for number, folder in enumerate(versions[1:], 1):
        report = store.backtests.import_(folder, workers=1, replace=True)
        assert report.replaced == len(HANDLES)
        acknowledged.value = number
        time.sleep(0.3)
    results = [out.get(timeout=60) for _ in readers]
    for reader in readers:
        reader.join(timeout=60)
    for seen, wrong in results:
        assert wrong == []
        assert seen == len(versions) - 1


def _put_same(root: Path, number: int, start, out) -> None:
    with lamina.open(root) as store:
        for attempt in range(5):
            start.wait()
            try:
                store.backtests.put(document(str(number)), handle=f"same{attempt}")
                out.put((attempt, number))
            except (lamina.AlreadyExists, lamina.Conflict):
                out.put((attempt, None))


def test_one_of_many_processes_wins_a_handle(root):
    start, out = SPAWN.Barrier(4), SPAWN.Queue()
    writers = [SPAWN.Process(target=_put_same, args=(root, n, start, out)) for n in range(4)]
    for writer in writers:
        writer.start()
    results = [out.get(timeout=120) for _ in range(20)]
    for writer in writers:
        writer.join(timeout=60)
    with lamina.open(root, read_only=True) as store:
        for attempt in range(5):
            winners = [number for at, number in results if at == attempt and number is not None]
            assert len(winners) == 1
            assert store.backtests.get(f"same{attempt}").tag == str(winners[0])


HOLDER = """
import sqlite3, sys, time, lamina
store = lamina.open(sys.argv[1])
store.backtests.note("h0", "held")
lock = sqlite3.connect(sys.argv[1] + "/catalog.sqlite", isolation_level=None)
lock.execute("BEGIN IMMEDIATE")
print("holding", flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("end", ["continued", "killed"])
def test_a_stopped_holder_is_named_and_blocks_no_reader(root, end):
    with lamina.open(root) as store:
        store.backtests.put(document("t"), handle="h0")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, root], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "holding\n"
        holder.send_signal(signal.SIGSTOP)
        assert [row["handle"] for row in run_json("list", store=root)] == ["h0"]
        assert run_json("verify", store=root)["ok"]
        refused = error_of("note", "h0", "mine", store=root)
        assert refused["code"] == "kConflict" and refused["exit"] == 5
        assert f"process {holder.pid} on " in refused["message"]
        if end == "continued":
            holder.send_signal(signal.SIGCONT)
            assert error_of("note", "h0", "mine", store=root)["code"] == "kConflict"
    finally:
        holder.kill()
        holder.wait(timeout=60)
    run("note", "h0", "mine", store=root)
    assert run_json("verify", "--deep", store=root)["ok"]
    assert [p.name for p in (root / "staging").iterdir()] == ["sessions.lock"]


def test_a_stopped_writer_does_not_stop_others(root, tmp_path):
    """Stopped anywhere in a large import: others write and read; it goes on afterwards."""
    source = lamina.LocalDirStore(tmp_path / "in", level=1)
    for number in range(60):
        source.put(document(f"n{number}"), handle=f"n{number}")
    for delay in (0.05, 0.15, 0.3):
        process = subprocess.Popen(
            [BINARY, "--store", root, "--quiet", "import", tmp_path / "in", "--replace"]
        )
        time.sleep(delay)
        process.send_signal(signal.SIGSTOP)
        run_json("list", store=root)
        put = run("--json", "note", "n0", "x", store=root, check=False)
        assert put.returncode in (0, 3, 5), put.stderr  # 5: it was stopped in its transaction
        process.send_signal(signal.SIGCONT)
        assert process.wait(timeout=120) == 0
    assert len(run_json("list", "--columns", "handle", store=root)) == 60
    assert run_json("verify", "--deep", store=root)["ok"]


def test_two_more_sqlite_libraries_in_a_writing_process(root):
    """Python's sqlite3 and DuckDB open and close the live catalog while this process writes it."""
    end = time.monotonic() + 10
    problems: list[str] = []
    counts = {"sqlite3": 0, "duckdb": 0, "read": 0}

    def loop(name, work):
        try:
            while time.monotonic() < end and not problems:
                work()
                counts[name] += 1
        except Exception as error:
            problems.append(f"{name}: {type(error).__name__}: {error}")

    def by_sqlite():
        connection = sqlite3.connect(f"file:{root}/catalog.sqlite?mode=ro", uri=True, timeout=10)
        connection.execute("SELECT count(*) FROM backtest").fetchone()
        connection.close()

    def by_duckdb():
        connection = lake.attach(root)
        connection.execute("SELECT count(*) FROM lake.backtests.runs").fetchone()
        connection.close()

    def by_lamina():
        with lamina.open(root, read_only=True) as store:
            store.backtests.handles()

    with lamina.open(root) as store:
        store.backtests.put(document("0"), handle="first")
        threads = [
            threading.Thread(target=loop, args=each)
            for each in (("sqlite3", by_sqlite), ("duckdb", by_duckdb), ("read", by_lamina))
        ]
        for thread in threads:
            thread.start()
        other = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import sys, lamina\n"
                "store = lamina.open(sys.argv[1])\n"
                "for n in range(40): store.backtests.note('first', str(n))\n",
                root,
            ]
        )
        written = 0
        while time.monotonic() < end:
            store.backtests.put(document(str(written)), handle=f"n{written}")
            written += 1
        for thread in threads:
            thread.join()
        assert other.wait(timeout=120) == 0
    assert problems == []
    assert all(count > 0 for count in counts.values()) and written > 0
    assert len(run_json("list", "--columns", "handle", store=root)) == written + 1
    assert run_json("verify", "--deep", store=root)["ok"]


def test_a_forked_worker_opens_its_own(root):
    """Work handed to forked children by multiprocessing, the parent's store open meanwhile."""
    with lamina.open(root) as store:
        store.backtests.put(document("0"), handle="parent")
        with multiprocessing.get_context("fork").Pool(2) as pool:
            pool.starmap(_put_in_child, [(root, number) for number in range(6)])
        store.backtests.put(document("1"), handle="parent2")
        assert len(store.backtests) == 8
    assert run_json("verify", "--deep", store=root)["ok"]


def _put_in_child(root: Path, number: int) -> None:
    with lamina.open(root) as store:
        store.backtests.put(document(str(number)), handle=f"child{number}")


def load_soak():
    path = Path(__file__).parents[3] / "tests" / "crash" / "soak.py"
    spec = importlib.util.spec_from_file_location("soak", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_soak_for_a_while(tmp_path):
    """`make soak` for half a minute."""
    source = lamina.LocalDirStore(tmp_path / "bundles", level=1)
    for number in range(12):
        source.put(document(str(number)), handle=f"b{number}")
    soak = load_soak()
    bundles = soak.bundles_in(BINARY, tmp_path / "bundles", tmp_path / "scratch")
    counts, problems = soak.soak(BINARY, tmp_path, bundles, 30, seed=os.getpid() % 1000)
    assert problems == [], json.dumps(counts)
    assert counts["killed"] > 5 and counts["listed"] > 5, counts
