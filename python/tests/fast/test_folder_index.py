import json
import math
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

import lamina

pytestmark = pytest.mark.shared

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "folders.md"


@pytest.fixture
def results(tmp_path, shared) -> Path:
    folder = tmp_path / "results"
    folder.mkdir()
    golden = shared / "data" / "bundles" / "golden" / "v2_8.10.0"
    for path in sorted(golden.glob("*.iafbt"))[:20]:
        shutil.copy(path, folder)
    shutil.copy(golden / "windows3_full.iafbt", folder)
    (folder / "deep").mkdir()
    shutil.copytree(golden.parent / "v5_9.0.0a6", folder / "deep" / "v5")
    return folder


def handles(table) -> list[str]:
    return [row["handle"] for row in table.to_dicts()]


def test_build_index_is_incremental(results):
    seen = []
    first = lamina.build_index(results, progress=lambda *state: seen.append(state))
    count = len([*results.rglob("*.iafbt"), *results.rglob("*.obtf")])
    assert (first.indexed, first.skipped, first.failed) == (count, 0, ())
    assert first.path == str(results / "index.sqlite")
    assert seen[-1] == (count, count)
    second = lamina.build_index(results)
    assert (second.indexed, second.skipped) == (0, count)
    third = lamina.build_index(results, incremental=False)
    assert third.indexed == count


def test_bad_bundles_are_reported(results):
    (results / "bad.iafbt").write_bytes(b"IAFB")
    report = lamina.build_index(results)
    (failure,) = report.failed
    assert failure.path == "bad.iafbt"
    assert isinstance(failure.error(), lamina.InvalidArgument)


def test_store_folder_and_file_answer_alike(results, tmp_path):
    with lamina.open(tmp_path / "store", create=True) as store:
        store.backtests.import_(results)
        of_store = store.backtests.list(sort="cagr", where="trades >= 0")
        weighted = store.backtests.rank(focus="balanced", weights={"sharpe": 3}, limit=5)
    lamina.build_index(results)

    def bare(table):
        rows = table.to_dicts()
        for row in rows:
            row["handle"] = row["handle"].rsplit(".", 1)[0]
        return json.dumps(rows, default=str)

    for where in (results, results / "index.sqlite"):
        assert bare(lamina.list_index(where, sort="cagr", where="trades >= 0")) == bare(of_store)
        ranked = lamina.rank_index(where, focus="balanced", weights={"sharpe": 3}, limit=5)
        assert bare(ranked) == bare(weighted)
    assert bare(lamina.list_index(tmp_path / "store", sort="cagr", where="trades >= 0")) == bare(
        of_store
    )


def test_weights_follow_their_definition(results):
    rows = lamina.rank_index(
        results,
        weights={"number_of_trades": 2, "max_drawdown": -1},
        limit=1000,
        columns="handle,number_of_trades,max_drawdown,score",
    ).to_dicts()

    def place(row, name):
        values = [r[name] for r in rows if r[name] is not None and math.isfinite(r[name])]
        least, greatest = min(values), max(values)
        return (row[name] - least) / (greatest - least) if greatest > least else 0.0

    known = [row for row in rows if row["max_drawdown"] is not None]
    assert known
    for row in known:
        if not math.isfinite(row["max_drawdown"]):
            continue
        score = 2 * place(row, "number_of_trades") - place(row, "max_drawdown")
        assert row["score"] == pytest.approx(score)
    scores = [row["score"] for row in rows]
    assert scores == sorted(scores, reverse=True)


def test_wrong_names_are_errors(results):
    for call in (
        lambda: lamina.rank_index(results, "sharp_ratio"),
        lambda: lamina.rank_index(results, weights={"sharp_ratio": 1}),
        lambda: lamina.rank_index(results, focus="balance"),
        lambda: lamina.list_index(results, where="sharp_ratio > 1"),
    ):
        with pytest.raises(lamina.InvalidArgument, match="did you mean"):
            call()
    with pytest.raises(lamina.NotFound):
        lamina.list_index(results / "none")


def same(left, right):
    """Equal, NaN equal to NaN."""
    return repr(left) == repr(right)


