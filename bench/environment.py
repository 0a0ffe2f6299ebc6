"""Packages from PyPI that only a comparison needs, each in an environment of its own."""

import shutil
import subprocess
import sys
from pathlib import Path


def python_with(folder: Path, *packages: str) -> Path:
    """The Python of an environment in `folder` that has `packages`; made when it is not there."""
    python = folder / "bin" / "python"
    if not python.exists():
        print(f"installing {', '.join(packages)} from PyPI", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        pip = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
        try:
            subprocess.run([*pip, *packages], check=True)
        except subprocess.CalledProcessError:
            shutil.rmtree(folder)
            raise
    return python
