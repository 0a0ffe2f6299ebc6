"""One set of scenarios over every store of backtests: a folder of bundles and a Lamina store."""

import hashlib
import io
import multiprocessing
import pickle
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bundles
import pyarrow
import pyarrow.parquet
import pytest

import lamina

KINDS = {"local-dir": lamina.LocalDirStore, "local-tiered": lamina.LocalTieredStore}
ODD_HANDLES = [
    "a b/c d",
    "emoji 🚀/π",
    "dots.in.name",
    "-dash",
    "deep/er/est/run",
    "quote'\"",
    ".x",
]
NO_HANDLES = ["", ".", "..", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", "nul\0", "a\nb"]


def document(tag="t", values=(1000.0, 1010.0, 1005.0), windows=("w1",), ohlcv=None) -> dict:
    """A small bundle's document of version 2."""
    runs = [
        {
            "backtest_start_date": "2024-01-01T00:00:00+00:00",
            "backtest_end_date": "2024-03-01T00:00:00+00:00",
            "backtest_date_range_name": window,
            "trading_symbol": "EUR",
            "initial_unallocated": 1000,
            "portfolio_snapshots": [
                {"created_at": f"2024-01-{day + 1:02}T00:00:00+00:00", "total_value": value + at}
                for day, value in enumerate(values)
            ],
            "trades": [],
            "orders": [],
            "positions": [],
        }
        for at, window in enumerate(windows)
    ]
    made = {
        "format_version": 2,
        "engine_type": "vector",
        "algorithm_id": f"algorithm-{tag}",
        "metadata": {"odd": [None, True, -1, 2**63, 1.5, float("inf"), b"\0\1", "ü"]},
        "risk_free_rate": 0.02,
        "strategy_ids": [1, "two"],
        "parameters": {"fast": 5, "tag": tag},
        "tag": tag,
        "backtest_permutation_tests": None,
        "vector_runs": runs,
        "vector_metrics": {"sharpe_ratio": 1.25, "number_of_windows": len(windows)},
    }
    if ohlcv is not None:
        made["ohlcv"] = {"store_dir": "ohlcv", "manifest": ohlcv}
    return made


def prices(seed: float, **options) -> bytes:
    table = pyarrow.table({"Datetime": list(range(50)), "Close": [seed + i for i in range(50)]})
    out = io.BytesIO()
    pyarrow.parquet.write_table(table, out, **options)
    return out.getvalue()


def put_priced(folder: Path, name: str, files: dict[str, bytes], upper: bool = False) -> Path:
    """A bundle with its price files beside it."""
    source = lamina.LocalDirStore(folder, level=3)
    manifest = {}
    for key, content in files.items():
        digest = hashlib.sha256(content).hexdigest()
        file = f"{digest.upper() if upper else digest}.parquet"
        (folder / "ohlcv").mkdir(exist_ok=True)
        (folder / "ohlcv" / file).write_bytes(content)
        manifest[key] = file
    source.put(document(name, ohlcv=manifest), handle=name)
    return source.path_of(name)


@pytest.fixture(params=KINDS, ids=str)
def made(request, tmp_path):
    """An empty store of each kind."""
    options = {"level": 3} if request.param == "local-dir" else {}
    store = KINDS[request.param](tmp_path / "made store", **options)
    yield store
    if request.param == "local-tiered":
        store.close()


def test_the_face(made):
    assert isinstance(made, lamina.BacktestStore)
    assert isinstance(made, lamina.SupportsCopyFrom)
    assert len(made) == 0 and list(made) == [] and list(made.iter_index_rows()) == []


def test_documents_come_back(made):
    given = document()
    assert made.put(given, handle="sweep/one") == "sweep/one"
    assert made.get("sweep/one").document() == given
    assert made.open("sweep/one", summary_only=True).summary.sharpe_ratio == 1.25
    assert "sweep/one" in made and len(made) == 1 and list(made.iter_handles()) == ["sweep/one"]
    backtest = made["sweep/one"]
    assert backtest.algorithm_id == "algorithm-t" and backtest.parameters["fast"] == 5
    assert [run.window for run in backtest.runs] == ["w1"]
    assert backtest.runs[0].snapshots().to_arrow()["total_value"].to_pylist() == [1000, 1010, 1005]


def test_default_handles(made, tmp_path):
    assert made.put(document("x")) == "algorithm-x"
    made.export("algorithm-x", tmp_path / "a file.iafbt")
    assert made.put(tmp_path / "a file.iafbt") == "a file"
    nameless = document("y") | {"algorithm_id": None}
    assert made.put(nameless).startswith("backtest_2")
    assert made.put(document("z"), handle="with/suffix.iafbt") == "with/suffix"
    assert made.get("with/suffix.obtf").tag == made.get("with/suffix").tag == "z"


@pytest.mark.shared
def test_golden_bundles_come_back(made, golden_files, tmp_path):
    folder = golden_files[0].parent.parent
    report = made.import_(folder)
    assert report.failed == () and report.imported == len(golden_files) == len(made)
    for path in golden_files:
        handle = str(path.relative_to(folder).with_suffix(""))
        backtest = made.get(handle)
        assert backtest._native.document_bytes() == bundles.document_bytes(path), handle
        out = tmp_path / "out" / path.parent.name / path.name
        out.parent.mkdir(parents=True, exist_ok=True)
        done = made.export(handle, out)
        assert done.identical_to_original and out.read_bytes() == path.read_bytes(), handle
    assert made.import_(folder).unchanged == len(golden_files)


@pytest.mark.shared
def test_index_rows_agree(golden_files, tmp_path):
    folder = golden_files[0].parent.parent
    rows = []
    for kind, cls in KINDS.items():
        store = cls(tmp_path / kind)
        store.import_(folder)
        rows.append(
            {
                (row["handle"], row["engine_type"], row["universe_key"], row["study_name"]): row
                for row in store.iter_index_rows()
            }
        )
    for row in [*rows[0].values(), *rows[1].values()]:
        del row["validated_json"]  # a folder does not compute metrics of our own
    assert len(rows[0]) > len(golden_files)
    assert repr(sorted(rows[0].items(), key=repr)) == repr(sorted(rows[1].items(), key=repr))


def test_replace_replaces_and_nothing_merges(made):
    made.put(document("one", windows=("w1",)), handle="h")
    assert made.put(document("one", windows=("w1",)), handle="h") == "h"  # the same: fine
    with pytest.raises(lamina.AlreadyExists, match="another document"):
        made.put(document("two", windows=("w2",)), handle="h")
    assert made.get("h").tag == "one"
    made.put(document("two", windows=("w2",)), handle="h", replace=True)
    assert [run.window for run in made.get("h").runs] == ["w2"] and made.get("h").tag == "two"
    made.write(document("three"), handle="h")
    assert made.get("h").tag == "three" and len(made) == 1


def test_two_files_of_one_handle_are_not_both_imported(made, tmp_path):
    for tag, name in [("i", "x.iafbt"), ("o", "x.obtf")]:
        folder = lamina.LocalDirStore(tmp_path / "in" / tag, level=3)
        folder.path_of(folder.put(document(tag), handle="x")).rename(tmp_path / "in" / name)
    report = made.import_([tmp_path / "in" / "x.iafbt", tmp_path / "in" / "x.obtf"], replace=True)
    assert report.imported == 1 and [failure.code for failure in report.failed] == [
        "kAlreadyExists"
    ]
    assert made.get("x").tag == "i"


def test_delete_is_idempotent(made):
    made.put(document(), handle="a/b")
    made.delete("a/b")
    made.delete("a/b")
    made.delete("never/there")
    made.delete("../outside")
    assert len(made) == 0 and not made.exists("a/b")
    with pytest.raises(lamina.StoreHandleNotFoundError):
        made.get("a/b")
    made.put(document("again"), handle="a/b")
    assert made.get("a/b").tag == "again"


def test_missing_handles_name_near_ones(made):
    made.put(document(), handle="sweep/run_1")
    with pytest.raises(KeyError, match="sweep/run_1"):
        made.get("sweep/run_2")
    with pytest.raises(lamina.StoreError):
        made.export("sweep/run_2", "nowhere.iafbt")


def test_odd_handles(made):
    for number, handle in enumerate(ODD_HANDLES):
        assert made.put(document(str(number)), handle=handle) == handle
    assert list(made) == sorted(ODD_HANDLES, key=lambda handle: handle.encode())
    for number, handle in enumerate(ODD_HANDLES):
        assert made.get(handle).tag == str(number)


@pytest.mark.parametrize("handle", NO_HANDLES)
def test_no_handles(made, handle, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    if handle:
        with pytest.raises(lamina.InvalidArgument):
            made.put(document(), handle=handle)
    with pytest.raises(lamina.InvalidArgument):
        made.get(handle)
    assert not made.exists(handle) and handle not in made
    made.delete(handle)
    assert sorted(path for path in tmp_path.rglob("*") if "made store" not in str(path)) == [
        path for path in before if "made store" not in str(path)
    ]


def test_what_is_no_document(made, tmp_path):
    for bad, message in [
        ({"format_version": 2, "vector_runs": 7, "engine_type": "vector"}, "vector_runs"),
        ({"algorithm_id": "x"}, "format_version"),
        ({"format_version": 2, "x": {"y": [object()]}}, r"x\.y\[0\].*object"),
        ({"format_version": 2, "x": 2**70}, "64 bits"),
        ([1, 2], "no backtest"),
    ]:
        with pytest.raises(lamina.InvalidArgument, match=message):
            made.put(bad, handle="bad")
    (tmp_path / "bad.iafbt").write_bytes(b"IAFB\2\0\0\0junk")
    with pytest.raises(lamina.LaminaError, match="bad"):
        made.put(tmp_path / "bad.iafbt")
    assert len(made) == 0


def test_reopen_and_pickle(made):
    made.put(document(), handle="kept")
    again = pickle.loads(pickle.dumps(made))
    assert again.get("kept").document() == document()
    again.put(document("new"), handle="new")
    assert list(type(made)(made.root)) == ["kept", "new"]


def test_threads(made):
    def work(number):
        handle = f"t{number % 4}/run {number}"
        made.put(document(str(number)), handle=handle)
        return made.get(handle).tag

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(24))) == [str(number) for number in range(24)]
    assert len(made) == 24


