"""The soak of ticks, a minute of it (`make soak-ticks`: twenty)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import lamina

SOAK = Path(__file__).parents[3] / "tests" / "crash" / "soak_ticks.py"


def test_a_minute_of_soak():
    path = os.pathsep.join(
        [str(Path(lamina.__file__).parents[1]), os.environ.get("PYTHONPATH", "")]
    )
    done = subprocess.run(
        [sys.executable, SOAK, "--seconds", "60"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    counts = json.loads(done.stdout)
    assert counts["ticks acknowledged"] > 10_000
    assert counts["ticks there"] >= counts["ticks acknowledged"]
