"""Bars of a store: save, load, make from finer bars and from ticks."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from . import matrices, quality, series
from ._time import AsOf
from .datasets import Names, SaveReport, check_range, rows_of
from .errors import InvalidArgument, NotFound
from .matrices import Matrix
from .quality import BarQuality
from .registry import Edge
from .table import Table

if TYPE_CHECKING:
    from .calendar import Calendar
    from .store import Store


class MadeBars(Table):
    """Bars that were made and saved. `report`: the SaveReport; `edges`: what was made from what."""

    __slots__ = ("edges", "report")

    def __init__(self, source: Any, report: SaveReport, edges: Iterable[Any]) -> None:
        super().__init__(source)
        self.report = report
        self.edges = [Edge(*edge) for edge in edges]


class Bars:
    """OHLCV bars by instrument and timeframe. Thread-safe."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def save(
        self,
        frame: Any,
        instrument: str | int | None = None,
        *,
        timeframe: str = "1h",
        dataset: str = "ohlcv",
        mode: str = "merge",
        complete: bool | None = None,
        fetch_run_id: int | None = None,
        replace: tuple[Any, Any] | None = None,
        assume_utc: bool = False,
    ) -> SaveReport:
        """Save bars: timestamp (start of the bar), open, high, low, close, and if known volume,
        complete, fetch_run_id. Without `instrument` the frame has a column of that name. The
        dataset is made when it is not there. See `Datasets.save` for modes and errors."""
        engine = self._store._engine
        constants: dict[str, Any] = {}
        rows = rows_of(frame, "bars")
        if instrument == "" or not timeframe or "/" in timeframe:
            raise InvalidArgument(
                f"instrument {instrument!r}, timeframe {timeframe!r}: neither can be empty, and a "
                "timeframe has no slash"
            )
        if "timeframe" not in rows.column_names:
            constants["timeframe"] = timeframe
        if instrument is not None:
            constants["instrument"] = self._symbol(instrument)
        if complete is not None:
            constants["complete"] = complete
        if fetch_run_id is not None:
            constants["fetch_run_id"] = fetch_run_id
        choice: dict[str, Any] = {"mode": mode, "replace": replace, "assume_utc": assume_utc}
        try:
            return self._store.datasets.save(dataset, rows, constants=constants, **choice)
        except NotFound:  # the first bars
            engine.dataset_create_predefined("ohlcv", dataset, 0, None, [], True)
        return self._store.datasets.save(dataset, rows, constants=constants, **choice)

    def load(
        self,
        instrument: Names = None,
        start: Any = None,
        end: Any = None,
        *,
        timeframe: str | None = None,
        columns: Sequence[str] | None = None,
        dataset: str = "ohlcv",
        snapshot: AsOf = None,
        by_time: bool = False,
    ) -> Table:
        """Bars with `start <= timestamp < end` of one instrument, several, or all (None), sorted
        by instrument, timeframe and time (`by_time`: by time first). Of an instrument without bars
        there, known or not, an empty table with the columns."""
        where: dict[str, Any] = {}
        if instrument is not None:
            names = [instrument] if isinstance(instrument, str | int) else list(instrument)
            where["instrument"] = [self._symbol(name) for name in names]
        if timeframe is not None:
            where["timeframe"] = timeframe
        return self._store.datasets.load(
            dataset,
            start,
            end,
            where=where,
            columns=columns,
            snapshot=snapshot,
            by_time=by_time,
        )

    def delete(
        self,
        instrument: str | int,
        start: Any = None,
        end: Any = None,
        *,
        timeframe: str | None = None,
        dataset: str = "ohlcv",
    ) -> int:
        """Delete bars; returns how many there were."""
        where = {"instrument": self._symbol(instrument)}
        if timeframe is not None:
            where["timeframe"] = timeframe
        return self._store.datasets.delete(dataset, start, end, where=where).removed

    def resample(
        self,
        source: Any,
        rule: str,
        *,
        session: str | None = None,
        calendar: str | Calendar | None = None,
        zone: str | None = None,
        label: str = "left",
        start: Any = None,
        end: Any = None,
        timeframe: str | None = None,
        dataset: str = "ohlcv",
        into: str | None = None,
        snapshot: AsOf = None,
    ) -> Table:
        """Coarser bars of stored ones, saved under `rule` as their timeframe.

        source: an instrument, several, or None: all. Their bars of `timeframe` (the finest there
          is) in [start, end) are made into bars of `rule`, a rule of the clock (`4h`, `1d`, `1w`,
          `1month`) that their timeframe divides, and merged into dataset `into` (the same one)
          with an edge of lineage to what was read, in one commit. A frame or table is not stored:
          its bars are made and returned, nothing is saved.
        session, calendar, zone, label: as in `lamina.resample`; a session without calendar is of
          the instruments'.

        RETURNS a MadeBars: instrument, timeframe, timestamp (UTC), open, high, low, close, volume
        (sum; NULL when none is known), vwap, n_ticks, complete: False for a bar whose stretch is
        not covered by complete bars, as is the last one that is still open.
        RAISES NotFound (an instrument without bars), InvalidArgument (rule, session), Conflict.
        """
        if source is not None and not _is_names(source):
            given = rows_of(source, "bars")
            by = [one for one in ("instrument",) if one in given.column_names]
            return series.resample(
                given, rule, kind="bars", by=by, calendar=calendar, session=session, zone=zone,
                label=label,  # type: ignore[arg-type]
            )  # fmt: skip
        first, after = check_range(start, end)
        names = [source] if isinstance(source, str | int) else list(source or ())
        return self._made(
            self._store._engine.bars_resample(
                {
                    "dataset": dataset,
                    "instruments": [self._symbol(name) for name in names],
                    "timeframe": timeframe or "",
                    "start": first,
                    "end": after,
                    "snapshot": self._store._snapshot_id(snapshot),
                    "into": into or "",
                    **_shape(rule, session, calendar, zone, label),
                }
            )
        )

    def from_ticks(
        self,
        contract_id: str | int,
        rule: str,
        start: Any,
        end: Any = None,
        *,
        tick_type: str = "last",
        session: str | None = None,
        calendar: str | Calendar | None = None,
        zone: str | None = None,
        label: str = "left",
        dataset: str | None = None,
    ) -> MadeBars:
        """Bars of the store's ticks of [start, end), saved under the contract's symbol (its id when
        it is no instrument) and `rule` as timeframe.

        What is still in logs is archived first, so that the edge of lineage names a snapshot that
        has all that was read. end: None: now. dataset: by default `ohlcv` for trades, and one for
        each other type (`ohlcv_bid_ask`: bars of the mid, without volume). It is made when it is
        not there; columns it lacks (vwap, n_ticks, …) are returned and not saved. Whole volumes
        are kept as such; for fractions name a dataset whose volume is float64.

        RETURNS a MadeBars, columns as `resample`; for bid_ask also bid_close, ask_close,
        spread_mean. A bar that [start, end) cuts is not complete.
        RAISES NotFound (contract, no ticks in the range), InvalidArgument (rule, session, a volume
        that would be changed), Conflict.
        """
        first, after = check_range(start, end)
        return self._made(
            self._store._engine.bars_from_ticks(
                {
                    "contract": self._store.ticks._contract(contract_id),
                    "tick_type": tick_type,
                    "start": first,
                    "end": after,
                    "into": dataset or "",
                    **_shape(rule, session, calendar, zone, label),
                }
            )
        )

    def _made(self, made: tuple[Any, Mapping[str, Any], list[Any]]) -> MadeBars:
        rows, report, edges = made
        return MadeBars(rows, SaveReport(report), edges)

    def matrix(
        self,
        instruments: Names = None,
        start: Any = None,
        end: Any = None,
        **choice: Any,
    ) -> Matrix:
        """Bars as numbers by time, instrument and feature, joined by time; see
        `lamina.matrices.of_bars`."""
        return matrices.of_bars(self._store, instruments, start, end, **choice)

    def matrices(
        self,
        instruments: Names = None,
        start: Any = None,
        end: Any = None,
        *,
        span: str | dt.timedelta = "30d",
        **choice: Any,
    ) -> Iterator[Matrix]:
        """The same piece by piece, each of a span of time, in the memory of one; see
        `lamina.matrices.chunks_of_bars`."""
        return matrices.chunks_of_bars(self._store, instruments, start, end, span=span, **choice)

    def quality(self, instruments: Names = None, **choice: Any) -> list[BarQuality]:
        """What cannot be true, what is absent and why; see `lamina.quality.check_bars`."""
        return quality.check_bars(self._store, instruments, **choice)

    def alignment(self, instruments: Names = None, **choice: Any) -> dict[str, Any]:
        """How series line up in time; see `lamina.quality.align_bars`."""
        return quality.align_bars(self._store, instruments, **choice)

    def _symbol(self, name: str | int) -> str:
        if isinstance(name, str):
            return name
        try:
            return self._store.instruments.get(name).symbol
        except NotFound:  # bars of its ticks are kept under the id
            return str(name)


def _is_names(source: Any) -> bool:
    if isinstance(source, str | int):
        return True
    return isinstance(source, list | tuple | set) and all(
        isinstance(one, str | int) for one in source
    )


def _shape(
    rule: str, session: str | None, calendar: str | Calendar | None, zone: str | None, label: str
) -> dict[str, Any]:
    if not isinstance(rule, str):
        raise InvalidArgument(f"{rule!r} is no rule of bars: a text such as `1h`")
    return {
        "rule": rule,
        "session": session or "",
        "calendar": series._calendar(calendar),
        "zone": zone or "",
        "label": label,
    }
