#!/usr/bin/env python3
"""Check (or with --fix apply) clang-format to C++ files and ruff to Python files.

Both come from .venv, where their versions are pinned.
"""

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("src", "python", "tools", "tests", "bench", "fuzz")


def files(*suffixes: str) -> list[str]:
    return sorted(
        str(path.relative_to(ROOT))
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.suffix in suffixes and path.is_file()
    )


def run(command: list[str]) -> int:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        print(done.stdout + done.stderr, end="")
    return done.returncode


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fix", action="store_true")
    fix = parser.parse_args().fix
    programs = Path(sys.executable).parent
    cpp = files(".h", ".cc")
    clang_format = [str(programs / "clang-format"), *(["-i"] if fix else ["--dry-run", "-Werror"])]
    groups = [cpp[i :: max(1, os.cpu_count() or 1)] for i in range(os.cpu_count() or 1)]
    commands = [[*clang_format, *group] for group in groups if group]
    ruff, python = str(programs / "ruff"), files(".py")
    if python:
        commands.append([ruff, "check", "-q", *(["--fix"] if fix else []), *python])
        commands.append([ruff, "format", "-q", *([] if fix else ["--diff"]), *python])
    with ThreadPoolExecutor() as pool:
        failed = [code for code in pool.map(run, commands) if code]
    if failed:
        print("not formatted; run: make fmt")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
