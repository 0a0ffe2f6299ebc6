"""Writers of ticks."""

from __future__ import annotations

import time as clock
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ._frames import to_arrow
from ._time import to_nanoseconds
from .errors import InvalidArgument

if TYPE_CHECKING:
    from .store import Store
    from .ticks import Contract

_TIME_TEXT = "timestamp"  # the column that may hold times as text


def names_of(types: str | Sequence[str]) -> list[str]:
    return [types] if isinstance(types, str) else list(types)


@dataclass(frozen=True)
class Ack:
    """Where ticks went: `seq_first` to `seq_last` of `writer`, both included. `repeated`: the
    producer had sent them before, and nothing was stored again."""

    writer: int
    seq_first: int
    seq_last: int
    repeated: bool = False

    @property
    def count(self) -> int:
        return self.seq_last - self.seq_first + 1


def _rows(source: Any) -> Any:
    """What the engine takes: anything with `__arrow_c_stream__`, else an Arrow table of it."""
    library = type(source).__module__.partition(".")[0]
    if library != "pandas" and hasattr(source, "__arrow_c_stream__"):
        return source
    if isinstance(source, Mapping) and not any(_is_column(value) for value in source.values()):
        source = [source]
    table = to_arrow(source, "the ticks")
    if "ts" in table.column_names and "timestamp" not in table.column_names:
        table = table.rename_columns(
            ["timestamp" if name == "ts" else name for name in table.column_names]
        )
    import pyarrow
    import pyarrow.types as types

    if _TIME_TEXT not in table.column_names:
        return table
    column = table.column(_TIME_TEXT)
    if not (types.is_string(column.type) or types.is_large_string(column.type)):
        return table
    nanos = [None if at is None else to_nanoseconds(at) for at in column.to_pylist()]
    stamps = pyarrow.array(nanos, pyarrow.timestamp("ns", "UTC"))
    return table.set_column(table.column_names.index(_TIME_TEXT), _TIME_TEXT, stamps)


def _text(line: Any) -> str:
    if isinstance(line, str):
        return line
    if not isinstance(line, bytes):
        raise InvalidArgument(f"a line of JSON is text, not {type(line).__name__}")
    try:
        return line.decode()
    except UnicodeDecodeError as error:
        raise InvalidArgument(f"lines of JSON are UTF-8: {error}") from None


def _is_column(value: Any) -> bool:
    return hasattr(value, "__len__") and not isinstance(value, str | bytes)


class TickWriter:
    """Appends ticks to a log of its own, durably. Thread-safe; use it with `with`, or close it.

    Made by `Ticks.writer`.
    """

    def __init__(self, native: Any, store: Store) -> None:
        self._native = native
        self._store = store

    def append(self, ticks: Any, *, producer_seq: int | None = None) -> Ack:
        """Store ticks; returns when they are as durable as the writer promises.

        ticks: a table or frame of any library, a dict of columns, a dict (one tick), or a list of
          dicts, with columns of a query's answer: `ts_ns` (or `timestamp`), `contract_id` (or
          `symbol`), `tick_type` and the values of that type; the rest may be absent. Without
          `recv_ns` they are stamped now.
        producer_seq: a number that grows with each append of a named producer: the same one again
          stores nothing twice.

        All or nothing. Raises InvalidArgument naming column and row, ResourceExhausted (a full
        queue, log or disk), IoError.
        """
        return Ack(*self._native.append(_rows(ticks), producer_seq))

    def append_json(
        self, lines: str | bytes | Iterable[str | bytes], *, producer_seq: int | None = None
    ) -> Ack:
        """Store ticks that are lines of JSON: one text with many lines, or many texts of a line.

        A line has the keys that `append` has columns, other keys go into `extra`; or it is a
          message of the IB-Stream recorder, version 3 (`ts`, `st`, `cid`, `tt`, …; microseconds)
          or 2 (`{"type": "tick", "timestamp": …, "data": {…}}`), as it is.

        All or nothing. Raises InvalidArgument naming the line, the first being 1; other errors and
        `producer_seq` as `append`.
        """
        if isinstance(lines, str | bytes):
            text = _text(lines)
        else:
            text = "\n".join(_text(line).rstrip("\r\n") for line in lines)
        return Ack(*self._native.append_json(text, producer_seq))

    def event(
        self,
        contract: Contract | None,
        types: str | Sequence[str] | None,
        kind: str,
        reason: str,
        *,
        start: Any = None,
        end: Any = None,
    ) -> None:
        """Tell what is known of the recording: `subscribed`, `unsubscribed`, `disconnected`,
        `connected`, `gap` (with an end), or another kind. None: all contracts, all types. Durable
        when it returns. `Ticks.coverage` makes use of it."""
        contract_id = None if contract is None else self._store.ticks._contract(contract)
        at = clock.time_ns() if start is None else to_nanoseconds(start)
        until = None if end is None else to_nanoseconds(end)
        for one in [None] if types is None else names_of(types):
            self._native.event(kind, contract_id, one, at, until, reason)

    def flush(self) -> None:
        """Everything appended so far is durable when this returns."""
        self._native.flush()

    def seal(self) -> None:
        """End the segment that is being written, so that it can be archived."""
        self._native.seal()

    @property
    def writer(self) -> int:
        """The writer's number: with `seq` it names a tick."""
        return self._native.writer

    @property
    def recovered(self) -> str:
        """What had to be repaired of an unclean end, in words; empty: nothing."""
        return self._native.recovered

    @property
    def archive_error(self) -> str:
        """What the background archiver failed at last; empty: nothing."""
        return self._native.archive_error

    def counts(self) -> dict[str, int]:
        """appended, durable, refused, groups, syncs, bytes, segments."""
        return self._native.counts()

    def close(self) -> None:
        """Flush, seal and end. Closing again is harmless."""
        self._native.close()

    def __enter__(self) -> TickWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
