"""`lamina validate` and `show`, and every example of docs/guide/metrics.md."""

import json
import os
import shlex
import subprocess
import tarfile
from pathlib import Path

import pytest
from command import BINARY, error_of, run, run_json

import lamina

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "metrics.md"
OLD_STORE = Path(__file__).parents[1] / "golden" / "store_format_1.tar.xz"
HANDLE = "window168_entry125_size15"


@pytest.fixture
def old_store(tmp_path) -> Path:
    """A store as catalog version 1 left it: two backtests of the demonstration."""
    with tarfile.open(OLD_STORE) as archive:
        archive.extractall(tmp_path / "mystore", filter="data")
    return tmp_path / "mystore"


def blocks(language: str) -> list[str]:
    found, inside = [], False
    for line in GUIDE.read_text().splitlines():
        if line.startswith("```"):
            inside = not inside and line == f"```{language}"
            if inside:
                found.append("")
        elif inside:
            found[-1] += line + "\n"
    return found


def test_a_store_of_an_earlier_version_is_brought_up(old_store):
    listed = run_json("list", "--columns", "handle,sharpe,validated_sharpe", store=old_store)
    assert [row["validated_sharpe"] for row in listed] == [None, None]
    assert all(row["sharpe"] for row in listed)
    assert "not computed yet; `lamina validate`" in run("show", HANDLE, store=old_store).stdout
    assert run_json("show", HANDLE, store=old_store)["summaries"][0]["validated"] is None
    report = run_json("validate", HANDLE, store=old_store)
    assert report == {
        "validated": 1,
        "up_to_date": 0,
        "with_disagreements": 0,
        "disagreements": 0,
    }
    done = run("validate", store=old_store)
    assert done.stdout.startswith("1 backtests validated, 1 up to date; 0 with disagreements")
    assert run_json("validate", store=old_store)["up_to_date"] == 2
    assert run_json("validate", "--again", store=old_store)["validated"] == 2
    assert error_of("validate", "nope", store=old_store)["exit"] == 3


def test_show_has_both_and_names_what_differs(old_store):
    run("validate", store=old_store)
    shown = run_json("show", HANDLE, store=old_store)["summaries"][0]
    ours = shown["validated"]
    assert ours["metrics"]["max_drawdown"] > shown["summary"]["max_drawdown"]
    kinds = {one["metric"]: one["kind"] for one in ours["disagreements"]}
    assert kinds["max_drawdown"] == "definition"
    text = run("show", HANDLE, store=old_store).stdout
    assert "validated (by our definitions" in text
    assert "max_drawdown" in text and "of the mildest window" in text
    assert "disagreements: 0" in text


def test_the_guide(old_store):
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) >= 5
    run("validate", store=old_store)
    for command in commands:
        program, *arguments = shlex.split(command)
        assert program == "lamina"
        done = subprocess.run(
            [BINARY, *arguments], cwd=old_store.parent, capture_output=True, text=True
        )
        assert done.returncode == 0, (command, done.stderr)
        assert done.stdout.strip(), command
    with lamina.open(old_store, read_only=True) as store:
        for condition in "".join(blocks("filter")).splitlines():
            store.backtests.list(where=condition)
    os.chdir(old_store.parent)
    for block in blocks("python"):
        exec(block, names := {})
        names["store"].close()


def test_the_guide_names_every_metric(old_store):
    run("validate", store=old_store)
    text = GUIDE.read_text()
    ours = run_json("show", HANDLE, store=old_store)["summaries"][0]["validated"]
    assert len(ours["metrics"]) == 21
    for name in ours["metrics"]:
        assert f"`{name}`" in text, name
    assert json.dumps(ours)
