import json
import math
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time

import bundles
import pyarrow as pa
import pytest

import lamina
from lamina import _lamina

pytestmark = pytest.mark.shared


def test_import_reports_and_is_idempotent(tmp_path, shared, golden_files):
    seen = []
    with lamina.open(tmp_path / "store", create=True) as store:
        golden = shared / "data" / "bundles" / "golden"
        report = store.backtests.import_(golden, progress=lambda *state: seen.append(state))
        assert not report.failed
        files = golden_files
        assert report.imported == len(files) == len(store.backtests)
        assert seen[-1] == (len(files), len(files))
        again = store.backtests.import_([str(golden)], workers=1)
        assert (again.imported, again.unchanged) == (0, len(files))
        wanted = {str(path.relative_to(golden).with_suffix("")) for path in files}
        assert set(store.backtests) == wanted


def test_import_says_what_failed(tmp_path, golden_files):
    folder = tmp_path / "in"
    folder.mkdir()
    good = golden_files[0]
    shutil.copy(good, folder / "good.iafbt")
    (folder / "damaged.iafbt").write_bytes(good.read_bytes()[:-7])
    with lamina.open(tmp_path / "store", create=True) as store:
        report = store.backtests.import_(folder)
        assert (report.imported, len(report.failed)) == (1, 1)
        assert report.failed[0].path.endswith("damaged.iafbt")
        assert isinstance(report.failed[0].error(), lamina.Corruption)
        with pytest.raises(lamina.Corruption, match=r"damaged\.iafbt"):
            store.backtests.import_(folder / "damaged.iafbt", keep_going=False)
        with pytest.raises(lamina.NotFound):
            store.backtests.import_(tmp_path / "absent")
        assert store.backtests.handles() == ["good"]


def test_same_handle_other_document(tmp_path, golden_files):
    one, two = golden_files[:2]
    path = tmp_path / "x.iafbt"
    with lamina.open(tmp_path / "store", create=True) as store:
        shutil.copy(one, path)
        store.backtests.import_(path)
        shutil.copy(two, path)
        with pytest.raises(lamina.AlreadyExists):
            store.backtests.import_(path, keep_going=False)
        report = store.backtests.import_(path, replace=True)
        assert (report.imported, report.replaced) in ((0, 1), (1, 1))
        assert repr(store.backtests.get("x").document()) == repr(bundles.document(two))


def test_documents_equal_those_of_another_reader(tmp_path, shared, golden_files):
    with lamina.open(tmp_path / "store", create=True) as store:
        golden = shared / "data" / "bundles" / "golden"
        store.backtests.import_(golden)
        for path in golden_files:
            handle = str(path.relative_to(golden).with_suffix(""))
            backtest = store.backtests[handle]
            assert backtest._native.document_bytes() == bundles.document_bytes(path), handle
            assert repr(backtest.document()) == repr(bundles.document(path)), handle
            assert repr(lamina.read_bundle(path)) == repr(bundles.document(path))
            exported = store.backtests.export(handle, tmp_path / path.name)
            assert exported.identical_to_original, handle
            assert (tmp_path / path.name).read_bytes() == path.read_bytes(), handle


def test_tables_of_a_backtest(store, shared):
    path = shared / "data" / "bundles" / "golden" / "v2_8.10.0" / "windows3_full.iafbt"
    runs = bundles.runs(path)
    backtest = store.backtests.get("windows3_full")
    assert len(backtest.runs) == len(runs) == 3
    assert len(backtest.snapshots()) == sum(len(run["portfolio_snapshots"]) for run in runs)
    for run, expected in zip(backtest.runs, runs, strict=True):
        snapshots = run.snapshots().to_arrow()
        values = [snapshot["total_value"] for snapshot in expected["portfolio_snapshots"]]
        assert snapshots["total_value"].to_pylist() == values
        for table, key in ((run.trades(), "trades"), (run.orders(), "orders")):
            assert table.num_rows == len(expected[key]), key
        assert run.positions().num_rows == len(expected["positions"])
        assert run.window == expected["backtest_date_range_name"]
        assert run.start.isoformat() == expected["backtest_start_date"]
        assert run.end.isoformat() == expected["backtest_end_date"]
        metrics = expected["backtest_metrics"]
        for name, value in run.metrics.items():
            recorded = metrics[name][0] if isinstance(metrics[name], list) else metrics[name]
            assert repr(value) == repr(float(recorded)), name
        assert run.metrics["sharpe_ratio"] == metrics["sharpe_ratio"]


