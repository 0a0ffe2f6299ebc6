"""`%load_ext lamina` and the magic, in a real IPython shell."""

import pytest
from IPython.core.interactiveshell import InteractiveShell

import lamina


@pytest.fixture
def shell(tmp_path, monkeypatch):
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.delenv("LAMINA_STORE", raising=False)
    shell = InteractiveShell()
    shell.run_line_magic("load_ext", "lamina")
    yield shell
    shell.run_line_magic("unload_ext", "lamina")
    shell.history_manager.end_session()


@pytest.fixture
def root(tmp_path):
    days = [f"2024-01-{day:02}" for day in range(1, 21)]
    with lamina.open(tmp_path / "my store", create=True) as store:
        for i in range(4):
            values = [100 * (1 + 0.01 * i) ** n + n % 3 for n in range(20)]
            store.backtests.put(
                lamina.Backtest.from_frames(
                    algorithm_id=f"a{i}", snapshots={"ts": days, "total_value": values}, tag="t"
                )
            )
    return store.root


def handles(table):
    assert isinstance(table, lamina.Table)
    return [row["handle"] for row in table.to_dicts()]


def test_the_commands(shell, root):
    shell.user_ns["store"] = lamina.open(root, read_only=True)
    line = shell.run_line_magic
    assert handles(line("lamina", "list --sort cagr --asc")) == ["a0", "a1", "a2", "a3"]
    assert handles(line("lamina", "rank --by cagr -n 2")) == ["a3", "a2"]
    assert handles(line("lamina", "list --where \"algorithm_id = 'a1'\" --columns handle")) == [
        "a1"
    ]
    assert line("lamina", "sql SELECT count(*) AS n FROM backtests.runs").to_dicts() == [{"n": 4}]
    cell = shell.run_cell_magic
    query = "SELECT handle FROM backtest_index\nWHERE algorithm_id = 'a2'"
    assert handles(cell("lamina", "sql", query)) == ["a2"]
    assert handles(cell("lamina", "list --sort cagr", "algorithm_id <> 'a3'")) == ["a2", "a1", "a0"]
    result = shell.run_cell("top = %lamina rank --by cagr -n 1")
    assert result.success
    assert handles(shell.user_ns["top"]) == ["a3"]
    shell.user_ns["store"].close()


def test_which_store(shell, root, monkeypatch):
    line = shell.run_line_magic
    with pytest.raises(lamina.InvalidArgument, match="no store"):
        line("lamina", "list")
    monkeypatch.setenv("LAMINA_STORE", str(root))
    assert len(line("lamina", "list")) == 4
    monkeypatch.delenv("LAMINA_STORE")
    chosen = line("lamina", f'store "{root}"')
    assert isinstance(chosen, lamina.Store) and chosen.read_only
    assert len(line("lamina", "list")) == 4
    shell.user_ns["mine"] = lamina.open(root)
    assert line("lamina", "store mine") is shell.user_ns["mine"]
    assert len(line("lamina", "sql --store mine SELECT * FROM backtests.runs")) == 4
    assert len(line("lamina", "rank --by cagr --store mine")) == 4
    with pytest.raises(lamina.NotFound):
        line("lamina", "list --store nowhere")
    shell.user_ns["mine"].close()


def test_help_and_mistakes(shell, root, capsys):
    assert shell.run_line_magic("lamina", "") is None
    assert "%lamina rank" in capsys.readouterr().out
    shell.user_ns["store"] = lamina.open(root, read_only=True)
    for mistake, message in [
        ("dance", "no command 'dance'"),
        ("list --sorted x y", "unrecognized"),
        ("list -n many", "invalid int"),
        ("list --where 'x", "No closing quotation"),
        ("sql", "no query"),
        ("rank --by sharp_ratio", "sharpe_ratio"),
    ]:
        with pytest.raises(lamina.InvalidArgument, match=message):
            shell.run_line_magic("lamina", mistake)
    shell.user_ns["store"].close()
