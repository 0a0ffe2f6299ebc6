"""Pins, time travel, expiry, collection, compaction, purge, backup, repair through Python."""

import datetime as dt
import random

import pytest

import lamina


def bundle(name, **more):
    return {
        "format_version": 2,
        "engine_type": "vector",
        "algorithm_id": name,
        "parameters": {"fast": 12},
        "tag": "sweep",
        "strategy_ids": [],
        "metadata": {},
        "vector_runs": [],
        "vector_metrics": {"sharpe_ratio": 1.5},
    } | more


@pytest.fixture
def history(tmp_path):
    """a, b and c put, a time in between, b deleted."""
    with lamina.open(tmp_path / "store", create=True) as store:
        for name in "abc":
            store.backtests.put(bundle(name), handle=name)
        between = dt.datetime.now(dt.UTC)
        store.backtests.delete("b")
        yield store, between


def test_reading_as_of_a_number_a_pin_or_a_time(history):
    store, between = history
    number = store.snapshot_at(between)
    assert store.pin("whole", number) == number
    for at in (
        number,
        "whole",
        str(number),
        between,
        between.isoformat(),
        between.replace(tzinfo=None),
    ):
        assert store.snapshot_at(at) == number
        assert store.backtests.handles(snapshot=at) == ["a", "b", "c"]
        assert store.backtests.list(snapshot=at).num_rows == 3
        assert store.backtests.rank("sharpe_ratio", snapshot=at).num_rows == 3
        assert store.backtests.get("b", snapshot=at).document() == bundle("b")
        assert store.instruments.list(snapshot=at).num_rows == 0
    assert store.backtests.handles() == ["a", "c"]
    assert store.snapshot_at(None) == store.snapshots()[-1]["snapshot_id"]
    with pytest.raises(lamina.NotFound):
        store.backtests.handles(snapshot=999)
    with pytest.raises(lamina.InvalidArgument, match="neither"):
        store.backtests.handles(snapshot="nobody")
    with pytest.raises(lamina.InvalidArgument):
        store.backtests.handles(snapshot=1.5)


def test_a_pin_holds_a_deleted_backtest_through_expiry_and_collection(history, tmp_path):
    store, between = history
    store.pin("whole", between)
    assert store.gc(dry_run=True)["removed_files"] == 0  # all is young
    store.compact()
    expired = store.expire("0s")
    assert expired["kept"] == 2 and expired["kept_by_pins"] == ["whole"]
    store.gc(grace="0s")
    assert store.backtests.get("b", snapshot="whole").document() == bundle("b")
    store.backtests.export("b", tmp_path / "b.iafbt", snapshot="whole")
    assert lamina.read_bundle(tmp_path / "b.iafbt") == bundle("b")
    with pytest.raises(lamina.NotFound, match="expired"):
        store.backtests.handles(snapshot=1)
    store.backtests.undelete("b")
    assert len(store.backtests) == 3
    assert store.verify(deep=True)
    with pytest.raises(lamina.AlreadyExists):
        store.pin("whole")
    store.unpin("whole")
    assert store.pins() == []
    with pytest.raises(lamina.NotFound):
        store.unpin("whole")


def test_collection_frees_what_a_deleted_backtest_had(history):
    store, _ = history
    store.backtests.put(bundle("big", metadata={"notes": "x" * 1000}), handle="big")
    store.backtests.delete("big")
    dry = store.expire(dt.timedelta(0), dry_run=True)
    assert dry["dry_run"] and len(store.snapshots()) > 1
    store.expire(dt.timedelta(0))
    report = store.gc(grace=dt.timedelta(0))
    assert report["removed_chunks"] > 0 and report["freed_bytes"] > 0 and not report["dry_run"]
    with pytest.raises(lamina.NotFound):
        store.backtests.undelete("big")
    assert store.verify(deep=True)
    with pytest.raises(lamina.InvalidArgument):
        store.gc(grace="soon")


def test_compact_says_what_it_did(history):
    store, _ = history
    done = {row["table"]: row for row in store.compact()}
    runs = done["backtests.runs"]
    assert set(runs) == {
        "table",
        "files_before",
        "files_after",
        "rows",
        "bytes_before",
        "bytes_after",
    }
    assert [row["table"] for row in store.compact("backtests.runs")] == ["backtests.runs"]
    with pytest.raises(lamina.NotFound):
        store.compact("nothing")


def test_purge(history):
    store, between = history
    store.pin("whole", between)
    with pytest.raises(lamina.Conflict, match="whole"):
        store.purge("b")
    store.unpin("whole")
    assert store.purge(["b", "c"])["purged"] == ["b", "c"]
    assert store.backtests.handles() == ["a"]
    for handle in "bc":
        with pytest.raises(lamina.NotFound):
            store.backtests.undelete(handle)
    assert store.verify(deep=True)
    with pytest.raises(lamina.NotFound):
        store.purge("b")


def test_backup_and_restore(history, tmp_path):
    store, between = history
    store.pin("whole", between)
    noise = random.Random(7).randbytes(200_000).hex()  # a chunk that is a file
    store.backtests.put(bundle("big", metadata={"noise": noise}), handle="big")
    first = store.backup(tmp_path / "copy")
    assert first["files"] == first["copied_files"]
    store.backtests.put(bundle("d"), handle="d")
    second = store.backup(tmp_path / "copy")
    assert second["copied_files"] < second["files"]
    with lamina.restore(tmp_path / "copy", tmp_path / "again") as again:
        assert again.store_id != store.store_id
        assert again.backtests.handles() == ["a", "big", "c", "d"]
        assert again.backtests.handles(snapshot="whole") == ["a", "b", "c"]
        assert again.verify(deep=True)
        again.backtests.delete("a")
    assert "a" in store.backtests
    with pytest.raises(lamina.NotFound):
        lamina.restore(tmp_path / "nowhere", tmp_path / "third")


def test_repair_makes_the_rank_table_again(history):
    store, _ = history
    root = store.root
    store.close()
    (root / "head").write_text("nonsense")
    with lamina.open(root) as store:
        found = store.verify()
        assert [problem.kind for problem in found.problems] == ["head"]
        assert "repair" in found.problems[0].remedy
        assert store.repair(dry_run=True).actions[0]["action"] == "rebuilt"
        done = store.repair()
        assert done.problems == () and len(done.actions) == 1
        assert store.verify(deep=True)


def test_doctor(history):
    store, _ = history
    found = {row["check"]: row for row in store.doctor()}
    assert found["store"]["state"] == "ok"
    assert {"file system", "fsync", "free space", "versions", "writers"} <= set(found)
    assert all((row["advice"] == "") == (row["state"] == "ok") for row in found.values())


def test_a_read_only_store_is_left_alone(history, tmp_path):
    store, _ = history
    with lamina.open(store.root, read_only=True) as reader:
        assert reader.pins() == []
        for work in (
            lambda: reader.pin("x"),
            reader.gc,
            reader.compact,
            lambda: reader.expire("0s"),
        ):
            with pytest.raises(lamina.Unsupported):
                work()
