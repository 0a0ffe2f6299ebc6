"""A backtest written as a bundle of another version than it came in."""

import hashlib
import shlex
import shutil
import struct
from pathlib import Path

import bundles
import msgpack
import pytest
import zstandard
from command import error_of, run, run_json

import lamina

pytestmark = pytest.mark.shared


@pytest.fixture(scope="module")
def imported(shared, tmp_path_factory):
    store = tmp_path_factory.mktemp("versions") / "store"
    run("init", store)
    golden = shared / "data" / "bundles" / "golden"
    run("import", golden, store=store)
    return store, golden


@pytest.mark.parametrize(
    ("source", "to", "twin"), [("v1_8.10.0", 2, "v2_8.10.0"), ("v2_8.10.0", 1, "v1_8.10.0")]
)
@pytest.mark.parametrize("name", ["windows3_full", "one_run", "permutation_tests"])
def test_versions_one_and_two_give_the_frameworks_document(
    imported, tmp_path, source, to, twin, name
):
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
    shutil.copytree(store, second)
    report = run_json("import", folder, store=second)
    assert (report["imported"], report["runs_new"], report["runs_shared"]) == (1, 0, 3)
    run("export", "w", "-o", tmp_path / "back.iafbt", "--format", "2", store=second)
    golden = imported[1] / "v2_8.10.0" / "windows3_full.iafbt"
    assert bundles.document_bytes(tmp_path / "back.iafbt") == bundles.document_bytes(golden)


def test_what_the_version_cannot_hold(imported, tmp_path):
    store, _ = imported
    out = tmp_path / "x.iafbt"
    report = run_json("export", "v5_9.0.0a6/one_run", "-o", out, "--format", "2", store=store)
    assert any("training range" in warning for warning in report["warnings"])
    said = run("export", "v5_9.0.0a6/one_run", "-o", out, "--format", "2", store=store).stderr
    assert "warning: the training range" in said
    out.unlink()
    error = error_of("export", "v5_9.0.0a6/universes", "-o", out, "--format", "2", store=store)
    assert error["code"] == "kUnsupported"
    assert "universe" in error["message"]
    for version in ("0", "3", "6"):
        error = error_of("export", "v2_8.10.0/one_run", "-o", out, "--format", version, store=store)
        assert error["code"] == "kInvalidArgument"
        assert "not in {1,2,5}" in error["message"]
    with (
        lamina.open(store) as opened,
        pytest.raises(lamina.InvalidArgument, match="choose 1, 2 or 5"),
    ):
        opened.backtests.export("v2_8.10.0/one_run", out, format_version=3)
    assert not out.exists()


def two_studies(top):
    top["studies"]["other"] = {**top["studies"]["default"], "name": "other"}


def both_engines(top):
    study = top["studies"]["default"]
    study["event_runs"], study["event_summary"] = study["vector_runs"], study["vector_summary"]


def rules(top):
    top["studies"]["default"]["metadata"] = {"desk": "fx"}
    top["studies"]["default"]["house_rule"] = 7
    top["anchor_algorithm_id"] = "anchor"
    top["later_key"] = 1
    for run_map in top["studies"]["default"]["vector_runs"]:
        run_map["number_of_hours"] = 26_280


@pytest.mark.parametrize(
    ("change", "refused", "warnings"),
    [
        (two_studies, "several studies (default, other)", []),
        (both_engines, "both engines", []),
        (rules, None, ["metadata", "house_rule", "anchor_algorithm_id", "later_key", "_of_hours"]),
    ],
)
def test_studies_that_version_two_has_no_place_for(tmp_path, shared, change, refused, warnings):
    golden = shared / "data" / "bundles" / "golden" / "v5_9.0.0a6" / "windows3_full.obtf"
    top = bundles.document(golden)
    change(top)
    packed = zstandard.ZstdCompressor(level=3).compress(msgpack.packb(top))
    (tmp_path / "x.obtf").write_bytes(b"IAFB" + struct.pack("<I", 5) + packed)
    with lamina.open(tmp_path / "store", create=True) as store:
        assert not store.backtests.import_(tmp_path / "x.obtf").failed
        out = tmp_path / "y.iafbt"
        if refused:
            with pytest.raises(lamina.Unsupported, match=refused.replace("(", r"\(")[:15]):
                store.backtests.export("x", out, format_version=2)
            assert not out.exists()
            return
        report = store.backtests.export("x", out, format_version=2)
        for word in warnings:
            assert any(word in warning for warning in report.warnings), (word, report.warnings)


def test_the_guide(imported, tmp_path):
    """Each command of the guide's page runs."""
    page = Path(__file__).parents[3] / "docs" / "guide" / "export.md"
    lines = [line for line in page.read_text().splitlines() if line.startswith("lamina --store")]
    assert len(lines) >= 4
    run("init", tmp_path / "mystore")
    shutil.copy(imported[1] / "v2_8.10.0" / "one_run.iafbt", tmp_path / "run_1.iafbt")
    run("import", tmp_path / "run_1.iafbt", store=tmp_path / "mystore")
    for line in lines:
        run(*shlex.split(line)[1:], cwd=tmp_path)
    assert {bundles.version(path) for path in tmp_path.glob("*.*")} == {1, 2, 5}
