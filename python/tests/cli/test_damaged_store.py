"""Stores that were damaged, mixed up or badly copied.

Each gives an error that names the place, or the right answer."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command import BINARY, run, run_json

import lamina

pytestmark = pytest.mark.shared

REFUSED = {"kCorruption": 6, "kInvalidArgument": 2, "kUnsupported": 9}


@pytest.fixture(scope="module")
def whole(tmp_path_factory, shared) -> Path:
    """A small store, closed."""
    store = tmp_path_factory.mktemp("damage") / "store"
    run("init", store)
    golden = shared / "data" / "bundles" / "golden" / "v2_8.10.0"
    run("import", golden / "one_run.iafbt", golden / "windows3_full.iafbt", store=store)
    return store


@pytest.fixture
def damaged(whole, tmp_path) -> Path:
    shutil.copytree(whole, tmp_path / "store")
    return tmp_path / "store"


def answers(store: Path, out: Path) -> list:
    """What list, show, export and a lake table say; the first error instead."""
    said = []
    for arguments in (
        ("list",),
        ("show", "one_run"),
        ("export", "one_run", "-o", out, "--level", "3"),
        ("export", "windows3_full", "-o", out, "--level", "3"),
    ):
        done = run("--json", *arguments, store=store, check=False)
        if done.returncode != 0:
            said.append(json.loads(done.stderr.splitlines()[-1]) | {"exit": done.returncode})
            return said
        said.append(done.stdout if arguments[0] != "export" else out.read_bytes())
    return said


def refused(said: list, *names: str) -> bool:
    """The last answer is an error that names one of the files."""
    error = said[-1]
    if not isinstance(error, dict):
        return False
    assert REFUSED.get(error["code"]) == error["exit"], error
    assert any(name in error["message"] for name in names), error
    return True


@pytest.mark.parametrize("name", ["catalog.sqlite", "objects.sqlite"])
def test_a_database_cut_short(damaged, tmp_path, name):
    path = damaged / name
    bytes_ = path.read_bytes()
    for length in (
        0,
        1,
        99,
        100,
        4095,
        4096,
        len(bytes_) // 2,
        len(bytes_) - 4096,
        len(bytes_) - 1,
    ):
        path.write_bytes(bytes_[:length])
        assert refused(answers(damaged, tmp_path / "out"), name) or (
            run("verify", "--deep", store=damaged, check=False).returncode != 0
        ), f"{name} cut at {length}"
    path.unlink()
    assert refused(answers(damaged, tmp_path / "out"), name)
    assert run("verify", store=damaged, check=False).returncode != 0


def lake_files(store: Path, table: str) -> list[Path]:
    return sorted((store / "lake" / "backtests" / table).glob("*.parquet"))


def test_a_lake_file_that_is_gone_is_damage(damaged, tmp_path):
    for path in lake_files(damaged, "portfolio_snapshots"):
        path.unlink()
    assert refused(answers(damaged, tmp_path / "out"), path.name)
    with lamina.open(damaged) as store, pytest.raises(lamina.Corruption, match="missing"):
        store.backtests.get("one_run").snapshots().to_arrow()
    problems = run_json("verify", store=damaged, check=False)["problems"]
    assert any(path.name in problem["path"] for problem in problems)


def test_a_file_of_another_store(damaged, tmp_path, shared):
    other = tmp_path / "other"
    run("init", other)
    golden = shared / "data" / "bundles" / "golden" / "v2_8.10.0"
    run("import", golden / "param_order.iafbt", store=other)
    mine, theirs = (lake_files(store, "runs")[0] for store in (damaged, other))
    shutil.copy(theirs, mine)
    verified = run_json("verify", store=damaged, check=False)
    assert any(mine.name in problem["path"] for problem in verified["problems"])
    for name in ("catalog.sqlite", "objects.sqlite", "lamina.toml"):
        mixed = tmp_path / f"mixed {name}"
        shutil.copytree(other, mixed)
        shutil.copy(damaged / name, mixed / name)
        out = tmp_path / "out"
        done = run("export", "param_order", "-o", out, store=mixed, check=False)
        assert done.returncode == 6 and (name in done.stderr or "lamina.toml" in done.stderr), name


def test_two_copies_of_a_store_go_their_own_ways(whole, tmp_path):
    """The same id twice: each is whole by itself; parts of one in the other are noticed."""
    copies = [tmp_path / "a", tmp_path / "b"]
    for copy in copies:
        shutil.copytree(whole, copy)
    run("note", "one_run", "of a", store=copies[0])
    run("delete", "one_run", store=copies[1])
    assert len(run_json("list", store=copies[0])) == 2
    assert len(run_json("list", store=copies[1])) == 1
    for copy in copies:
        assert run_json("verify", "--deep", store=copy)["ok"]
    run("note", "windows3_full", "ahead", store=copies[0])
    run("note", "windows3_full", "further ahead", store=copies[0])
    shutil.copy(copies[1] / "catalog.sqlite", copies[0] / "catalog.sqlite")
    assert refused(answers(copies[0], tmp_path / "out"), "catalog.sqlite")


WRITER = """
import sys, lamina
store = lamina.open(sys.argv[1])
for number in range(10_000):
    store.backtests.note("one_run", str(number))
    print(number, flush=True)
