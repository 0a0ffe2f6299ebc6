"""Leases on snapshots, shared by the readers of one store."""

from __future__ import annotations

import threading
import weakref
from typing import Any


class Leases:
    """One lease a snapshot, for as long as one of its readers lives. Thread-safe."""

    def __init__(self) -> None:
        self._held: dict[int, tuple[Any, set[int]]] = {}
        self._next = 0
        self._lock = threading.RLock()  # a finalizer may run anywhere

    def hold(self, engine: Any, snapshot: int, reader: object) -> None:
        with self._lock:
            if snapshot not in self._held:
                self._held[snapshot] = (engine.hold_snapshot(snapshot), set())
            self._next += 1
            self._held[snapshot][1].add(self._next)
            weakref.finalize(reader, self._let_go, snapshot, self._next)

    def _let_go(self, snapshot: int, reader: int) -> None:
        with self._lock:
            lease, readers = self._held.get(snapshot, (None, set()))
            readers.discard(reader)
            if lease is None or readers:
                return
            del self._held[snapshot]
        lease.release()

    def close(self) -> None:
        """Give all of them back."""
        with self._lock:
            held, self._held = self._held, {}
        for lease, _ in held.values():
            lease.release()
