"""Merging: an explicit call, over both kinds of stores."""

import copy

import pytest

import lamina

KINDS = {"local-dir": lamina.LocalDirStore, "local-tiered": lamina.LocalTieredStore}


@pytest.fixture(params=sorted(KINDS))
def any_store(request, tmp_path):
    return KINDS[request.param](tmp_path / "store")


def pieces(document: dict) -> list[dict]:
    """One document for each run, its blobs under the names that it has alone."""
    made = []
    for i, run in enumerate(document["vector_runs"]):
        one = copy.deepcopy(
            {k: v for k, v in document.items() if k not in ("vector_runs", "blobs")}
        )
        blobs = {
            name.replace(f"runs/{i}/", "runs/0/"): blob
            for name, blob in document["blobs"].items()
            if name.startswith(f"runs/{i}/")
        }
        alone = copy.deepcopy(run)
        for value in alone["backtest_metrics"].values():
            if isinstance(value, dict) and "@blob" in value:
                value["@blob"] = value["@blob"].replace(f"runs/{i}/", "runs/0/")
        made.append({**one, "vector_runs": [alone], "blobs": blobs})
    return made


@pytest.mark.shared
def test_windows_come_together_again(any_store, shared):
    golden = shared / "data" / "bundles" / "golden" / "v2_8.10.0" / "windows3_full.iafbt"
    whole = lamina.read_bundle(golden)
    first, *rest = pieces(whole)
    any_store.put(first, handle="a/b")
    report = any_store.merge("a/b", rest)
    assert (report.runs_added, report.runs_replaced, report.unchanged) == (2, 0, False)
    assert report.warnings == ()
    merged = any_store.get("a/b").document()
    summary = merged.pop("vector_metrics")
    recorded = whole.pop("vector_metrics")
    assert merged == whole
    assert list(summary) == list(recorded)
    # Gross profit and loss of a run are not recorded: what needs them is made of the rest.
    for name in set(recorded) - {"profit_factor", "average_loss"}:
        assert summary[name] == pytest.approx(recorded[name], rel=1e-12, nan_ok=True), name
    assert any_store.merge("a/b", any_store.get("a/b")).unchanged
    assert any_store.merge("a/b", golden).runs_unchanged == 3


@pytest.mark.shared
def test_a_known_window_is_a_conflict_unless_replaced(any_store, shared):
    golden = shared / "data" / "bundles" / "golden" / "v2_8.10.0" / "windows3_full.iafbt"
    first, second, _ = pieces(lamina.read_bundle(golden))
    any_store.put(first, handle="a")
    other = copy.deepcopy(first)
    other["vector_runs"][0]["backtest_metrics"]["total_net_gain"] = 12345.0
    with pytest.raises(lamina.Conflict, match="replace windows"):
        any_store.merge("a", [second, other])
    assert any_store.get("a").document() == first  # all or nothing
    report = any_store.merge("a", [second, other], replace_windows=True)
    assert (report.runs_added, report.runs_replaced) == (1, 1)
    assert any_store.get("a").summary.total_net_gain == pytest.approx(
        12345.0 + second["vector_runs"][0]["backtest_metrics"]["total_net_gain"]
    )


@pytest.mark.shared
def test_what_does_not_go_together(any_store, shared):
    golden = shared / "data" / "bundles" / "golden"
    any_store.import_(golden / "v2_8.10.0" / "windows3_full.iafbt")
    before = any_store.get("windows3_full").document()
    with pytest.raises(lamina.InvalidArgument, match="algorithms differ"):
        any_store.merge("windows3_full", golden / "v2_8.10.0" / "one_run.iafbt")
    with pytest.raises(lamina.NotFound):
        any_store.merge("nothing", golden / "v2_8.10.0" / "one_run.iafbt")
    with pytest.raises(lamina.NotFound):
        any_store.merge("windows3_full", golden / "none.iafbt")
    assert any_store.get("windows3_full").document() == before


@pytest.mark.shared
def test_prices_of_both_stay(any_store, shared, tmp_path):
    golden = shared / "data" / "bundles" / "golden" / "v2_8.10.0"
    any_store.import_(golden / "ohlcv_a.iafbt")
    mine = lamina.read_bundle(golden / "ohlcv_a.iafbt")
    theirs = lamina.LocalDirStore(golden, create=False).get("ohlcv_b")
    assert theirs.document()["ohlcv"]["manifest"] != mine["ohlcv"]["manifest"]
    changed = {**theirs.document(), "algorithm_id": mine["algorithm_id"]}
    bundle = lamina.LocalDirStore(tmp_path / "prices")
    bundle.import_(golden / "ohlcv_b.iafbt")
    bundle.put(changed, handle="ohlcv_b", replace=True)
    any_store.merge("ohlcv_a", bundle.path_of("ohlcv_b"), replace_windows=True)
    manifest = any_store.get("ohlcv_a").document()["ohlcv"]["manifest"]
    assert manifest == mine["ohlcv"]["manifest"] | changed["ohlcv"]["manifest"]
    out = tmp_path / "out" / "both.iafbt"
    out.parent.mkdir()
    any_store.export("ohlcv_a", out)
    there = {path.name for path in out.parent.rglob("*.parquet")}
    assert there == set(manifest.values())


def test_both_kinds_list_and_rank(any_store):
    for name, sharpe in (("low", 0.5), ("high", 2.0)):
        document = {
            "format_version": 2,
            "engine_type": "vector",
            "algorithm_id": name,
            "vector_runs": [],
            "vector_metrics": {"sharpe_ratio": sharpe},
        }
        any_store.put(document, handle=name)
    listed = any_store.list(sort="sharpe_ratio", limit=1, where="sharpe > 0").to_dicts()
    ranked = any_store.rank("sharpe_ratio", descending=False).to_dicts()
    assert [row["algorithm_id"] for row in listed] == ["high"]
    assert [row["algorithm_id"] for row in ranked] == ["low", "high"]
    assert any_store.get(listed[0]["handle"]).algorithm_id == "high"
    assert isinstance(any_store, lamina.BacktestStore)
