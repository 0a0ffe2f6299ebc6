"""Every golden and real bundle written in each version, read by outside tools, and back again."""

import re

import bundles
import pytest

import lamina

pytestmark = pytest.mark.shared

# Version 8.8 wrote no engine_type; a document that has been through another version holds nil.
NO_ENGINE = "v1_8.8.0/"
# Backtests of versions 1, 2 and 5 that come back byte for byte, at least.
EXACT = {1: 40, 2: 20, 5: 40}


@pytest.fixture(scope="module")
def first(shared, tmp_path_factory):
    """A store with all of them, handles golden/... and real/..."""
    with lamina.open(tmp_path_factory.mktemp("first") / "store", create=True) as store:
        data = shared / "data" / "bundles"
        for folder in ("golden", "real"):
            assert not store.backtests.import_(data / folder).failed
        yield store


def export_all(store, out, version, handles):
    """Reports by handle, and messages of what was refused."""
    reports, refused = {}, {}
    for handle in handles:
        path = out / f"{handle}.iafbt"
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            reports[handle] = store.backtests.export(handle, path, format_version=version, level=3)
        except lamina.Unsupported as error:
            refused[handle] = str(error)
            assert not path.exists()
    return reports, refused


def rounded(report):
    return any("finer than a millisecond" in warning for warning in report.warnings)


def same(a, b):
    """Equal in value and order: 1000 is 1000.0, NaN is NaN, a date is its midnight."""
    if isinstance(a, dict) and isinstance(b, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return a == b or (a != a and b != b) or a == f"{b}T00:00:00+00:00"


@pytest.mark.parametrize("to", [1, 2, 5])
def test_there_and_back(first, shared, tmp_path, to):
    originals = {
        str(path.relative_to(folder).with_suffix("")): path
        for folder in (shared / "data/bundles/golden", shared / "data/bundles/real")
        for path in [*folder.rglob("*.iafbt"), *folder.rglob("*.obtf")]
    }
    # Checkpoints of the real ones repeat their runs.
    handles = [handle for handle in first.backtests.handles() if "checkpoint_" not in handle]
    assert len(handles) >= 180
    reports, refused = export_all(first, tmp_path / "away", to, handles)
    assert set(refused) == (
        set() if to == 5 else {"v4_synthetic/universes", "v5_9.0.0a6/universes"}
    )
    assert all("universe" in message for message in refused.values())
    exact = 0
    with lamina.open(tmp_path / "second", create=True) as second:
        imported = second.backtests.import_(tmp_path / "away")
        assert not imported.failed
        assert imported.imported == len(reports)
        for handle, report in reports.items():
            source, away = first.backtests.get(handle), second.backtests.get(handle)
            assert len(away.runs) == len(source.runs)
            converted = tmp_path / "away" / f"{handle}.iafbt"
            assert bundles.version(converted) == report.format_version == to
            assert len(bundles.runs(converted)) == len(source.runs)
            own = int(re.match(r"v(\d)", handle)[1])
            if own in (3, 4):  # such are read, not written
                continue
            back, original = tmp_path / "back.iafbt", originals[handle]
            second.backtests.export(handle, back, format_version=own, level=3)
            document, wanted = bundles.document(back), bundles.document(original)
            if handle.startswith(NO_ENGINE) and to != 1 and not report.warnings:
                assert document["backtest"].pop("engine_type") is None
                assert same(document, wanted), handle
            elif not report.warnings and not (own == 5 and to != 5):
                assert bundles.document_bytes(back) == bundles.document_bytes(original), handle
                exact += 1
        # The runs themselves are the same: as they came they are no new ones.
        came = tmp_path / "came"
        whole = [handle for handle, report in reports.items() if not rounded(report)]
        assert len(whole) >= len(reports) - 2
        export_all(first, came / "came", None, whole)
        again = second.backtests.import_(came)
        assert (again.imported, again.runs_new) == (len(whole), 0)
    assert exact >= EXACT[to]


def test_real_bundles_become_what_the_framework_makes_of_them(first, shared, tmp_path):
    """The framework's version 5 holds more metrics and newer sums; the rest is the same."""
    files = sorted((shared / "data" / "bundles" / "real" / "v5_9.0.0a6").glob("*.obtf"))
    assert len(files) >= 4
    for theirs in files:
        ours = tmp_path / theirs.name
        first.backtests.export(f"v2_8.10.0/{theirs.stem}", ours, format_version=5, level=3)
        made, wanted = bundles.document(ours), bundles.document(theirs)
        assert list(made) == list(wanted)
        study, other = made["studies"]["default"], wanted["studies"]["default"]
        assert list(study) == list(other)
        for key in study:
            if key not in ("vector_runs", "vector_summary"):
                assert study[key] == other[key], key
        assert list(study["vector_summary"]) == list(other["vector_summary"])
        for run, same in zip(study["vector_runs"], other["vector_runs"], strict=True):
            assert list(run) == list(same)
            for key in run:  # trades and orders have keys that version 2 did not know
                if key not in ("backtest_metrics", "trades", "orders"):
                    assert repr(run[key]) == repr(same[key]), key
            assert set(run["backtest_metrics"]) < set(same["backtest_metrics"])
