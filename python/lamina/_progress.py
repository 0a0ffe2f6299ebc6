"""Progress of long work: a bar where a person looks, or a function of the caller's."""

from __future__ import annotations

import sys
from collections.abc import Callable

Progress = Callable[[int, int], None]
"""Called with what is done and the whole, on the thread that started the work."""


def reporter(progress: bool | Progress | None, unit: str) -> tuple[Progress | None, Callable]:
    """The function to call, and one to call at the end.

    None: a bar when stderr is a terminal and tqdm is there. True: a bar. False: nothing.
    """
    if callable(progress):
        return progress, lambda: None
    if progress is False or (progress is None and not sys.stderr.isatty()):
        return None, lambda: None
    try:
        from tqdm.auto import tqdm
    except ImportError:
        if progress:
            raise
        return None, lambda: None
    bar = tqdm(unit=unit)

    def update(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return update, bar.close
