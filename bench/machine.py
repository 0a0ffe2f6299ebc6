"""On what a run was measured: one sentence for the head of its results."""

import os
import platform
import subprocess
from pathlib import Path


def describe() -> str:
    """Commit, system, processor, cores and Python."""
    commit = subprocess.run(
        ["git", "-C", Path(__file__).parent, "rev-parse", "--short", "HEAD"],
        capture_output=True,
        text=True,
    ).stdout.strip()
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(":")[1].strip() for line in lines if "model name" in line), "?")
    return (
        f"Commit {commit or '?'}, {platform.system()} {platform.release()}, {cpu}, "
        f"{os.cpu_count()} cores, Python {platform.python_version()}"
    )