"""


def test_without_its_log_a_store_says_that_commits_are_lost(damaged, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, damaged], stdout=subprocess.PIPE, text=True
    )
    for _ in range(20):
        process.stdout.readline()
    process.kill()
    process.wait(timeout=60)
    log = damaged / "catalog.sqlite-wal"
    assert log.stat().st_size > 0
    bytes_ = log.read_bytes()
    log.unlink()
    assert refused(answers(damaged, tmp_path / "out"), "catalog.sqlite")
    assert "commits were lost" in answers(damaged, tmp_path / "out")[-1]["message"]
    log.write_bytes(bytes_)
    assert len(answers(damaged, tmp_path / "out")) == 4


def copied_live(store, copy):
    """Copies as `cp -r` does: all but the files that their writer took away meanwhile."""
    try:
        shutil.copytree(store, copy)
    except shutil.Error as error:
        for source, _, reason in error.args[0]:
            assert "[Errno 2]" in reason and not Path(source).exists(), error


def test_copied_while_a_writer_works(damaged, tmp_path):
    """`cp -r` of a live store is no backup: it opens as some state that was, or says why not."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, damaged], stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    opened = 0
    for number in range(8):
        copy = tmp_path / f"copy{number}"
        copied_live(damaged, copy)
        said = answers(copy, tmp_path / "out")
        if not refused(said, "catalog.sqlite", "objects.sqlite"):
            assert len(said) == 4
            assert run_json("verify", "--deep", store=copy)["ok"]
            opened += 1
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=60)
    assert run_json("verify", "--deep", store=damaged)["ok"]


def test_a_newer_catalog_is_left_alone(damaged, tmp_path):
    text = (damaged / "lamina.toml").read_text()
    (damaged / "lamina.toml").write_text(text.replace("format_version = 1", "format_version = 99"))
    assert refused(answers(damaged, tmp_path / "out"), "lamina.toml")
    assert run("note", "one_run", "x", store=damaged, check=False).returncode == 9


def test_too_little_free_space_is_refused_before_anything_is_written(damaged, shared):
    before = run_json("snapshots", store=damaged)
    settings = (damaged / "lamina.toml").read_text()
    assert "\nformat_version" in settings
    limit = f"\nmin_free_bytes = {1 << 60}\nformat_version"
    (damaged / "lamina.toml").write_text(settings.replace("\nformat_version", limit))
    golden = shared / "data" / "bundles" / "golden" / "v2_8.10.0" / "param_order.iafbt"
    done = run("import", golden, store=damaged, check=False)
    assert done.returncode == 8 and "min_free_bytes" in done.stderr, done.stderr
    assert run_json("snapshots", store=damaged) == before
    assert len(run_json("list", store=damaged)) == 2
    run("delete", "one_run", store=damaged)
    assert BINARY.exists() and len(run_json("list", store=damaged)) == 1
