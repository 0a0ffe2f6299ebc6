"""Ticks: record, query, follow and keep market ticks."""

from __future__ import annotations

import datetime as dt
import getpass
import hashlib
import json
import os
import time as clock
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

from . import series
from ._time import AsOf, from_day_number, from_nanoseconds, to_day_number, to_nanoseconds
from .calendar import Calendar
from .errors import InvalidArgument, NotFound
from .table import Table
from .tick_writer import Ack, TickWriter, names_of

if TYPE_CHECKING:
    import pandas

    from .store import Store

#: A contract: its id, or the symbol of an instrument (`AAPL`, `AAPL@XNAS`).
Contract = int | str

_FIRST_WAIT, _LONGEST_WAIT = 0.001, 0.02  # seconds between looks of a tail


class TickTable(Table):
    """Rows of a query of ticks.

    `truncated` and `next_cursor` are those of a query with a limit; `tail_cursor` is where
    `Ticks.tail` goes on without gap or repetition; `facts` says what the query touched.
    """

    __slots__ = ("facts",)

    def __init__(self, source: Any, facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(source)
        self.facts = dict(facts or {})

    @property
    def truncated(self) -> bool:
        return bool(self.facts.get("truncated", False))

    @property
    def next_cursor(self) -> str | None:
        return self.facts.get("next_cursor") or None

    @property
    def tail_cursor(self) -> str | None:
        return self.facts.get("tail_cursor") or None

    def to_pandas(self) -> pandas.DataFrame:
        """As a pandas frame, with `timestamp` (datetime64[ns, UTC]) in front where there is
        `ts_ns`."""
        frame = super().to_pandas()
        if "ts_ns" in frame.columns and "timestamp" not in frame.columns:
            import pandas

            frame.insert(0, "timestamp", pandas.to_datetime(frame["ts_ns"], utc=True))
        return frame


class TickTail:
    """Ticks as they become durable, each once; an iterator of tables that never ends by itself.

    `cursor` stands behind the last table: `Ticks.tail(…, from_seq=tail.cursor)` goes on there.
    """

    def __init__(self, native: Any, wait: float | None) -> None:
        self._native = native
        self._wait = wait

    @property
    def cursor(self) -> str:
        return self._native.cursor

    def poll(self) -> TickTable:
        """What has come since; without rows when there is nothing. Does not wait."""
        return TickTable(self._native.poll())

    def __iter__(self) -> TickTail:
        return self

    def __next__(self) -> TickTable:
        pause, until = _FIRST_WAIT, None if self._wait is None else clock.monotonic() + self._wait
        while True:
            rows = self.poll()
            if rows.num_rows:
                return rows
            if until is not None and clock.monotonic() >= until:
                raise StopIteration
            clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_WAIT)