def test_series_are_those_of_the_bundle(store, shared):
    expected = json.loads(
        (
            shared / "data" / "bundles" / "golden" / "v2_8.10.0" / "windows3_full.series.json"
        ).read_text()
    )
    backtest = store.backtests.get("windows3_full")
    checked = 0
    for slot, run in enumerate(backtest.runs):
        for name in ("equity_curve", "drawdown_series", "rolling_sharpe_ratio", "monthly_returns"):
            points = _golden_series(expected, slot, name)
            if points is None:
                continue
            table = run.series(name).to_arrow()
            assert repr(table["value"].to_pylist()) == repr([value for _, value in points]), name
            times = pa.compute.cast(table["ts"], pa.int64()).to_pylist()
            assert times == [ts * 1000 for ts, _ in points], name
            checked += 1
    assert checked >= 6
    assert backtest.runs[0].equity_curve().column_names == ["ts", "value"]
    with pytest.raises(lamina.InvalidArgument, match="equity_curve"):
        backtest.runs[0].series("equity_curv")


def _golden_series(expected, slot, name):
    blob = expected.get(f"runs/{slot}/metrics/{name}.parquet")
    if blob is None:
        return None
    values = [float("nan") if isinstance(value, dict) else float(value) for value in blob["value"]]
    return list(zip(blob["ts"], values, strict=True))


def test_summary_and_identity(store, shared):
    folder = shared / "data" / "bundles" / "golden" / "v2_8.10.0"
    document = bundles.document(folder / "windows3_full.iafbt")
    backtest = store.backtests.get("windows3_full")
    assert backtest.algorithm_id == document["algorithm_id"]
    assert backtest.parameters == document["parameters"]
    assert backtest.metadata == document["metadata"]
    assert backtest.strategy_ids == document["strategy_ids"]
    assert backtest.engine_type == document["engine_type"]
    assert backtest.bundle_version == 2
    recorded = document["vector_metrics"] or {}
    summary = backtest.summary.to_dict()
    assert len(summary) == 55
    for name, value in recorded.items():
        if name in summary:
            assert repr(summary[name]) == repr(value) or summary[name] == value, name
    assert lamina.BacktestSummary.from_dict(summary) == backtest.summary
    assert "sharpe_ratio" in backtest._repr_html_()


def test_missing_handle_is_a_key_error_that_names_near_ones(store):
    with pytest.raises(KeyError, match="windows3_full"):
        store.backtests.get("windows3_ful")
    with pytest.raises(lamina.NotFound):
        store.backtests["absent"]
    assert "absent" not in store.backtests and 3 not in store.backtests
    assert not store.backtests.exists("absent")


def test_list_sorts_filters_and_chooses_columns(store):
    rows = store.backtests.list(sort="total_net_gain_percentage").to_dicts()
    values = [row["total_net_gain_percentage"] for row in rows]
    known = [value for value in values if value is not None and not math.isnan(value)]
    assert known == sorted(known, reverse=True) == values[: len(known)] and len(known) > 1
    assert list(rows[0])[:2] == ["handle", "algorithm_id"]
    few = store.backtests.list(sort="total_net_gain_percentage", limit=3).to_dicts()
    assert repr(few) == repr(rows[:3])
    few = store.backtests.list(where="trades > 0 AND handle LIKE 'win%'", columns="handle,trades")
    assert few.column_names == ["handle", "trades"]
    assert {row["handle"] for row in few.to_dicts()} == {"windows3_full"}
    with pytest.raises(lamina.InvalidArgument, match="sharpe_ratio"):
        store.backtests.list(sort="sharp_ratio")
    with pytest.raises(lamina.InvalidArgument, match="column 1"):
        store.backtests.list(where="trades")
    top = store.backtests.rank("sortino", limit=3).to_dicts()
    assert len(top) == 3 and "calmar_ratio" in top[0]
    assert store.backtests._repr_html_().startswith("<table>")


def test_list_types(store):
    columns = ["handle", "number_of_trades", "cagr", "imported_at", "parameters.fast", "tag"]
    table = store.backtests.list(columns=columns).to_arrow()
    assert table.column_names == columns
    kinds = [str(kind) for kind in table.schema.types]
    assert kinds[:4] == ["string", "int64", "double", "timestamp[us, tz=UTC]"]


def test_edit(own_store):
    backtests = own_store.backtests
    first, second, *_ = backtests.handles()
    assert backtests.tag(first, ["good", "new"]) == ["good", "new"]
    assert backtests.tag(first, remove=["new"]) == ["good"]
    backtests.note(first, "look again")
    backtests.rename(first, "kept/one")
    assert "kept/one" in backtests and first not in backtests
    document = backtests.get(second).document()
    before = len(backtests)
    backtests.delete(second)
    assert second not in backtests and len(backtests) == before - 1
    with pytest.raises(lamina.NotFound):
        backtests.delete(["kept/one", "absent"])
    assert "kept/one" in backtests  # all or none
    backtests.undelete(second)
    assert repr(backtests.get(second).document()) == repr(document)
    with pytest.raises(lamina.AlreadyExists):
        backtests.rename(second, "kept/one")
    assert own_store.verify(deep=True).ok


