import math
import shutil
import threading

import bundles
import pytest

import lamina
from lamina import _sql

pytestmark = pytest.mark.shared


@pytest.fixture(params=["ducklake", "files"])
def sql_store(request, store, monkeypatch):
    """The golden store through DuckDB's extension, and through lists of files without it."""
    if request.param == "files":
        monkeypatch.setattr(_sql, "_extension_file", lambda name, version: None)
    return store


def test_counts_are_those_of_the_documents(sql_store, shared):
    folder = shared / "data" / "bundles" / "golden" / "v2_8.10.0"
    answer = sql_store.sql(
        "SELECT r.handle, count(*) FROM backtests.portfolio_snapshots "
        "JOIN backtest_run r USING (run_id) GROUP BY ALL"
    ).fetchall()
    counts = dict(answer)
    for path in folder.glob("*.iafbt"):
        runs = bundles.runs(path)
        expected = sum(len(run["portfolio_snapshots"]) for run in runs)
        assert counts.get(path.stem, 0) == expected, path.stem


def test_tables_view_and_types(sql_store):
    names = sql_store.sql(
        "SELECT DISTINCT table_name FROM information_schema.tables WHERE table_schema='backtests'"
    ).fetchall()
    assert {name for (name,) in names} >= {
        "runs",
        "portfolio_snapshots",
        "trades",
        "orders",
        "positions",
        "metric_series",
        "all_metric_series",
    }
    types = dict(
        zip(
            *(lambda r: (r.columns, map(str, r.types)))(
                sql_store.sql("SELECT run_id, ts, total_value FROM backtests.portfolio_snapshots")
            ),
            strict=True,
        )
    )
    assert types == {"run_id": "UUID", "ts": "TIMESTAMP WITH TIME ZONE", "total_value": "DOUBLE"}


def test_equity_from_the_view_equals_python(sql_store):
    run = sql_store.backtests.get("windows3_full").runs[1]
    rows = sql_store.sql(
        "SELECT value FROM backtests.all_metric_series "
        f"WHERE run_id = '{run.run_id}' AND metric = 'equity_curve' ORDER BY seq"
    ).fetchall()
    assert [value for (value,) in rows] == run.equity_curve().to_arrow()["value"].to_pylist()


def test_index_keeps_nan_apart_from_null(sql_store):
    by_sql = sql_store.sql(
        "SELECT handle, summary_sharpe_ratio, summary_number_of_trades, imported_at FROM "
        "backtest_index WHERE universe_key = '' ORDER BY handle"
    ).fetchall()
    by_list = sql_store.backtests.list(
        columns=["handle", "sharpe_ratio", "number_of_trades", "imported_at"]
    ).to_dicts()
    assert len(by_sql) == len(by_list)
    for row, listed in zip(by_sql, by_list, strict=True):
        assert repr(list(row[:3])) == repr(list(listed.values())[:3])
        assert row[3] == listed["imported_at"]
    nan = sql_store.sql("SELECT handle FROM backtest_index WHERE isnan(summary_sharpe_ratio)")
    assert ("nonfinite_summary",) in nan.fetchall() or any(
        isinstance(row[1], float) and math.isnan(row[1]) for row in by_sql
    )


def test_answers_go_to_every_library(sql_store):
    relation = sql_store.sql("SELECT handle, slot FROM backtest_run ORDER BY ALL")
    assert relation.limit(1).fetchall()[0][1] == 0
    assert relation.pl().height == len(relation.df()) == len(relation.fetchall())


def test_an_older_snapshot_and_deleted_rows(own_store, monkeypatch):
    then = own_store.stats()["snapshot"]
    query = (
        "SELECT count(*), (SELECT count(*) FROM backtest_run) FROM backtests.portfolio_snapshots"
    )
    before = own_store.sql(query).fetchall()
    own_store.backtests.delete("windows3_full")
    after = own_store.sql(query).fetchall()
    assert after[0][0] == before[0][0] - 3 * 120 and after[0][1] == before[0][1] - 3
    assert own_store.sql(query, snapshot=then).fetchall() == before
    with pytest.raises(lamina.NotFound):
        own_store.sql(query, snapshot=10_000)
    monkeypatch.setattr(_sql, "_extension_file", lambda name, version: None)
    with lamina.open(own_store.root) as again:
        assert again.sql(query).fetchall() == after
        assert again.sql(query, snapshot=then).fetchall() == before


def test_sees_commits_of_its_own_and_survives_loss_of_the_cache(own_store):
    count = "SELECT count(*) FROM backtest_index WHERE universe_key = ''"
    (before,) = own_store.sql(count).fetchone()
    own_store.backtests.delete("windows3_full")
    assert own_store.sql(count).fetchone() == (before - 1,)
    shutil.rmtree(own_store.root / "cache", ignore_errors=True)
    own_store.backtests.undelete("windows3_full")
    assert own_store.sql(count).fetchone() == (before,)
    assert own_store.verify().ok


def test_a_moved_store_answers(own_store, tmp_path):
    (expected,) = own_store.sql("SELECT count(*) FROM backtests.trades").fetchone()
    own_store.close()
    moved = tmp_path / "moved ünder 'quotes'"
    shutil.move(own_store.root, moved)
    for read_only in (True, False):
        with lamina.open(moved, read_only=read_only) as store:
            assert store.sql("SELECT count(*) FROM backtests.trades").fetchone() == (expected,)


