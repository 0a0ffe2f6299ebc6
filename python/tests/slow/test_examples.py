"""The examples run as they stand, and leave in their store what they say."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import lamina

EXAMPLES = Path(__file__).parents[3] / "examples"
SCRIPTS = {
    "pandas_backtest.py": 9,
    "vectorbt_backtest.py": 1,
    "backtesting_py.py": 1,
    "sweep_processes.py": 12,
    "sweep_ray.py": 8,
}
# Compilers and schedulers of others that do not run under a preloaded sanitizer.
UNSANITIZED = {"vectorbt_backtest.py", "sweep_ray.py"} if os.environ.get("LAMINA_SANITIZER") else {}


def environment() -> dict[str, str]:
    package = str(Path(lamina.__file__).parents[1])
    return os.environ | {
        "PYTHONPATH": package,
        "MPLBACKEND": "agg",
        "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0",
        "RAY_USAGE_STATS_ENABLED": "0",
    }


def test_every_example_is_listed_and_tested():
    names = {path.name for path in EXAMPLES.iterdir() if path.suffix in (".py", ".ipynb")}
    assert names == {*SCRIPTS, "first_steps.ipynb"}
    listed = (EXAMPLES / "README.md").read_text()
    assert all(f"`{name}`" in listed for name in names)


@pytest.mark.parametrize("script", [name for name in SCRIPTS if name not in UNSANITIZED])
def test_script(script, tmp_path):
    root = tmp_path / "store"
    done = subprocess.run(
        [sys.executable, EXAMPLES / script, root],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert done.stdout
    with lamina.open(root, read_only=True) as store:
        assert len(store.backtests) == SCRIPTS[script]
        assert store.verify(deep=True)
        for row in store.backtests.list(columns="handle,validated_disagreements").to_dicts():
            assert row["validated_disagreements"] == 0, row
        curves = store.backtests.series(store.backtests.handles())
        assert curves.num_rows >= 600 * len(store.backtests) - 100


def test_the_notebook(tmp_path, monkeypatch):
    for name, value in environment().items():
        monkeypatch.setenv(name, value)
    path = Path(lamina.__file__).parent / "bin"
    monkeypatch.setenv("PATH", f"{path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    notebook = nbformat.read(EXAMPLES / "first_steps.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)  # committed without outputs
    client = NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path}}
    )
    client.execute()
    shown = [
        output
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "execute_result"
    ]
    assert len(shown) >= 8
    assert any("text/html" in output.data for output in shown)
