"""Migrations between kinds of stores: killed and run again, they end as undisturbed ones do."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import bundles
import pytest
from command import BINARY, run_json

import lamina

pytestmark = pytest.mark.shared

KILLS = 10


@pytest.fixture(scope="module")
def mixed(shared, tmp_path_factory) -> Path:
    """A folder of 300 bundles: goldens of every version, real ones, generated ones, prices."""
    folder = tmp_path_factory.mktemp("mixed")
    data = shared / "data" / "bundles"
    shutil.copytree(data / "golden", folder / "golden")
    shutil.copytree(data / "real", folder / "real")
    there = sum(path.suffix in (".iafbt", ".obtf") for path in folder.rglob("*"))
    tool = shared / "tools" / "gen_bundles.py"
    command = [sys.executable, tool, folder / "made", "-n", str(300 - there), "--shape", "small"]
    subprocess.run([*command, "--level", "3"], check=True, capture_output=True, timeout=300)
    return folder


def migrate(source: Path, target: Path, kinds: tuple[str, str]) -> dict:
    return run_json("migrate-store", "--from", kinds[0], "--to", kinds[1], source, target)


def migrate_killed(source: Path, target: Path, kinds: tuple[str, str], whole: float) -> int:
    """Migrate, killed KILLS times on the way. Returns how many kills met it at work."""
    rng = random.Random(540)
    met = 0
    command = [BINARY, "--quiet", "migrate-store", "--from", kinds[0], "--to", kinds[1]]
    for _ in range(KILLS):
        process = subprocess.Popen(
            [*command, source, target], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0.02, max(whole * 0.25, 0.1)))
        met += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait(timeout=60)
    return met


def index_of(store) -> list[str]:
    rows = [dict(row) for row in store.iter_index_rows()]
    return sorted(json.dumps(row, sort_keys=True) for row in rows)


def documents_of(store) -> dict[str, str]:
    return {handle: store.get(handle).document_sha256 for handle in store}


def test_into_a_lamina_store_killed_ten_times(mixed, tmp_path):
    kinds = ("local-dir", "local-tiered")
    began = time.monotonic()
    undisturbed = migrate(mixed, tmp_path / "undisturbed", kinds)
    whole = time.monotonic() - began
    assert (undisturbed["migrated"], undisturbed["failed"]) == (300, [])

    met = migrate_killed(mixed, tmp_path / "killed", kinds, whole)
    assert met > 0
    rest = migrate(mixed, tmp_path / "killed", kinds)
    assert rest["failed"] == [] and rest["migrated"] + rest["unchanged"] == 300

    with (
        lamina.LocalTieredStore(tmp_path / "undisturbed") as one,
        lamina.LocalTieredStore(tmp_path / "killed") as other,
    ):
        assert documents_of(other) == documents_of(one) and len(one) == 300
        assert index_of(other) == index_of(one)
        assert other.ohlcv_stored_hashes() == one.ohlcv_stored_hashes() != set()
        assert other.scan("runs").num_rows == one.scan("runs").num_rows
        assert other.store.verify(deep=True)
        folder = lamina.LocalDirStore(mixed)
        assert list(folder) == list(one)
        for handle in list(folder)[::7]:
            assert other.get(handle)._native.document_bytes() == bundles.document_bytes(
                folder.path_of(handle)
            )
    again = migrate(mixed, tmp_path / "killed", kinds)
    assert (again["migrated"], again["unchanged"]) == (0, 300)


def test_out_to_a_folder_killed_ten_times(mixed, tmp_path):
    # Without the real ones: level 19 of those takes minutes and shows nothing more.
    source = tmp_path / "source"
    shutil.copytree(mixed, source, ignore=shutil.ignore_patterns("real"))
    count = sum(path.suffix in (".iafbt", ".obtf") for path in source.rglob("*"))
    migrate(source, tmp_path / "store", ("local-dir", "local-tiered"))
    kinds = ("local-tiered", "local-dir")
    began = time.monotonic()
    migrate(tmp_path / "store", tmp_path / "undisturbed", kinds)
    migrate_killed(tmp_path / "store", tmp_path / "killed", kinds, time.monotonic() - began)
    rest = migrate(tmp_path / "store", tmp_path / "killed", kinds)
    assert rest["failed"] == [] and rest["migrated"] + rest["unchanged"] == count
    files = {
        str(path.relative_to(tmp_path / "undisturbed")): path.read_bytes()
        for path in (tmp_path / "undisturbed").rglob("*")
        if path.is_file()
    }
    for name, content in files.items():
        assert (tmp_path / "killed" / name).read_bytes() == content, name
        if not name.endswith(".parquet"):
            assert (source / name).read_bytes() == content, name
    left = {
        str(path.relative_to(tmp_path / "killed"))
        for path in (tmp_path / "killed").rglob("*")
        if path.is_file()
    }
    assert all(name.endswith(".tmp") for name in left - set(files))