def test_one_of_many_writers_of_a_handle_wins(made):
    def work(number):
        try:
            made.put(document(str(number)), handle="same")
            return number
        except lamina.AlreadyExists:
            return None

    with ThreadPoolExecutor(8) as pool:
        winners = [number for number in pool.map(work, range(8)) if number is not None]
    assert len(winners) == 1 and made.get("same").tag == str(winners[0])


def _put_some(kind, root, first):
    store = KINDS[kind](root)
    for number in range(first, first + 5):
        store.put(document(str(number)), handle=f"p{first}/{number}")
    return list(store)


def test_processes(made):
    kind = "local-dir" if isinstance(made, lamina.LocalDirStore) else "local-tiered"
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        pool.starmap(_put_some, [(kind, made.root, first) for first in (0, 10, 20)])
    assert len(made) == 15
    assert made.get("p10/12").tag == "12"


@pytest.fixture
def filled(tmp_path):
    """A folder with six backtests, two of them with prices."""
    folder = tmp_path / "filled"
    store = lamina.LocalDirStore(folder, level=3)
    for number in range(4):
        store.put(document(str(number)), handle=f"plain/{number}")
    put_priced(folder, "priced_a", {"BTC:1h": prices(1), "ETH:1h": prices(2)})
    put_priced(folder, "priced_b", {"BTC:1h": prices(1)})
    return store


