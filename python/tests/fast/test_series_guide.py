"""The examples of docs/guide/series.md run."""

import re
from pathlib import Path

GUIDE = Path(__file__).parents[3] / "docs" / "guide" / "series.md"


def test_every_example_of_the_guide_runs():
    blocks = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.S)
    assert len(blocks) >= 8
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, str(GUIDE), "exec"), names)
