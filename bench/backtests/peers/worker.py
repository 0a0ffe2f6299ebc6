"""One side of a comparison: a process that is asked for operations and says how long each took."""

import json
import sys
import time
from collections.abc import Callable
from typing import Any


def serve(operations: dict[str, Callable[..., Any]]) -> None:
    """Answer each line of stdin, `[name, argument, …]`, with `{"seconds", "answer"}`.

    An operation returns what is compared; a pair of functions is (work, what to say of it), of
    which only the first is timed.
    """
    out = sys.stdout
    sys.stdout = sys.stderr  # what libraries print is no answer
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        operation = operations[name]
        work, say = operation if isinstance(operation, tuple) else (operation, lambda got: got)
        began = time.perf_counter()
        got = work(*arguments)
        seconds = time.perf_counter() - began
        out.write(json.dumps({"seconds": seconds, "answer": say(got)}) + "\n")
        out.flush()
