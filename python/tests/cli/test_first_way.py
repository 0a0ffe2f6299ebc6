"""Real bundles in, ranking out, bundles out again: the whole way through the command line."""

import hashlib
import json
from pathlib import Path

import bundles
import lake
import pytest
from command import error_of, run, run_json

pytestmark = pytest.mark.shared

# Valid by the format's rules though odd; every other file of quirks/ must be refused.
REFUSED_QUIRKS = {
    "bad_magic": "kInvalidArgument",
    "bad_version_0": "kUnsupported",
    "bad_version_max": "kUnsupported",
    "frame_no_content_size": "kCorruption",
    "frame_raw_block": "kCorruption",  # its content is no MessagePack
    "frame_stream": "kCorruption",  # no content size, as a streaming writer leaves it
    "frame_two": "kCorruption",  # the document goes on in the second frame, which readers ignore
    "msgpack_array_top": "kInvalidArgument",
    "msgpack_deep": "kResourceExhausted",
    "msgpack_trailing": "kCorruption",
    "msgpack_truncated": "kCorruption",
    "trunc_0": "kInvalidArgument",
    "trunc_3": "kInvalidArgument",
    "trunc_4": "kInvalidArgument",
    "trunc_7": "kInvalidArgument",
    "trunc_8": "kCorruption",
    "zstd_bomb_64MiB": "kCorruption",
}


def bundle_files(folder: Path) -> list[Path]:
    return sorted([*folder.rglob("*.iafbt"), *folder.rglob("*.obtf")])


def handle_of(path: Path, folder: Path) -> str:
    return str(path.relative_to(folder).with_suffix(""))


@pytest.fixture(scope="module")
def imported(shared, tmp_path_factory):
    store = tmp_path_factory.mktemp("first way") / "störe"
    run("init", store)
    done = run("--json", "import", shared / "data" / "bundles", store=store, check=False)
    return store, json.loads(done.stdout), done.returncode


def test_everything_valid_is_imported_and_the_rest_refused_with_its_reason(shared, imported):
    _, report, code = imported
    folder = shared / "data" / "bundles"
    refused = {Path(f["path"]).stem: f["code"] for f in report["failed"]}
    assert refused == REFUSED_QUIRKS
    assert code == 1
    assert report["imported"] == len(bundle_files(folder)) - len(REFUSED_QUIRKS)
    assert all(len(f["message"]) > 15 for f in report["failed"])


def test_a_second_import_changes_nothing(shared, imported):
    store, report, _ = imported
    before = run_json("snapshots", store=store)
    again = json.loads(
        run("--json", "import", shared / "data" / "bundles", store=store, check=False).stdout
    )
    assert (again["imported"], again["replaced"], again["runs_new"]) == (0, 0, 0)
    assert again["unchanged"] == report["imported"]
    assert run_json("snapshots", store=store) == before