def test_read_only_store_is_left_as_it_is(golden_root, tmp_path):
    root = tmp_path / "store"
    shutil.copytree(golden_root, root)
    shutil.rmtree(root / "cache", ignore_errors=True)
    before = sorted(path for path in root.rglob("*") if not path.name.endswith(("-shm", "-wal")))
    with lamina.open(root, read_only=True) as store:
        assert store.sql("SELECT count(*) FROM backtests.runs").fetchone()[0] > 10
    after = sorted(path for path in root.rglob("*") if not path.name.endswith(("-shm", "-wal")))
    assert before == after


def test_cannot_write_and_many_threads(own_store):
    with pytest.raises(lamina.Unsupported, match="DELETE"):
        own_store.sql("DELETE FROM backtests.trades").fetchall()
    rows = own_store.sql("SELECT count(*) FROM backtest_index").fetchall()
    for query in (
        "DELETE FROM backtest_index RETURNING handle",
        "SELECT 1; DELETE FROM backtest_run RETURNING handle",
        "CREATE TABLE mine AS SELECT 1",
        "",
    ):
        with pytest.raises(lamina.Unsupported):
            own_store.sql(query)
    assert own_store.sql("SELECT count(*) FROM backtest_index").fetchall() == rows
    assert own_store.sql("FROM backtest_index LIMIT 1").fetchall()
    assert own_store.sql("DESCRIBE backtest_index").fetchall()
    problems = []

    def ask(number):
        try:
            for _ in range(5):
                own_store.sql(f"SELECT count(*) + {number} FROM backtests.runs").fetchall()
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    own_store.backtests.note(own_store.backtests.handles()[0], "while others read")
    for thread in threads:
        thread.join()
    assert not problems and own_store.verify().ok


def test_views_give_what_the_lake_leaves_out(tmp_path, shared):
    """Orders and trades in SQL, in Python and in the bundles are the same, bit for bit."""
    golden = shared / "data" / "bundles" / "golden" / "v2_8.10.0"
    with lamina.open(tmp_path / "store", create=True) as store:
        store.backtests.import_(golden)
        left_out = store.sql(
            "SELECT count(*) FROM backtests.stored_trades WHERE derived <> 0 AND amount IS NULL"
        ).fetchone()[0]
        assert left_out > 0
        for name in ("orders", "trades"):
            sql = store.sql(f"SELECT * FROM backtests.{name} ORDER BY run_id, seq").fetchall()
            rows = []
            for handle in store.backtests:
                table = getattr(store.backtests.get(handle), name)()
                rows += table.to_pandas().to_dict("records")
            assert len({(str(row["run_id"]), row["seq"]) for row in rows}) == len(sql)
            columns = [field[0] for field in store.sql(f"DESCRIBE backtests.{name}").fetchall()]
            known = {(str(row["run_id"]), row["seq"]): row for row in rows}
            for values in sql:
                row = dict(zip(columns, values, strict=True))
                other = known[(str(row["run_id"]), row["seq"])]
                assert set(columns) == set(other)
                for column in columns:
                    a, b = row[column], other[column]
                    if isinstance(a, float):
                        assert a == b or (a != a and b != b), (column, a, b)
                    elif a is None:
                        assert b is None or b != b or str(b) == "NaT", (column, b)


def flip(path, place):
    content = bytearray(path.read_bytes())
    content[place] ^= 0x20
    path.write_bytes(content)


NAMED = (
    "SELECT max(total_value) FROM backtests.portfolio_snapshots",
    'SELECT count(*) FROM lake."backtests"."Portfolio_Snapshots" AS s',
    "WITH s AS (FROM backtests.portfolio_snapshots) SELECT (SELECT max(total_value) FROM s)",
)


@pytest.mark.parametrize("extension", [True, False])
def test_flipped_bytes_are_found_before_duckdb_reads(tmp_path, shared, monkeypatch, extension):
    if not extension:
        monkeypatch.setattr(_sql, "_extension_file", lambda name, version: None)
    root = tmp_path / "store"
    with lamina.open(root, create=True) as store:
        store.backtests.import_(
            shared / "data" / "bundles" / "golden" / "v2_8.10.0" / "one_run.iafbt"
        )
        right = [store.sql(query).fetchall() for query in NAMED]
    [file] = (root / "lake" / "backtests" / "portfolio_snapshots").rglob("*.parquet")
    size = file.stat().st_size
    for place in range(0, size, size // 20):
        flip(file, place)
        with lamina.open(root, read_only=True) as store:
            for query in NAMED:
                with pytest.raises(lamina.Corruption, match=file.name):
                    store.sql(query)
            if extension:  # without it all footers are read at once
                assert store.sql("SELECT count(*) FROM backtests.runs").fetchall() == [(1,)]
        flip(file, place)
    with lamina.open(root) as store:
        assert [store.sql(query, check=True).fetchall() for query in NAMED] == right
        flip(file, size // 2)  # what is written later is compared again
        with pytest.raises(lamina.Corruption, match=file.name):
            store.sql(NAMED[0])
        store.sql(NAMED[0], check=False)


def test_views_and_much_data(sql_store, monkeypatch):
    from lamina import store as module

    calls = []
    engine = sql_store._engine

    class Watched:
        def __getattr__(self, name):
            return getattr(engine, name)

        def check_lake_bytes(self, snapshot, tables, limit):
            calls.append((tables, engine.check_lake_bytes(snapshot, tables, limit)))

    monkeypatch.setattr(type(sql_store), "_engine", Watched())
    monkeypatch.setattr(module, "_CHECKED_UNASKED", 10)
    sql_store.sql("SELECT count(*) FROM backtests.orders")
    sql_store.sql("SELECT count(*) FROM backtests.orders", check=True)
    sql_store.sql("SELECT 1")
    (first, left), (_, checked), (none, nothing) = calls
    assert first == ["backtests.orders"] and none == []
    assert left["left"] == checked["checked"] > 10
    assert set(nothing.values()) == {0}