class Ticks:
    """The ticks of a store. `store.ticks`.

    Ranges are half-open, `[start, end)`; times are datetimes, ISO 8601 text or int nanoseconds, UTC
    when they name no zone. tick_types: `last`, `all_last`, `bid_ask`, `mid_point`.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def _contract(self, contract: Contract) -> int:
        if isinstance(contract, str):
            return self._store._engine.contract_of(contract)
        if isinstance(contract, bool) or not hasattr(contract, "__index__"):
            raise InvalidArgument(f"{contract!r} is no contract: an id or a symbol")
        return contract.__index__()

    def _contracts(self, contracts: Contract | Sequence[Contract]) -> list[int]:
        if isinstance(contracts, str) or not isinstance(contracts, Sequence):
            return [self._contract(contracts)]  # type: ignore[arg-type]
        return [self._contract(contract) for contract in contracts]

    def _given(
        self,
        contracts: Contract | Sequence[Contract],
        tick_types: str | Sequence[str],
        start: Any,
        end: Any,
        *,
        resolution: str | None = None,
        session: str | None = None,
        calendar: str | Calendar | None = None,
        zone: str | None = None,
        snapshot: AsOf = None,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        label: str = "left",
        fill: str | None = None,
    ) -> dict[str, Any]:
        return {
            "contracts": self._contracts(contracts),
            "types": names_of(tick_types),
            "start_ns": to_nanoseconds(start),
            "end_ns": None if end is None else to_nanoseconds(end),
            "resolution": resolution or "",
            "calendar": series._calendar(calendar),
            "session": session or "",
            "zone": zone or "",
            "snapshot": self._store._snapshot_id(snapshot),
            "columns": None if columns is None else list(columns),
            "limit": limit,
            "cursor": cursor or "",
            "label": label,
            "fill": fill or "",
        }

    # ---- writing ---------------------------------------------------------------------------------

    def writer(
        self,
        *,
        durability: Literal["fsync", "os", "memory"] | None = None,
        source: str | None = None,
        producer: str | None = None,
        archive: bool = True,
        buffer_minutes: int | None = None,
    ) -> TickWriter:
        """Open a log and write to it.

        durability: what an acknowledgement stands for: `fsync`: stable storage (what `[ticks]`
          says by default), `os`: survives a kill of the process, `memory`: nothing.
        source: into `source` of ticks that name none. producer: a name under which `producer_seq`
          of `append` is known, also by later writers.
        archive: move what is sealed into the archive, in the background.
        buffer_minutes: so much of what it appends stays in memory; None: what `[ticks]` says.
        """
        native = self._store._engine.ticks_writer(
            durability, source or "", producer or "", archive, buffer_minutes
        )
        return TickWriter(native, self._store)

    def append(self, ticks: Any) -> Ack:
        """Store ticks with a writer of their own; see `TickWriter.append`. For many appends open a
        `writer`."""
        with self.writer(archive=False) as writer:
            return writer.append(ticks)

    def ingest(
        self,
        path: str | os.PathLike[str],
        *,
        format: Literal["jsonl", "csv"] = "jsonl",
        source: str | None = None,
        once: bool = False,
    ) -> dict[str, Any]:
        """Store the lines of a file, as `lamina ticks ingest` does: of JSON (`append_json` says
        which) or of CSV below a header. Lines that are no ticks are told, the rest is stored.

        once: a file with the same bytes is stored once, also when an earlier call was cut short.
        Returns accepted, rejected (dicts of line and message, the first 1,000), rejected_count,
        durable_seq. Raises NotFound, ResourceExhausted, IoError.
        """
        if format not in ("jsonl", "csv"):
            raise InvalidArgument(f"unknown format {format!r}: known are jsonl, csv")
        producer = "file:" + _digest(path) if once else ""
        return json.loads(
            self._store._engine.ticks_ingest(
                os.fspath(path), format == "jsonl", source or "", producer
            )
        )

    # ---- reading ---------------------------------------------------------------------------------

    def query(
        self,
        contract_id: Contract | Sequence[Contract],
        tick_types: str | Sequence[str],
        start: Any,
        end: Any = None,
        *,
        resolution: str | None = None,
        session: str | None = None,
        calendar: str | Calendar | None = None,
        zone: str | None = None,
        snapshot: AsOf = None,
        columns: Sequence[str] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
        label: Literal["left", "right"] = "left",
        fill: Literal["none", "previous", "null"] | None = None,
    ) -> TickTable:
        """Ticks of [start, end), each once, in the order (ts_ns, recv_ns, writer, seq), all types
        interleaved, whether they are archived or still in a log. No end: now.

        resolution: `None` or `tick`: the ticks. `1s`, `5m`, `1h`, `1d`, …: bars of each contract
          and type, with columns timestamp (begin of the bar), contract_id, tick_type, open, high,
          low, close, volume, vwap, n_ticks; with quotes also bid_close, ask_close, spread_mean.
          Bars of quotes are of the mid; they and mid_point have no volume and no VWAP. Bars begin
          at multiples since 1970 UTC, or with a session at its open. Empty bars are absent unless
          `fill` says otherwise. Rules and order of sums: `lamina.resample`.
        session, calendar, zone: only ticks within those sessions; without calendar that of the
          contract's instrument.
        snapshot: the archive as of a lake snapshot (a number, a pin, a time), without the logs.
        columns: only these.
        limit, cursor: so many rows at most; `next_cursor` of the answer, given as cursor with the
          same query, goes on behind them.

        An answer without rows has all its columns. Raises InvalidArgument (start after end, unknown
        names), NotFound (symbol, snapshot), Corruption.
        """
        given = self._given(
            contract_id,
            tick_types,
            start,
            end,
            resolution=resolution,
            session=session,
            calendar=calendar,
            zone=zone,
            snapshot=snapshot,
            columns=columns,
            limit=limit,
            cursor=cursor,
            label=label,
            fill=fill,
        )
        return TickTable(*self._store._engine.ticks_query(given))

    def stream(
        self,
        contract_ids: Contract | Sequence[Contract],
        tick_types: str | Sequence[str],
        start: Any,
        end: Any = None,
        *,
        batch_rows: int = 65_536,
        session: str | None = None,
        calendar: str | Calendar | None = None,
        zone: str | None = None,
        snapshot: AsOf = None,
        columns: Sequence[str] | None = None,
    ) -> Iterator[TickTable]:
        """The rows of `query`, of many contracts in global time order, batch by batch in bounded
        memory: a span of any length. Arguments and errors as `query`."""
        given = self._given(
            contract_ids,
            tick_types,
            start,
            end,
            session=session,
            calendar=calendar,
            zone=zone,
            snapshot=snapshot,
            columns=columns,
        )
        stream = self._store._engine.ticks_stream(given, batch_rows)

        def batches() -> Iterator[TickTable]:
            while (rows := stream.next()) is not None:
                yield TickTable(rows)

        return batches()

    def replay(
        self,
        contract_ids: Contract | Sequence[Contract],
        tick_types: str | Sequence[str],
        start: Any,
        end: Any = None,
        *,
        speed: float | None = None,
        step: float = 0.05,
        sleep: Callable[[float], object] = clock.sleep,
        **options: Any,
    ) -> Iterator[TickTable]:
        """`stream` at the pace of the market: the ticks come as far apart as they did, `speed`
        times as fast; None: without waiting. Tables hold what is due within `step` seconds of
        waiting. Raises InvalidArgument for a speed that is not above 0."""
        stream = self.stream(contract_ids, tick_types, start, end, **options)
        if speed is None:
            return stream
        if not 0 < speed < float("inf"):
            raise InvalidArgument(f"a speed of {speed!r}: it must be above 0")
        return _paced(stream, speed, step, sleep)

    def tail(
        self,
        contract_id: Contract | Sequence[Contract],
        tick_types: str | Sequence[str],
        *,
        from_seq: str | int | None = None,
        wait: float | None = None,
        columns: Sequence[str] | None = None,
    ) -> TickTail:
        """Follow the logs of all writers, of other processes too: an iterator of tables of ticks
        that became durable, each once; those of one table are in the one order.

        from_seq: a `cursor` of a tail, or the `tail_cursor` of a query (what it did not see comes
          next); None: from now on; 0: all that is stored first.
        wait: end when nothing came for so many seconds; None: never.
        """
        if isinstance(from_seq, int) and from_seq != 0:
            raise InvalidArgument("from_seq is a cursor, 0 (all) or None (from now on)")
        cursor = "start" if from_seq == 0 else (from_seq or "")
        native = self._store._engine.ticks_tail(
            self._contracts(contract_id),
            names_of(tick_types),
            cursor,
            None if columns is None else list(columns),
        )
        return TickTail(native, wait)

    def asof(
        self, left: Any, right: Any, *, tolerance: Any = None, by: str | None = "contract_id"
    ) -> Table:
        """To each row of `left` the last row of `right` at or before it: `lamina.asof` by contract
        and in the tick order."""
        return series.asof(left, right, by=by, tolerance=tolerance)

    def warm(
        self,
        contract_ids: Contract | Sequence[Contract],
        tick_types: str | Sequence[str],
        start: Any,
        end: Any,
        *,
        resolution: str | None = None,
    ) -> int:
        """Put the answers to these queries, one for each contract, into the cache. Returns how many
        are kept (those without ticks that are still in a log)."""
        return self._store._engine.ticks_warm(
            [
                self._given(contract, tick_types, start, end, resolution=resolution)
                for contract in self._contracts(contract_ids)
            ]
        )

    def cache(self) -> dict[str, int]:
        """hits, misses, entries, bytes of the cache of answers."""
        return self._store._engine.ticks_cache()

    # ---- what is there ---------------------------------------------------------------------------

    def coverage(
        self,
        contract_id: Contract,
        tick_type: str,
        start: Any,
        end: Any = None,
        *,
        calendar: str | Calendar | None = None,
    ) -> Table:
        """What is known of every span: start, end (timestamps, UTC), state (`present`,
        `known_empty`, `market_closed`, `gap`, `unknown`), reason. Spans touch and cover
        [start, end). The calendar is that of the contract's instrument unless given."""
        import pyarrow

        until = clock.time_ns() if end is None else to_nanoseconds(end)
        spans = self._store._engine.ticks_coverage(
            self._contract(contract_id),
            tick_type,
            to_nanoseconds(start),
            until,
            series._calendar(calendar),
        )
        stamp = pyarrow.timestamp("ns", "UTC")
        return Table(
            pyarrow.table(
                {
                    "start": pyarrow.array([span[0] for span in spans], stamp),
                    "end": pyarrow.array([span[1] for span in spans], stamp),
                    "state": pyarrow.array([span[2] for span in spans], pyarrow.string()),
                    "reason": pyarrow.array([span[3] or None for span in spans], pyarrow.string()),
                }
            )
        )

    def statistics(
        self, contract_id: Contract | None = None, date: dt.date | str | None = None
    ) -> Table:
        """Of archived ticks, a row for each contract, type and UTC day: contract_id, tick_type,
        date, total_ticks, unique_prices, total_volume, vwap, high_price, low_price, first_ns,
        last_ns. Of all contracts and days unless given."""
        import pyarrow

        contract = None if contract_id is None else self._contract(contract_id)
        day = None if date is None else to_day_number(date)
        rows = self._store._engine.ticks_statistics(contract, day, day)
        whole, number = pyarrow.int64(), pyarrow.float64()
        schema = {
            "contract_id": whole,
            "tick_type": pyarrow.string(),
            "date": pyarrow.date32(),
            "total_ticks": whole,
            "unique_prices": whole,
            "total_volume": number,
            "vwap": number,
            "high_price": number,
            "low_price": number,
            "first_ns": whole,
            "last_ns": whole,
        }
        for row in rows:
            row["date"] = from_day_number(row.pop("day"))
        return Table(pyarrow.Table.from_pylist(rows, pyarrow.schema(list(schema.items()))))

    def storage(self) -> dict[str, Any]:
        """What the ticks take. Returns logs, open_logs (of living writers), log_segments,
        log_bytes, waiting_ticks (durable, not archived yet), contracts, archive_files,
        archive_ticks, archive_bytes, json_bytes (the same ticks as JSON lines of recorders),
        compression_ratio (JSON by archive), bytes_per_tick, damaged_groups, damaged_bytes,
        archived_at (a datetime, None: never)."""
        report = self._store._engine.ticks_storage()
        if report["archived_at"] is not None:
            report["archived_at"] = from_nanoseconds(report["archived_at"] * 1000)
        return report

    # ---- upkeep ----------------------------------------------------------------------------------

    def archive(self) -> dict[str, int]:
        """Archive everything that is durable by now, of all writers, dead ones too. Returns ticks,
        files, bytes, commits, damaged_groups, damaged_bytes, snapshot."""
        return self._store._engine.ticks_archive(True)

    def retention(self, dry_run: bool = True) -> dict[str, Any]:
        """Let go what the policy of `[ticks]` says is due: archived segments of logs, old days of
        the archive. By default only tell. Returns segments, segment_bytes, waiting_segments, files,
        ticks, file_bytes, paths, snapshot, dry_run."""
        return self._store._engine.ticks_retention(dry_run)

    def void(
        self,
        contract_id: Contract,
        tick_type: str | None,
        start: Any,
        end: Any,
        *,
        reason: str,
        below: float | None = None,
        above: float | None = None,
        author: str | None = None,
        dry_run: bool = False,
    ) -> dict[str, Any]:
        """Take bad prints of [start, end) out, with a reason; older snapshots keep them.

        tick_type: None means all. below, above: only prints with a price below or above. Returns
        void_id, ticks, snapshot, dry_run. Raises NotFound when no tick matches."""
        return self._store._engine.ticks_void(
            self._contract(contract_id),
            tick_type,
            to_nanoseconds(start),
            to_nanoseconds(end),
            below,
            above,
            reason,
            getpass.getuser() if author is None else author,
            dry_run,
        )

    def voids(self) -> list[dict[str, Any]]:
        """What was taken out, and why."""
        rows = self._store._engine.ticks_voids()
        for row in rows:
            row["start"] = from_nanoseconds(row.pop("begin_ns"))
            row["end"] = from_nanoseconds(row.pop("end_ns"))
        return rows

    def unvoid(self, void_id: int, *, reason: str) -> dict[str, int]:
        """Put back what a void took out. Raises NotFound, Conflict."""
        ticks, snapshot = self._store._engine.ticks_unvoid(void_id, reason)
        return {"ticks": ticks, "snapshot": snapshot}

    def __repr__(self) -> str:
        return f"<lamina.Ticks of {self._store.root}>"


def _digest(path: str | os.PathLike[str]) -> str:
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise NotFound(f"there is no file {os.fspath(path)}") from None


def _paced(
    stream: Iterator[TickTable], speed: float, step: float, sleep: Callable[[float], object]
) -> Iterator[TickTable]:
    import numpy

    first: int | None = None
    began = 0.0
    for batch in stream:
        table = batch.to_arrow()
        if "ts_ns" not in table.column_names:
            raise InvalidArgument("a replay needs the column ts_ns")
        stamps = table.column("ts_ns").to_numpy()
        row = 0
        while row < len(stamps):
            if first is None:
                first, began = int(stamps[0]), clock.monotonic()
            due = began + (int(stamps[row]) - first) / 1e9 / speed
            ahead = due - clock.monotonic()
            if ahead > 0:
                sleep(ahead)
            horizon = int(stamps[row]) + int(step * speed * 1e9)
            end = max(row + 1, int(numpy.searchsorted(stamps, horizon, side="right")))
            yield TickTable(table.slice(row, end - row))
            row = end