def test_exports_give_documents_back(shared, imported, tmp_path):
    """Every bundle out again, into a second store, and out of that: nothing changes."""
    store, _, _ = imported
    folder = shared / "data" / "bundles"
    second = tmp_path / "second"
    run("init", second)
    exported = []
    for path in bundle_files(folder):
        if path.stem in REFUSED_QUIRKS:
            continue
        out = tmp_path / "out" / path.relative_to(folder)
        out.parent.mkdir(parents=True, exist_ok=True)
        report = run_json("export", handle_of(path, folder), "-o", out, "--level", "3", store=store)
        document = bundles.document_bytes(path)
        assert bundles.document_bytes(out) == document, path
        assert bundles.version(out) == bundles.version(path), path
        assert report["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
        assert report["document_sha256"] == hashlib.sha256(document).hexdigest()
        exported.append(out)
    run_json("import", tmp_path / "out", store=second)
    for path in exported:
        again = tmp_path / "again.bin"
        report = run_json(
            "export", handle_of(path, tmp_path / "out"), "-o", again, "--level", "3", store=second
        )
        assert again.read_bytes() == path.read_bytes(), path
        assert report["identical_to_original"]


def test_exports_give_the_files_of_the_framework_back(shared, imported, tmp_path):
    """Without a level the original file comes back, byte for byte. (Of the real ones the smallest:
    level 19 takes seconds for a large one.)"""
    store, _, _ = imported
    folder = shared / "data" / "bundles"
    files = bundle_files(folder / "golden")
    files += sorted(bundle_files(folder / "real"), key=lambda path: path.stat().st_size)[:10]
    for path in files:
        out = tmp_path / "out.bin"
        report = run_json("export", handle_of(path, folder), "-o", out, store=store)
        assert out.read_bytes() == path.read_bytes(), path
        assert report["identical_to_original"], path


def test_price_files_come_out_beside_the_bundle(shared, imported, tmp_path):
    store, _, _ = imported
    handle = "golden/v2_8.10.0/ohlcv_a"
    run("export", handle, "-o", tmp_path / "a" / "x.iafbt", store=store)
    manifest = bundles.document(tmp_path / "a" / "x.iafbt")["ohlcv"]
    for name in manifest["manifest"].values():
        content = (tmp_path / "a" / manifest["store_dir"] / name).read_bytes()
        assert hashlib.sha256(content).hexdigest() + ".parquet" == name


def test_list_and_rank(imported):
    store, _, _ = imported
    rows = run_json("list", "--sort", "sharpe_ratio", "--limit", "20", store=store)
    assert len(rows) == 20
    values = [row["sharpe_ratio"] for row in rows if row["sharpe_ratio"] is not None]
    assert values == sorted(values, reverse=True)
    assert list(rows[0]) == [
        "handle", "algorithm_id", "tag", "sharpe_ratio", "total_net_gain_percentage",
        "max_drawdown", "number_of_trades",
    ]  # fmt: skip
    ranked = run_json(
        "rank", "--by", "sortino", "--filter", 'tag LIKE "sweep_%" AND trades > 30', store=store
    )
    everything = run_json(
        "list", "--columns", "handle,tag,number_of_trades,sortino_ratio", store=store
    )
    wanted = [
        row
        for row in everything
        if (row["tag"] or "").startswith("sweep") and (row["number_of_trades"] or 0) > 30
    ]
    assert {row["handle"] for row in ranked} == {row["handle"] for row in wanted} or len(
        ranked
    ) == 10


@pytest.mark.parametrize("command", [("list", "--sort"), ("rank", "--by")])
def test_a_misspelt_metric_is_an_error_that_names_near_ones(imported, command):
    store, _, _ = imported
    error = error_of(*command, "sharp_ratio", store=store)
    assert error["code"] == "kInvalidArgument" and error["exit"] == 2
    assert "sharpe_ratio" in error["message"]


def test_duckdb_counts_what_the_documents_hold(shared, imported):
    store, _, _ = imported
    folder = shared / "data" / "bundles" / "real"
    seen, expected = set(), {"portfolio_snapshots": 0, "trades": 0, "orders": 0, "positions": 0}
    run_ids = []
    for path in bundle_files(folder):
        shown = run_json("show", "real/" + handle_of(path, folder), store=store)
        document_runs = bundles.runs(path)
        assert len(shown["runs"]) == len(document_runs), path
        for found, run_map in zip(shown["runs"], document_runs, strict=True):
            if found["run_id"] in seen:
                continue
            seen.add(found["run_id"])
            run_ids.append(found["run_id"])
            for table in expected:
                expected[table] += len(run_map[table])
    connection = lake.attach(store)
    ids = ", ".join(f"'{run_id}'" for run_id in run_ids)
    for table, rows in expected.items():
        sql = f"SELECT count(*) FROM lake.backtests.{table} WHERE run_id IN ({ids})"
        assert connection.execute(sql).fetchone()[0] == rows, table


def test_duckdb_reads_one_file_for_one_run(imported):
    store, _, _ = imported
    connection = lake.attach(store)
    run_id = connection.execute(
        "SELECT run_id FROM lake.backtests.runs ORDER BY snapshot_count DESC"
    ).fetchone()[0]
    plan = connection.execute(
        "EXPLAIN ANALYZE SELECT sum(total_value) FROM lake.backtests.portfolio_snapshots "
        f"WHERE run_id = '{run_id}'"
    ).fetchall()[0][1]
    assert "Total Files Read: 1" in plan


def test_the_view_of_all_series_has_the_derived_ones(imported):
    store, _, _ = imported
    connection = lake.attach(store)
    sql = """SELECT count(*) FROM lake.backtests.all_metric_series s
             JOIN lake.backtests.runs r USING (run_id)
             WHERE metric = 'equity_curve' AND snapshot_count > 1000"""
    assert connection.execute(sql).fetchone()[0] > 550_000


def test_a_moved_store_still_answers(imported, tmp_path):
    store, report, _ = imported
    moved = lake.copy_store(store, tmp_path / "elsewhere" / "moved store")
    assert len(run_json("list", store=moved)) == len(run_json("list", store=store))
    run_json("export", "golden/v2_8.10.0/one_run", "-o", tmp_path / "x.iafbt", store=moved)
    rows = lake.attach(moved).execute("SELECT count(*) FROM lake.backtests.runs").fetchone()[0]
    assert rows == report["runs_new"]
    run("tag", "golden/v2_8.10.0/one_run", "+moved", store=moved)
    assert run_json("verify", store=moved)["ok"]


def test_verify_and_the_outside_judge_find_nothing(shared, imported):
    store, report, _ = imported
    verified = run_json("verify", "--deep", store=store)
    assert verified["ok"], verified["problems"]
    assert verified["checked_documents"] == report["imported"]
    judged = lake.conformance(shared, store)
    assert judged.returncode == 0, judged.stdout[-3000:]


def test_delete_undelete_tag_note_rename(shared, imported, tmp_path):
    store = lake.copy_store(imported[0], tmp_path / "edited")
    handle = "real/v2_8.10.0/05764fc8"
    before = bundles.document_bytes(
        shared / "data" / "bundles" / "real" / "v2_8.10.0" / "05764fc8.iafbt"
    )
    run("tag", handle, "+candidate", "+x", "-x", store=store)
    run("note", handle, "keep an eye on it", store=store)
    count = len(run_json("list", store=store))
    snapshot = run_json("snapshots", store=store)[-1]["snapshot"]
    assert run_json("delete", handle, "golden/v1_8.10.0/one_run", store=store)["deleted"]
    assert len(run_json("list", store=store)) == count - 2
    assert error_of("show", handle, store=store)["code"] == "kNotFound"
    assert len(run_json("list", "--snapshot", snapshot, store=store)) == count
    run(
        "export",
        handle,
        "-o",
        tmp_path / "old.iafbt",
        "--level",
        "3",
        "--snapshot",
        snapshot,
        store=store,
    )
    assert bundles.document_bytes(tmp_path / "old.iafbt") == before
    assert run_json("verify", store=store)["ok"]
    assert lake.conformance(shared, store, "--max-predicates", "50").returncode == 0
    run("undelete", handle, store=store)
    shown = run_json("show", handle, store=store)
    assert shown["tags"] == ["candidate"] and shown["note"] == "keep an eye on it"
    run("rename", handle, "best/one", store=store)
    run("export", "best/one", "-o", tmp_path / "new.iafbt", "--level", "3", store=store)
    assert bundles.document_bytes(tmp_path / "new.iafbt") == before
    assert run_json("list", "--where", "tag = 'candidate'", store=store)[0]["handle"] == "best/one"
    assert error_of("rename", "best/one", "../out", store=store)["code"] == "kInvalidArgument"
    assert run_json("verify", "--deep", store=store)["ok"]


def test_another_document_under_a_handle_needs_replace(shared, imported, tmp_path):
    store = tmp_path / "s"
    run("init", store)
    golden = shared / "data" / "bundles" / "golden" / "v2_8.10.0"
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "a.iafbt").write_bytes((golden / "one_run.iafbt").read_bytes())
    run("import", folder, store=store)
    (folder / "a.iafbt").write_bytes((golden / "param_order.iafbt").read_bytes())
    done = run("--json", "import", folder, store=store, check=False)
    assert done.returncode == 1
    assert json.loads(done.stdout)["failed"][0]["code"] == "kAlreadyExists"
    assert run_json("import", "--replace", folder, store=store)["replaced"] == 1
    run("export", "a", "-o", tmp_path / "a.iafbt", store=store)
    assert bundles.document_bytes(tmp_path / "a.iafbt") == bundles.document_bytes(
        golden / "param_order.iafbt"
    )
    assert run_json("verify", "--deep", store=store)["ok"]