def test_an_older_snapshot_is_whole(own_store):
    handle = own_store.backtests.handles()[0]
    then = own_store.stats()["snapshot"]
    document = own_store.backtests.get(handle).document()
    own_store.backtests.delete(handle)
    old = own_store.backtests.get(handle, snapshot=then)
    assert repr(old.document()) == repr(document)
    assert handle in own_store.backtests.handles(snapshot=then)


def test_export_of_many(store, tmp_path, shared):
    handles = sorted(store.backtests)[:5]
    seen = []
    report = store.backtests.export_many(
        handles, tmp_path / "out", progress=lambda *state: seen.append(state)
    )
    assert not report.failed and seen[-1] == (5, 5)
    assert report.bytes == sum(one.bytes for one in report.exported)
    for handle, one in zip(handles, report.exported, strict=True):
        assert one.path == str(tmp_path / "out" / f"{handle}.iafbt")
        original = next((shared / "data" / "bundles" / "golden").rglob(f"v2*/{handle}.iafbt"))
        assert original.read_bytes() == (tmp_path / "out" / f"{handle}.iafbt").read_bytes()
    with pytest.raises(lamina.NotFound):
        store.backtests.export_many(["nobody"], tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_export_in_other_versions(store, tmp_path):
    one = store.backtests.export("windows3_full", tmp_path / "a.iafbt", level=3)
    assert one.level == 3 and one.format_version == 2
    assert one.document_sha256 == store.backtests.get("windows3_full").document_sha256
    with pytest.raises(lamina.LaminaError, match="version 9"):
        store.backtests.export("windows3_full", tmp_path / "b.iafbt", format_version=9)
    assert not (tmp_path / "b.iafbt").exists()


def test_other_python_threads_go_on_during_an_import(tmp_path, shared):
    beats = []
    stop = threading.Event()

    def beat():
        while not stop.is_set():
            beats.append(time.perf_counter())
            time.sleep(0.002)

    thread = threading.Thread(target=beat)
    with lamina.open(tmp_path / "store", create=True) as store:
        thread.start()
        start = time.perf_counter()
        store.backtests.import_(shared / "data" / "bundles" / "real", workers=1)
        seconds = time.perf_counter() - start
        stop.set()
        thread.join()
    during = [moment for moment in beats if moment > start]
    assert len(during) > min(50, seconds * 20)


def test_an_import_can_be_interrupted_and_run_again(tmp_path, shared):
    """Ctrl-C raises KeyboardInterrupt; what was acknowledged stays."""
    code = f"""
import lamina, os, signal
store = lamina.open({str(tmp_path / "store")!r}, create=True)
def stop(done, total):
    os.kill(os.getpid(), signal.SIGINT)
try:
    store.backtests.import_({str(shared / "data" / "bundles" / "real")!r}, progress=stop)
except KeyboardInterrupt:
    print("interrupted", len(store.backtests))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.startswith("interrupted") and done.returncode == 0, done.stderr
    assert signal.getsignal(signal.SIGINT) is not None
    with lamina.open(tmp_path / "store") as store:
        assert store.verify().ok
        report = store.backtests.import_(shared / "data" / "bundles" / "real")
        assert not report.failed and len(store.backtests) == report.imported + report.unchanged


def test_summary_fields_are_the_engines():
    names = set(lamina.BacktestSummary().to_dict())
    assert {*_lamina.summary_fields()} == names


def test_summary_only_reads_the_catalog_alone(tmp_path, golden_files):
    """Every lake file, chunk and small object is damaged: the summary does not notice."""
    path = next(file for file in golden_files if file.stem == "windows3_full")
    root = tmp_path / "store"
    with lamina.open(root, create=True) as store:
        store.backtests.import_(path)
        expected = store.backtests.get("windows3_full")
        summary, rows = expected.summary, expected.index_rows
    damaged = [file for file in (root / "lake").rglob("*.parquet") if file.is_file()]
    damaged += [file for file in (root / "chunks").rglob("*") if file.is_file()]
    assert damaged
    for file in damaged:
        file.write_bytes(b"damaged")
    with sqlite3.connect(root / "objects.sqlite") as objects:
        assert objects.execute("UPDATE object SET stored = x'00'").rowcount > 0
    with lamina.open(root, read_only=True) as store:
        opened = store.backtests.open("windows3_full", summary_only=True)
        assert opened.index_rows == rows
        assert opened.summary == summary
        assert opened.parameters == expected.parameters
        with pytest.raises(lamina.Corruption):
            opened.document()
        with pytest.raises(lamina.Corruption):
            opened.runs[0].equity_curve()
        with pytest.raises(lamina.NotFound):
            store.backtests.open("windows3", summary_only=True)