def test_rows_round_trip(results, tmp_path):
    report = lamina.build_index(results)
    with (
        lamina.SqliteBacktestIndex.open(report.path) as index,
        lamina.SqliteBacktestIndex.create(tmp_path / "copy.sqlite") as copy,
    ):
        rows = list(index)
        assert len(rows) == len(index) > report.indexed
        assert any(row.parameters for row in rows)
        assert any(row.summary_metrics is not None for row in rows)
        for row in rows:
            flat = row.to_flat_dict()
            assert all(
                value is None or isinstance(value, int | float | str) for value in flat.values()
            )
            assert same(lamina.BacktestIndexRow.from_flat_dict(flat), row)
            assert same(lamina.BacktestIndexRow.from_flat_dict(json.loads(json.dumps(flat))), row)
        assert copy.upsert_many(rows) == len(rows)
        assert same(list(copy), rows)
        assert copy.upsert_many([]) == 0
        copy.upsert(rows[0], bundle_mtime_ns=5, bundle_size=6)
        assert copy.is_up_to_date(rows[0].bundle_path, 5, 6) == (
            sum(row.bundle_path == rows[0].bundle_path for row in rows) == 1
        )
        assert not copy.is_up_to_date("none", 5, 6)
        info = (results / rows[0].bundle_path).stat()
        assert index.is_up_to_date(rows[0].bundle_path, info.st_mtime_ns, info.st_size)
        with pytest.raises(lamina.InvalidArgument, match="bundle_path"):
            copy.upsert(lamina.BacktestIndexRow(algorithm_id="x"))
    with pytest.raises(lamina.InvalidArgument, match="closed"):
        len(copy)


def test_flat_rows_keep_what_they_do_not_know():
    flat = {
        "algorithm_id": "x",
        "summary.sharpe_ratio": math.nan,
        "summary_cagr": math.inf,
        "summary.new_metric": 3,
        "extras.host": "node",
        "unknown": 5,
        "parameters": None,
    }
    row = lamina.BacktestIndexRow.from_flat_dict(flat)
    assert math.isnan(row.summary_metrics.sharpe_ratio)
    assert row.summary_metrics.cagr == math.inf
    assert row.summary_extras == {"new_metric": 3}
    assert row.extras == {"host": "node", "unknown": 5}
    assert row.parameters == {}
    row.extras["deep"] = {"a": [1, None]}
    assert same(lamina.BacktestIndexRow.from_flat_dict(row.to_flat_dict()), row)


def test_query_fills_in_parameters(results):
    lamina.build_index(results)
    with lamina.SqliteBacktestIndex.open(results / "index.sqlite") as index:
        assert len(index.query()) == len(index)
        rows = index.query("number_of_trades > ? AND tag = ?", (5, "full"))
        assert rows and all(row.tag == "full" for row in rows)
        assert index.query("algorithm_id = ?", ["it's ?"]) == []
        assert index.query("algorithm_id = 'what?'") == []
        for where, params in (("trades > ?", []), ("trades > 1", [1]), ("trades > ?", [None])):
            with pytest.raises(lamina.InvalidArgument):
                index.query(where, params)
        with pytest.raises(lamina.InvalidArgument):
            index.query("1=1) OR (1=1")


def test_other_sqlite_programs_read_and_write_the_index(results):
    report = lamina.build_index(results)
    with sqlite3.connect(report.path) as database:
        (count,) = database.execute(
            "SELECT count(*) FROM backtest_index WHERE summary_number_of_trades > 5"
        ).fetchone()
        assert count > 0
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        database.execute("UPDATE backtest_index SET document_sha256 = NULL, tag = 'wrong'")
    assert lamina.build_index(results).indexed == report.indexed


def test_prune_of_a_store_keeps_what_it_is_told(own_store, tmp_path):
    store = own_store if isinstance(own_store, lamina.Store) else lamina.open(own_store)
    before = store.backtests.handles()
    keep = store.backtests.rank("trades", limit=3)
    plan = store.backtests.prune(keep)
    assert plan.dry_run and len(plan.kept) == 3 and len(store.backtests) == len(before)
    for wrong, error in (([], lamina.InvalidArgument), (["none"], lamina.NotFound)):
        with pytest.raises(error):
            store.backtests.prune(wrong, dry_run=False)
    gone = store.backtests.prune(handles(keep), dry_run=False)
    assert gone.pruned == plan.pruned
    assert sorted(store.backtests.handles()) == sorted(handles(keep))
    store.backtests.undelete(gone.pruned[0])
    assert gone.pruned[0] in store.backtests


def test_the_guide_runs(results):
    text = GUIDE.read_text()
    binary = Path(os.environ["LAMINA_BUILD_DIR"]) / "bin"
    package = Path(lamina.__file__).parents[1]
    environment = {
        **os.environ,
        "PATH": f"{binary}:{os.environ['PATH']}",
        "PYTHONPATH": str(package),
    }
    blocks = re.findall(r"```(sh|python)\n(.*?)```", text, re.DOTALL)
    assert len(blocks) >= 4
    for language, block in blocks:
        command = ["sh", "-euc", block] if language == "sh" else [sys.executable, "-c", block]
        done = subprocess.run(
            command, cwd=results.parent, env=environment, capture_output=True, text=True
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
