"""The examples of the guides in docs/guide that are Python sessions."""

import doctest
from pathlib import Path

GUIDES = Path(__file__).parents[3] / "docs" / "guide"


def test_calendars(tmp_path):
    found = doctest.testfile(
        str(GUIDES / "calendars.md"),
        module_relative=False,
        globs={"folder": tmp_path},
        optionflags=doctest.NORMALIZE_WHITESPACE,
        encoding="utf-8",
    )
    assert found.attempted > 20
    assert found.failed == 0
