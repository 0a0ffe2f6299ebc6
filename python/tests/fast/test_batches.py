"""Puts grouped into one commit, series of many runs, and processes that share a store."""

import multiprocessing
import threading

import joblib
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import lamina


def curve(seed: int, days: int = 40) -> pd.DataFrame:
    steps = np.random.default_rng(seed).normal(0.001, 0.01, days)
    index = pd.date_range("2024-01-01", periods=days, freq="D", tz="UTC")
    return pd.DataFrame({"ts": index, "total_value": 1_000 * np.exp(np.cumsum(steps))})


def backtest(seed: int, days: int = 40, **options) -> lamina.Backtest:
    return lamina.Backtest.from_frames(
        algorithm_id=f"alg{seed}", snapshots=curve(seed, days), parameters={"seed": seed}, **options
    )


@pytest.fixture
def empty(tmp_path):
    with lamina.open(tmp_path / "store", create=True) as store:
        yield store


def commits(store: lamina.Store) -> int:
    return len(store.snapshots())


def test_a_batch_is_one_commit(empty):
    before = commits(empty)
    with empty.backtests.batch() as batch:
        for seed in range(5):
            assert batch.put(backtest(seed), handle=f"sweep/{seed}") == f"sweep/{seed}"
        assert empty.backtests.put(backtest(9)) == "alg9"  # this thread's puts join
        assert len(batch) == 6
        assert len(empty.backtests) == 0
    assert len(empty.backtests) == 6
    assert commits(empty) == before + 1
    assert empty.backtests["sweep/3"].document() == backtest(3).document()
    assert empty.verify(deep=True)


def test_an_exception_stores_nothing(empty):
    before = commits(empty)
    with pytest.raises(ZeroDivisionError), empty.backtests.batch() as batch:
        batch.put(backtest(1))
        raise ZeroDivisionError
    assert (len(empty.backtests), commits(empty)) == (0, before)
    empty.backtests.put(backtest(1))  # outside again
    assert len(empty.backtests) == 1


def test_documents_files_and_backtests_of_stores(empty, tmp_path):
    path = tmp_path / "two.iafbt"
    backtest(2).export(path, level=1)
    empty.backtests.put(backtest(3))
    with empty.backtests.batch() as batch:
        assert batch.put(backtest(1).document()) == "alg1"
        assert batch.put(path) == "two"
        assert batch.put(empty.backtests["alg3"], handle="copy.iafbt") == "copy"
    assert empty.backtests.handles() == ["alg1", "alg3", "copy", "two"]


def test_handles_that_are_taken(empty):
    empty.backtests.put(backtest(1), handle="x")
    before = commits(empty)
    with pytest.raises(lamina.AlreadyExists), empty.backtests.batch() as batch:
        batch.put(backtest(3), handle="y")
        batch.put(backtest(2), handle="x")
    assert (empty.backtests.handles(), commits(empty)) == (["x"], before)
    with empty.backtests.batch() as batch:
        batch.put(backtest(1), handle="x")  # the same one
        batch.put(backtest(2), handle="y")
        batch.put(backtest(2), handle="y")
        with pytest.raises(lamina.AlreadyExists):
            batch.put(backtest(3), handle="y")
        batch.put(backtest(3), handle="y", replace=True)
    assert empty.backtests["y"].algorithm_id == "alg3"
    with empty.backtests.batch() as batch:
        batch.put(backtest(4), handle="x", replace=True)
    assert empty.backtests["x"].algorithm_id == "alg4"


def test_a_handle_taken_by_another_meanwhile(empty):
    with lamina.open(empty.root) as other:
        with pytest.raises(lamina.AlreadyExists, match="nothing of the batch"):  # noqa: SIM117
            with empty.backtests.batch() as batch:
                batch.put(backtest(1), handle="free")
                batch.put(backtest(2), handle="x")
                other.backtests.put(backtest(3), handle="x")
        assert other.backtests.handles() == ["x"]


def test_what_a_batch_refuses(empty):
    with empty.backtests.batch() as batch:
        with pytest.raises(lamina.InvalidArgument):
            batch.put(backtest(1), handle="../x")
        with pytest.raises(lamina.InvalidArgument):
            batch.put(7)
        with pytest.raises(lamina.InvalidArgument), empty.backtests.batch():
            pass
        batch.put(backtest(2))
    assert empty.backtests.handles() == ["alg2"]
    with pytest.raises(lamina.InvalidArgument, match="ended"):
        batch.put(backtest(3))


