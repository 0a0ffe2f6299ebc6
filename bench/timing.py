"""How benchmarks time one piece of work."""

import time


def best_of(times: int, work):
    """Seconds of the fastest run, and its answer."""
    best, answer = float("inf"), None
    for _ in range(times):
        began = time.perf_counter()
        answer = work()
        best = min(best, time.perf_counter() - began)
    return best, answer
