"""Walk-forward windows, and the examples of docs/guide/marketdata.md."""

import itertools
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import lamina

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "marketdata.md"


def test_every_example_of_the_guide_runs(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.S)
    assert len(blocks) >= 7
    names: dict[str, object] = {"folder": tmp_path}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)


def test_windows_move_without_gaps_between_tests() -> None:
    windows = list(
        lamina.walk_forward("2022-01-01", "2022-07-01", train="60d", test="30d", embargo="2d")
    )
    assert [window.index for window in windows] == [0, 1, 2]
    first = windows[0]
    assert first.train_start == datetime(2022, 1, 1, tzinfo=UTC)
    assert first.test_start - first.train_end == timedelta(days=2)
    for one, after in itertools.pairwise(windows):
        assert one.test_end == after.test_start
        assert after.train_start - one.train_start == timedelta(days=30)
    assert windows[-1].test_end <= datetime(2022, 7, 1, tzinfo=UTC)


def test_expanding_and_purged() -> None:
    windows = list(
        lamina.walk_forward(
            "2022-01-01", "2022-07-01", train="60d", test="30d", purge="5d", expanding=True
        )
    )
    assert {window.train_start for window in windows} == {datetime(2022, 1, 1, tzinfo=UTC)}
    assert windows[0].test_start - windows[0].train_end == timedelta(days=5)
    assert windows[1].train_end - windows[0].train_end == timedelta(days=30)


@pytest.mark.parametrize(
    "spans", [{"train": "0s", "test": "1d"}, {"train": "1d", "test": "1d", "purge": "1d"}]
)
def test_spans_must_leave_something(spans: dict[str, str]) -> None:
    with pytest.raises(lamina.InvalidArgument):
        lamina.walk_forward("2022-01-01", "2022-07-01", **spans)
