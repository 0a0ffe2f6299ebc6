#!/usr/bin/env python3
"""Build the wheel, install it into a fresh environment, use it from a folder outside the tree.

Usage: check_wheel.py [--keep FOLDER]. pyarrow and numpy come from the environment that runs this
script; nothing is downloaded.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

USE = """
import pathlib, sys
import lamina, pyarrow as pa
assert pathlib.Path(lamina.__file__).is_relative_to(sys.argv[1]), lamina.__file__
assert lamina.arrow_version() == pa.cpp_version
assert lamina.Table(pa.table({"x": [1, 2]})).to_arrow()["x"].to_pylist() == [1, 2]
print("import lamina", lamina.__version__)
"""


def run(*command: str | Path, **options) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, **options)
    if done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}")
    return done.stdout


def build(folder: Path) -> Path:
    pip = (sys.executable, "-m", "pip", "wheel", "-q", "--disable-pip-version-check")
    run(*pip, "--no-deps", "--no-build-isolation", "-w", folder, ROOT)
    (wheel,) = folder.glob("lamina-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in ("lamina/_lamina.pyi", "lamina/py.typed", "lamina/bin/lamina"):
        if wanted not in names:
            sys.exit(f"{wheel.name} has no {wanted}: {names}")
    return wheel


def install(wheel: Path, environment: Path) -> Path:
    """Returns the site-packages it went to."""
    run(sys.executable, "-m", "venv", "--without-pip", environment)
    python = environment / "bin" / "python"
    pip = (sys.executable, "-m", "pip", "--python", python, "install", "-q")
    run(*pip, "--disable-pip-version-check", "--no-deps", "--no-index", wheel)
    where = "import sysconfig; print(sysconfig.get_paths()['purelib'])"
    site = Path(run(python, "-c", where).strip())
    for package in ("pyarrow", "numpy", "numpy.libs"):
        source = Path(sysconfig.get_paths()["purelib"]) / package
        if source.exists():
            (site / package).symlink_to(source)
    return site


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", type=Path, help="put the wheel here")
    keep = parser.parse_args().keep
    with tempfile.TemporaryDirectory(prefix="lamina-wheel-") as scratch:
        outside = Path(scratch)
        wheel = build(outside)
        environment = outside / "env"
        site = install(wheel, environment)
        python = environment / "bin" / "python"
        hidden = ("PYTHONPATH", "LD_LIBRARY_PATH", "LD_PRELOAD")
        options = {
            "cwd": outside,
            "env": {key: value for key, value in os.environ.items() if key not in hidden},
        }
        print(run(python, "-c", USE, environment, **options), end="")
        for command in (
            [environment / "bin" / "lamina"],
            [site / "lamina" / "bin" / "lamina"],
            [python, "-m", "lamina"],
        ):
            print(run(*command, "--version", **options), end="")
        if keep:
            keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(wheel, keep)
            print(f"{keep / wheel.name}: {wheel.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