def test_copy_from_and_subsets(made, filled):
    report = made.copy_from(filled, handles=["plain/1", "plain/3", "plain/9"])
    assert report.migrated == 2 and list(made) == ["plain/1", "plain/3"]
    assert [(failure.path, failure.code) for failure in report.failed] == [("plain/9", "kNotFound")]
    assert made.copy_from(filled, handles=[]).migrated == 0
    report = made.copy_from(filled)
    assert (report.migrated, report.unchanged, report.failed) == (4, 2, ())
    assert list(made) == list(filled)
    for handle in filled:
        assert made.get(handle).document() == filled.get(handle).document()
    again = lamina.migrate_store(filled, made)
    assert (again.migrated, again.unchanged) == (0, 6)


def test_another_document_is_not_overwritten_by_a_copy(made, filled):
    made.put(document("mine"), handle="plain/0")
    report = made.copy_from(filled)
    assert report.migrated == 5
    assert [(failure.path, failure.code) for failure in report.failed] == [
        ("plain/0", "kAlreadyExists")
    ]
    assert made.get("plain/0").tag == "mine"
    assert made.copy_from(filled, handles=["plain/0"], replace=True).migrated == 1
    assert made.get("plain/0").tag == "0"


@pytest.mark.parametrize("to", KINDS)
def test_prices_go_with_their_bundles(made, filled, to, tmp_path):
    made.copy_from(filled)
    there = KINDS[to](tmp_path / "there")
    there.copy_from(made)
    back = lamina.LocalDirStore(tmp_path / "back", level=3)
    assert back.copy_from(there).migrated == 6
    for path in sorted(filled.root.rglob("*.*")):
        copy = back.root / path.relative_to(filled.root)
        assert copy.read_bytes() == path.read_bytes(), path
    assert not [path for path in back.root.rglob("*") if path.suffix == ".tmp"]


