"""Generated bundles for the scenarios, made once."""

import shutil
import subprocess
import sys
from pathlib import Path


def generated(tools: Path, folder: Path, count: int, *options: str) -> Path:
    """`count` bundles in `folder`, at zstd level 3; made anew when there are not as many."""
    if len(list(folder.glob("*.iafbt"))) != count:
        shutil.rmtree(folder, ignore_errors=True)
        print(f"generating {count} bundles: {folder.name}", file=sys.stderr)
        command = [sys.executable, tools / "gen_bundles.py", folder, "-n", str(count)]
        command += ["--level", "3", "--jobs", "2", *options]
        subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    return folder
