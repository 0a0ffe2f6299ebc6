"""Roots with spaces, quotes, what URIs escape, and letters beyond ASCII."""

from command import run, run_json

import lamina

NAMES = ("a store of mine", "börse 価格 📈", 'o\'neil "x" #1 50%41?mode=ro&x=1;')


def document(name: str) -> dict:
    return {
        "format_version": 2,
        "engine_type": "vector",
        "algorithm_id": name,
        "parameters": {"fast": 12},
        "tag": "t",
        "vector_runs": [],
        "vector_metrics": {"sharpe_ratio": 1.5},
    }


def test_every_verb_works_in_roots_with_odd_names(tmp_path):
    for name in NAMES:
        folder = tmp_path / name
        folder.mkdir()
        root, out = folder / "store ü", folder / "out é.iafbt"
        run("init", root)
        with lamina.open(root) as store:
            for number in range(3):
                store.backtests.put(document(str(number)), handle=f"b{number}")
            assert store.sql("SELECT count(*) FROM backtest_index").fetchone() == (3,)
            assert store.sql("SELECT count(*) FROM backtests.runs").fetchone() == (0,)
        with lamina.open(root, read_only=True) as store:
            assert store.sql("SELECT count(*) FROM backtest_index").fetchone() == (3,)
        run("export", "b1", "-o", out, store=root)
        run("pin", "gehörig", store=root)
        run("delete", "b1", store=root)
        run("import", out, store=root)
        assert run_json("compact", store=root)["tables"]
        run("backup", folder / "copy of it", store=root)
        run("restore", folder / "copy of it", folder / "again")
        run("expire", "--older-than", "0s", store=root)
        run("gc", "--grace", "0s", store=root)
        for each in (root, folder / "again"):
            assert run_json("verify", "--deep", store=each)["ok"]
            assert run_json("doctor", store=each)["checks"]
            listed = run_json("list", "--columns", "handle", store=each)
            assert sorted(row["handle"] for row in listed) == ["b0", "b2", "out é"]