def test_a_backtest_of_another_store_can_be_put(made, filled, tmp_path):
    made.put(filled.get("plain/2"), handle="two")
    made.put(filled.get("priced_a"))
    assert made.get("two").document() == filled.get("plain/2").document()
    made.export("priced_a", tmp_path / "priced_a.iafbt")
    assert len(list((tmp_path / "ohlcv").iterdir())) == 2


# ---- a folder ------------------------------------------------------------------------------------


def test_links_do_not_lead_out(tmp_path):
    inside = lamina.LocalDirStore(tmp_path / "inside", level=3)
    outside = lamina.LocalDirStore(tmp_path / "outside", level=3)
    outside.put(document("secret"), handle="secret")
    inside.put(document("mine"), handle="mine")
    (inside.root / "link").symlink_to(outside.root)
    (inside.root / "linked.iafbt").symlink_to(outside.path_of("secret"))
    (inside.root / "same.iafbt").symlink_to("mine.iafbt")
    assert list(inside) == ["mine", "same"] and inside.get("same").tag == "mine"
    assert [Path(path).name for path, _ in inside.unreachable()] == ["linked.iafbt"]
    for handle in ("linked", "link/secret"):
        assert not inside.exists(handle)
        with pytest.raises(lamina.InvalidArgument, match="leads out"):
            inside.get(handle)
    with pytest.raises(lamina.InvalidArgument, match="leads out"):
        inside.put(document("new"), handle="link/new")
    inside.delete("link/secret")
    inside.delete("same")
    assert list(outside) == ["secret"] and inside.get("mine").tag == "mine"


def test_two_files_of_one_name(tmp_path):
    store = lamina.LocalDirStore(tmp_path / "two", level=3)
    store.put(document("old"), handle="x")
    shutil.copy(store.path_of("x"), store.root / "x.obtf")
    store.put(document("new"), handle="x.obtf", replace=True)
    assert list(store) == ["x.iafbt", "x.obtf"]
    with pytest.raises(lamina.Conflict, match="two files"):
        store.get("x")
    tiered = lamina.LocalTieredStore(tmp_path / "tiered")
    assert tiered.copy_from(store).migrated == 2
    assert tiered.get("x.iafbt").document() == store.get("x.iafbt").document()
    back = lamina.LocalDirStore(tmp_path / "back")
    back.copy_from(tiered)
    assert list(back) == ["x.iafbt", "x.obtf"]


def test_a_store_is_no_folder_of_bundles(tmp_path):
    lamina.LocalTieredStore(tmp_path / "store").close()
    with pytest.raises(lamina.InvalidArgument, match="Lamina store"):
        lamina.LocalDirStore(tmp_path / "store")
    with pytest.raises(lamina.NotFound):
        lamina.LocalDirStore(tmp_path / "absent", create=False)


def test_a_damaged_bundle_is_named_and_the_rest_copied(filled, tmp_path):
    path = filled.path_of("plain/1")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(lamina.Corruption, match="plain/1"):
        filled.get("plain/1")
    tiered = lamina.LocalTieredStore(tmp_path / "tiered")
    report = tiered.copy_from(filled)
    assert report.migrated == 5
    assert [(failure.path, failure.code) for failure in report.failed] == [
        ("plain/1", "kCorruption")
    ]


# ---- a Lamina store ------------------------------------------------------------------------------


@pytest.fixture
def tiered(tmp_path):
    with lamina.LocalTieredStore(tmp_path / "tiered") as store:
        yield store


