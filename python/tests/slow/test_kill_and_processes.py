"""Killed imports, many processes: what was acknowledged is whole, nothing else is there."""

import json
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import bundles
import lake
import pytest
from command import BINARY, run, run_json

pytestmark = pytest.mark.shared


def generate(shared: Path, out: Path, count: int, *options: str) -> Path:
    tool = shared / "tools" / "gen_bundles.py"
    command = [sys.executable, tool, out, "-n", str(count), "--level", "3", "--jobs", "2", *options]
    subprocess.run(command, check=True, capture_output=True, timeout=600)
    return out


def test_kill_9_during_import_fifty_times(shared, tmp_path):
    source = generate(shared, tmp_path / "in", 400, "--shape", "medium")
    rng = random.Random(20_26)
    store = tmp_path / "store"
    run("init", store)
    began = time.monotonic()
    run("import", source, store=store)
    whole = time.monotonic() - began
    shutil_stores = []
    kills = 0
    seen: set[str] = set()
    store = tmp_path / "killed"
    run("init", store)
    while kills < 50:
        # Lists what earlier, killed imports committed: all of that must stay.
        process = subprocess.Popen(
            [BINARY, "--store", store, "--quiet", "import", source],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(rng.uniform(0, whole * 0.9))
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
        kills += 1
        handles = {row["handle"] for row in run_json("list", "--columns", "handle", store=store)}
        assert seen <= handles, "an acknowledged backtest is gone"
        seen = handles
        if kills % 10 == 0:
            verified = run_json("verify", "--deep", store=store)
            assert verified["ok"], verified["problems"]
        if len(handles) == 400:  # done before the kill: start over with an empty store
            shutil_stores.append(store)
            store, seen = tmp_path / f"killed{kills}", set()
            run("init", store)
    report = run_json("import", source, store=store)
    assert report["failed"] == []
    assert report["imported"] + report["unchanged"] == 400
    assert run_json("verify", "--deep", store=store)["ok"]
    leftovers = [
        p for p in (store / "staging").rglob("*") if p.is_file() and p.name != "sessions.lock"
    ]
    assert leftovers == [], "recovery leaves no staged files behind"
    judged = lake.conformance(shared, store, "--max-predicates", "40")
    assert judged.returncode == 0, judged.stdout[-2000:]


def test_eight_processes_put_500_backtests_each(shared, tmp_path):
    source = generate(shared, tmp_path / "in", 4000, "--shape", "tiny")
    files = sorted(source.glob("*.iafbt"))
    parts = []
    for number in range(8):
        part = tmp_path / "parts" / str(number)
        part.mkdir(parents=True)
        for path in files[number * 500 : (number + 1) * 500]:
            (part / path.name).symlink_to(path)
        parts.append(part)
    store = tmp_path / "store"
    run("init", store)
    # Each backtest in a commit of its own, as a sweep's workers put them.
    worker = """
import sys, lamina, pathlib
store = lamina.open(sys.argv[1])
for path in sorted(pathlib.Path(sys.argv[2]).glob("*.iafbt")):
    report = store.backtests.import_(path, workers=1)
    assert report.imported == 1, report
"""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", worker, store, part], stderr=subprocess.PIPE, text=True
        )
        for part in parts
    ]
    for process in processes:
        _, error = process.communicate(timeout=900)
        assert process.returncode == 0, error
    assert len(run_json("list", "--columns", "handle", store=store)) == 4000
    verified = run_json("verify", "--deep", store=store)
    assert verified["ok"], verified["problems"]
    stats = run_json("stats", store=store)
    live_files = sum(table["files"] for table in stats["tables"])
    assert live_files <= 500, live_files
    # The outside judge opens every file of every snapshot, 20,000 here: one question must do.
    shown = {table["table"]: table["rows"] for table in stats["tables"]}
    connection = lake.attach(store)
    for table, rows in shown.items():
        assert connection.execute(f"SELECT count(*) FROM lake.{table}").fetchone()[0] == rows, table
    sample = files[::400]
    for path in sample:
        out = tmp_path / "out.iafbt"
        run("export", path.stem, "-o", out, "--level", "3", store=store)
        assert bundles.document_bytes(out) == bundles.document_bytes(path)


def test_sqlite_integrity_after_all(shared, tmp_path):
    source = generate(shared, tmp_path / "in", 20, "--shape", "tiny")
    store = tmp_path / "store"
    run("init", store)
    run("import", source, store=store)
    connection = sqlite3.connect(f"file:{store}/catalog.sqlite?mode=ro", uri=True)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert json.loads(run("--json", "stats", store=store).stdout)["backtests"] == 20
