"""A backtest written as a bundle of another version than it came in."""

import hashlib

import bundles
import pytest
from command import error_of, run, run_json

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def imported(shared, tmp_path_factory):
    store = tmp_path_factory.mktemp("versions") / "store"
    run("init", store)
    golden = shared / "data" / "bundles" / "golden"
    run("import", golden, store=store)
    return store, golden


@pytest.mark.parametrize(("source", "to", "twin"), [("v1_8.10.0", 2, "v2_8.10.0"), ("v2_8.10.0", 1, "v1_8.10.0")])
@pytest.mark.parametrize("name", ["windows3_full", "one_run", "permutation_tests"])
def test_versions_one_and_two_give_the_frameworks_document(imported, tmp_path, source, to, twin, name):
    store, golden = imported
    out = tmp_path / "x.iafbt"
    report = run_json("export", f"{source}/{name}", "-o", out, "--format", str(to), store=store)
    assert bundles.version(out) == to
    assert bundles.document_bytes(out) == bundles.document_bytes(golden / twin / f"{name}.iafbt")
    assert report["document_sha256"] == hashlib.sha256(bundles.document_bytes(out)).hexdigest()
    assert report["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert report["format_version"] == to
    assert report["warnings"] == []
    assert not report["identical_to_original"]


def test_a_converted_bundle_holds_the_same_runs(imported, tmp_path):
    store, _ = imported
    handle = "v2_8.10.0/windows3_full"
    folder = tmp_path / "five"
    folder.mkdir()
    run("export", handle, "-o", folder / "w.obtf", "--format", "5", store=store)
    second = tmp_path / "second"
    run("init", second)
    run("import", folder, store=second)
    runs = [r["run_id"] for r in run_json("show", handle, store=store)["runs"]]
    assert [r["run_id"] for r in run_json("show", "w", store=second)["runs"]] == runs
    run("export", "w", "-o", tmp_path / "back.iafbt", "--format", "2", store=second)
    golden = imported[1] / "v2_8.10.0" / "windows3_full.iafbt"
    assert bundles.document_bytes(tmp_path / "back.iafbt") == bundles.document_bytes(golden)


def test_what_the_version_cannot_hold(imported, tmp_path):
    store, _ = imported
    out = tmp_path / "x.iafbt"
    report = run_json("export", "v5_9.0.0a6/one_run", "-o", out, "--format", "2", store=store)
    assert any("training range" in warning for warning in report["warnings"])
    assert "training range" in run("export", "v5_9.0.0a6/one_run", "-o", out, "--format", "2", store=store).stdout
    out.unlink()
    error = error_of("export", "v5_9.0.0a6/universes", "-o", out, "--format", "2", store=store)
    assert error["code"] == "kUnsupported" and "universe" in error["message"]
    error = error_of("export", "v2_8.10.0/one_run", "-o", out, "--format", "3", store=store)
    assert error["code"] == "kInvalidArgument"
    assert not out.exists()