def test_scan(tiered):
    tiered.put(document("a", windows=("w1", "w2")), handle="a")
    tiered.put(document("b", values=(1.0,)), handle="b")
    runs = tiered.scan("runs", columns=["run_id", "engine", "study", "window_name"]).to_dicts()
    assert [(run["engine"], run["study"], run["window_name"]) for run in runs] == [
        ("vector", "default", window) for window in ("w1", "w2", "w1")
    ]
    snapshots = tiered.scan("portfolio_snapshots").to_arrow()
    assert snapshots.num_rows == 7
    assert snapshots.schema.field("ts").type == pyarrow.timestamp("us", tz="UTC")
    assert set(snapshots["run_id"].to_pylist()) == {run["run_id"] for run in runs}
    for name in ("trades", "orders", "positions", "metric_series"):
        assert tiered.scan(name).num_rows == 0 and "run_id" in tiered.scan(name).column_names
    with pytest.raises(lamina.InvalidArgument, match="nothing"):
        tiered.scan("nothing")


def test_rebuild_index(tiered):
    for name in "ab":
        tiered.put(document(name), handle=name)
    tiered.store.backtests.tag("a", ["mine"])
    before = list(tiered.iter_index_rows())
    assert tiered.rebuild_index() == 2
    assert list(tiered.iter_index_rows()) == before


def test_a_bundle_that_gained_a_window_stores_only_that(tiered, tmp_path):
    long = tuple(1000.0 + i * 0.37 for i in range(30))
    tiered.put(document("a", values=long, windows=("w1", "w2", "w3")), handle="a")
    before = tiered.scan("portfolio_snapshots").num_rows
    files = {path for path in (tiered.root / "lake").rglob("*.parquet")}
    grown = document("a", values=long, windows=("w1", "w2", "w3", "w4"))
    lamina.LocalDirStore(tmp_path / "grown", level=3).put(grown, handle="a")
    report = tiered.import_(tmp_path / "grown", replace=True)
    assert (report.replaced, report.runs_new, report.runs_shared) == (1, 1, 3)
    assert tiered.scan("portfolio_snapshots").num_rows == before + 30
    new = {path for path in (tiered.root / "lake").rglob("*.parquet")} - files
    rows = {path.parent.name: pyarrow.parquet.read_metadata(path).num_rows for path in new}
    assert rows == {"portfolio_snapshots": 30, "runs": 1}
    assert tiered.get("a").document() == grown


def test_identical_prices_are_stored_once(tiered, tmp_path):
    assert tiered.ohlcv_stats() == {
        "stored_blobs": 0,
        "stored_bytes": 0,
        "referenced_blobs": 0,
        "orphan_blobs": 0,
        "missing_blobs": 0,
    }
    for name in ("a", "b", "c"):
        put_priced(tmp_path / "in", name, {"BTC": prices(1), "ETH": prices(ord(name))})
    tiered.import_(tmp_path / "in")
    used = list(tiered.iter_ohlcv_hashes())
    assert len(used) == 6 and len(tiered.ohlcv_referenced_hashes()) == 4
    assert tiered.ohlcv_stored_hashes() == tiered.ohlcv_referenced_hashes() == set(used)
    assert all(len(h) == 64 and h == h.lower() for h in used)
    stats = tiered.ohlcv_stats()
    assert stats["stored_blobs"] == 4 and stats["stored_bytes"] == sum(
        len(prices(seed)) for seed in (1, *map(ord, "abc"))
    )


def test_orphans_are_collected_after_the_last_reference(tiered, tmp_path):
    put_priced(tmp_path / "in", "a", {"BTC": prices(1), "ETH": prices(2)})
    put_priced(tmp_path / "in", "b", {"BTC": prices(1)})
    tiered.import_(tmp_path / "in")
    tiered.delete("a")
    shared = hashlib.sha256(prices(1)).hexdigest()
    orphan = hashlib.sha256(prices(2)).hexdigest()
    assert tiered.ohlcv_stats()["orphan_blobs"] == 1
    assert tiered.garbage_collect_ohlcv(dry_run=True, keep_deleted=True) == []
    assert tiered.garbage_collect_ohlcv(dry_run=True) == [orphan]
    assert tiered.ohlcv_stored_hashes() == {shared, orphan}
    assert tiered.garbage_collect_ohlcv() == [orphan]
    assert tiered.ohlcv_stored_hashes() == {shared}
    assert tiered.garbage_collect_ohlcv() == []
    shutil.rmtree(tmp_path / "in")
    tiered.store.backtests.undelete("a")  # the document, without those prices
    assert tiered.ohlcv_stats()["missing_blobs"] == 1
    assert tiered.store.verify(deep=True)
    put_priced(tmp_path / "in", "a", {"BTC": prices(1), "ETH": prices(2)})
    tiered.delete("a")
    tiered.import_(tmp_path / "in")
    assert tiered.ohlcv_stored_hashes() == {shared, orphan}