def test_threads_share_a_batch(empty):
    with empty.backtests.batch() as batch:
        threads = [
            threading.Thread(target=lambda seed=seed: batch.put(backtest(seed)))
            for seed in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(empty.backtests) == 8


def test_series_of_many_runs(empty):
    with empty.backtests.batch() as batch:
        for seed in range(60):
            batch.put(backtest(seed), handle=f"s/{seed}")
    empty.backtests.put(backtest(3), handle="again")  # shares its run
    wanted = ["s/40", "s/3", "again", "s/59"]
    table = empty.backtests.series(wanted)
    assert table.column_names == ["run_id", "handle", "window", "ts", "value"]
    frame = table.to_pandas()
    assert list(frame["handle"].unique()) == wanted
    for handle, seed in (("s/40", 40), ("s/3", 3), ("again", 3), ("s/59", 59)):
        part = frame[frame["handle"] == handle]
        assert list(part["value"]) == list(curve(seed)["total_value"])
        assert list(part["ts"]) == list(curve(seed)["ts"])
        run = empty.backtests[handle].runs[0]
        assert set(part["run_id"]) == {run.run_id}
    for metric in ("drawdown_series", "monthly_returns", "rolling_sharpe_ratio"):
        both = empty.backtests.series(["s/7", "s/8"], metric).to_arrow()
        alone = [empty.backtests[f"s/{i}"].runs[0].series(metric).to_arrow() for i in (7, 8)]
        assert both.select(["ts", "value"]).equals(pa.concat_tables(alone).combine_chunks()) or (
            both["value"].to_pandas().equals(pa.concat_tables(alone)["value"].to_pandas())
        ), metric


def test_series_of_a_table_of_handles_and_what_is_refused(empty):
    with empty.backtests.batch() as batch:
        for seed in range(6):
            batch.put(backtest(seed), handle=f"s/{seed}")
    best = empty.backtests.rank("sharpe", limit=3)
    assert empty.backtests.series(best).num_rows == 3 * 40
    assert empty.backtests.series([]).num_rows == 0
    assert empty.backtests.series("s/1").num_rows == 40
    with pytest.raises(lamina.NotFound, match="near: s/"):
        empty.backtests.series(["s/1", "s/11"])
    with pytest.raises(lamina.InvalidArgument, match="equity_curve"):
        empty.backtests.series("s/1", "equity_curv")
    before = empty.snapshots()[-1]["snapshot_id"]
    empty.backtests.put(backtest(50), handle="s/1", replace=True)
    old = empty.backtests.series("s/1", snapshot=before).to_pandas()
    assert list(old["value"]) == list(curve(1)["total_value"])


@pytest.mark.shared
def test_series_of_bundles(store):
    handles = [one for one in store.backtests if store.backtests[one].runs]
    table = store.backtests.series(handles, "drawdown_series").to_pandas()
    for handle in handles:
        for run in store.backtests[handle].runs:
            part = table[(table["handle"] == handle) & (table["run_id"] == run.run_id)]
            assert (
                part["value"]
                .reset_index(drop=True)
                .equals(run.series("drawdown_series").to_pandas()["value"])
            )


def sweep(store: lamina.Store, seeds: list[int]) -> int:
    with store.backtests.batch() as batch:
        for seed in seeds:
            batch.put(backtest(seed), handle=f"p/{seed}")
    return len(seeds)


PARTS = [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10, 11]]


@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_processes_write_to_one_store(empty, method):
    """A store travels as its root, also to forked children."""
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert sum(pool.starmap(sweep, [(empty, part) for part in PARTS])) == 12
    assert len(empty.backtests) == 12
    assert empty.verify()


def in_child(store, batch, queue):
    for work in (lambda: store.backtests.handles(), lambda: batch.put(backtest(1))):
        try:
            work()
            queue.put("no error")
        except lamina.Unsupported as error:
            queue.put(str(error))


def test_a_fork_has_to_open_the_store_again(empty):
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    with empty.backtests.batch() as batch:
        child = context.Process(target=in_child, args=(empty, batch, queue))
        # A Process of fork inherits its arguments: nothing is pickled.
        child.start()
        answers = [queue.get(timeout=60) for _ in range(2)]
        child.join()
        batch.put(backtest(2))
    assert all("open the store again" in answer for answer in answers), answers
    assert empty.backtests.handles() == ["alg2"]


def test_joblib_writes_to_one_store(empty):
    done = joblib.Parallel(n_jobs=2)(joblib.delayed(sweep)(empty, part) for part in PARTS)
    assert (sum(done), len(empty.backtests)) == (12, 12)
    assert empty.verify()
