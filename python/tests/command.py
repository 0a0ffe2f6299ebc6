"""Run the `lamina` command of this build, as a user would."""

import json
import os
import subprocess
from pathlib import Path

BUILD = Path(os.environ.get("LAMINA_BUILD_DIR") or Path(__file__).parents[2] / "build" / "dev")
BINARY = BUILD / "bin" / "lamina"


def run(*arguments, store=None, check=True, timeout=300, **options) -> subprocess.CompletedProcess:
    """Run it; with `check`, fail the test on any exit code but 0."""
    command = [str(BINARY), *(["--store", str(store)] if store else []), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, **options)
    if check:
        assert done.returncode == 0, (
            f"{command}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
    return done


def run_json(*arguments, store=None, check=True, **options):
    """The JSON document that the command prints."""
    done = run("--json", *arguments, store=store, check=check, **options)
    return json.loads(done.stdout)


def error_of(*arguments, store=None) -> dict:
    """The JSON error of a command that must fail, with its exit code."""
    done = run("--json", *arguments, store=store, check=False)
    assert done.returncode != 0, done.stdout
    return {**json.loads(done.stderr.splitlines()[-1]), "exit": done.returncode}
