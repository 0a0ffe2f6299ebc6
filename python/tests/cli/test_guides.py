"""The examples of the guides run as they stand."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from command import BINARY

GUIDES = Path(__file__).parents[3] / "docs" / "guide"
BLOCK = re.compile(r"^```(python|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("name", ["stores.md", "python.md", "upkeep.md", "ticks.md"])
def test_examples_of_the_guide(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = BLOCK.findall((GUIDES / name).read_text())
    assert blocks
    for language, text in blocks:
        if language == "python":
            exec(compile(text, name, "exec"), names)
            continue
        for line in text.splitlines():
            program, *arguments = shlex.split(line)
            assert program == "lamina", line
            subprocess.run([BINARY, *arguments], check=True, capture_output=True, timeout=60)