def test_hashes_in_upper_case(tiered, tmp_path):
    path = put_priced(tmp_path / "in", "a", {"BTC": prices(1)}, upper=True)
    tiered.import_(tmp_path / "in")
    digest = hashlib.sha256(prices(1)).hexdigest()
    assert list(tiered.iter_ohlcv_hashes()) == [digest]
    assert tiered.ohlcv_stored_hashes() == {digest}
    assert tiered.garbage_collect_ohlcv() == []
    (tmp_path / "out").mkdir()
    tiered.export("a", tmp_path / "out" / "a.iafbt")
    assert (tmp_path / "out" / "a.iafbt").read_bytes() == path.read_bytes()
    assert (tmp_path / "out" / "ohlcv" / f"{digest.upper()}.parquet").read_bytes() == prices(1)


def test_a_manifest_that_names_a_missing_chunk(tiered, tmp_path):
    put_priced(tmp_path / "in", "a", {"BTC": prices(1), "ETH": prices(2)})
    missing = hashlib.sha256(prices(2)).hexdigest()
    (tmp_path / "in" / "ohlcv" / f"{missing}.parquet").unlink()
    report = tiered.import_(tmp_path / "in")
    assert report.imported == 1 and "ETH" in report.warnings[0][1]
    stats = tiered.ohlcv_stats()
    assert (stats["referenced_blobs"], stats["stored_blobs"], stats["missing_blobs"]) == (2, 1, 1)
    assert missing in tiered.ohlcv_referenced_hashes()
    assert tiered.garbage_collect_ohlcv() == []
    back = lamina.LocalDirStore(tmp_path / "back", level=3)
    assert back.copy_from(tiered).migrated == 1
    assert len(list((tmp_path / "back" / "ohlcv").iterdir())) == 1


def test_a_damaged_price_chunk_is_named_and_never_given_out(tiered, tmp_path):
    content = prices(1) + b"\0" * 70_000  # large enough for a file of its own
    digest = hashlib.sha256(content).hexdigest()
    put_priced(tmp_path / "in", "a", {"BTC": content})
    tiered.import_(tmp_path / "in")
    (chunk,) = (tiered.root / "chunks" / "ohlcv").rglob("*.parquet")
    damaged = bytearray(chunk.read_bytes())
    damaged[100] ^= 1
    chunk.chmod(0o644)
    chunk.write_bytes(damaged)
    with pytest.raises(lamina.Corruption, match=digest):
        tiered.export("a", tmp_path / "a.iafbt")
    assert not (tmp_path / "a.iafbt").exists()
    report = lamina.LocalDirStore(tmp_path / "back", level=3).copy_from(tiered)
    assert [(failure.path, failure.code) for failure in report.failed] == [("a", "kCorruption")]
    chunk.unlink()
    assert tiered.ohlcv_stats()["missing_blobs"] == 1 and tiered.ohlcv_stored_hashes() == set()


def test_collection_refuses_when_a_reference_cannot_be_read(tiered, tmp_path):
    put_priced(tmp_path / "in", "a", {"BTC": prices(1)})
    put_priced(tmp_path / "in", "b", {"BTC": prices(2)})
    tiered.import_(tmp_path / "in")
    tiered.delete("a")
    root = tiered.root
    tiered.close()
    with sqlite3.connect(root / "objects.sqlite") as database:
        database.execute("UPDATE object SET stored = x'00' WHERE kind = 7")
    broken = lamina.LocalTieredStore(root)
    for call in (broken.garbage_collect_ohlcv, broken.ohlcv_stats, broken.iter_ohlcv_hashes):
        with pytest.raises(lamina.Corruption):
            call()
    broken.close()
