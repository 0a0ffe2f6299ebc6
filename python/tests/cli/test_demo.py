"""`lamina demo`: a sweep simulated, stored, ranked and one bundle out again."""

import bundles
from command import run, run_json


def test_demo_makes_a_store_that_answers(tmp_path):
    root = tmp_path / "demo store"
    first = run("demo", root)
    assert "The ten best by Sharpe ratio" in first.stdout and "Now try" in first.stdout
    ranked = run_json("rank", "--by", "sharpe_ratio", store=root)
    assert len(ranked) == 10 and ranked[0]["handle"] in first.stdout
    assert len(run_json("list", "--columns", "handle", store=root)) == 240
    exported = bundles.document(root / "best.iafbt")
    assert exported["vector_metrics"]["sharpe_ratio"] == ranked[0]["sharpe_ratio"]
    assert [len(run["portfolio_snapshots"]) for run in exported["vector_runs"]] == [1441] * 3
    assert run_json("verify", "--deep", store=root)["ok"]
    again = run_json("demo", root)
    assert (again["imported"], again["unchanged"]) == (0, 240)
