"""Start the compiled command that lies next to this package."""

import os
import sys
from importlib.resources import files


def main() -> None:
    binary = str(files("lamina") / "bin" / "lamina")
    os.execv(binary, [binary, *sys.argv[1:]])
