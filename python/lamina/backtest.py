"""Backtest and its runs: one backtest of a store, of a bundle, or made from frames."""

from __future__ import annotations

import builtins
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any

from . import _html, _lamina
from .reports import ExportReport
from .summary import BacktestSummary
from .table import Table

if TYPE_CHECKING:
    from .index_row import BacktestIndexRow

StrPath = str | os.PathLike[str]
Names = list[str]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RUN_METRICS = (
    "final_value",
    "total_net_gain_percentage",
    "cagr",
    "sharpe_ratio",
    "max_drawdown",
    "number_of_trades",
    "win_rate",
)


class Backtest:
    """One backtest of a store, a bundle or `from_frames`, read when it is asked for. Immutable;
    thread-safe; pickles (one of a store by the store's root and its handle).
    """

    def __init__(self, store: Any, native: Any, snapshot: int | None) -> None:
        self._store = store  # what it is exported by
        self._native = native
        self._snapshot = snapshot
        self._record = native.record()

    @classmethod
    def from_frames(
        cls,
        *,
        algorithm_id: str,
        snapshots: Any,
        trades: Any = None,
        orders: Any = None,
        positions: Any = None,
        parameters: Mapping[str, Any] | None = None,
        window: Any = None,
        tag: str | None = None,
        initial_capital: float | None = None,
        trading_symbol: str = "USD",
        risk_free_rate: float | None = 0.0,
        engine_type: str | None = "vector",
        strategy_ids: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
    ) -> Backtest:
        """A backtest from the results of any engine; `store.backtests.put` stores it.

        Frames are of pandas, polars or pyarrow, dicts of arrays, lists of dicts, or anything with
        `__arrow_c_stream__`. Column names are compared without case, spaces and underscores, and
        the usual synonyms are known (docs/guide/python.md has the tables). Times without a zone are
        UTC, ints are nanoseconds, texts ISO 8601; stored are whole microseconds.

        snapshots: one row a point in time: `ts` (strictly increasing; a pandas index of times
            serves) and `total_value` (the equity, in `trading_symbol`; a pandas Series of values by
            time serves). Optional: `cash` (unallocated), `cash_flow` (deposits +, withdrawals -,
            since the row before). Other columns become recorded values of the run.
        trades: one row a round trip: `entry_time`, and where known `exit_time` (missing: open),
            `entry_price`, `exit_price`, `size` (>= 0), `side` (long, short), `pnl` (after fees, in
            `trading_symbol`; without it, from prices, size, side and `fees`), `fees`, `symbol`,
            `id`. Other columns go to the trade's metadata.
        orders: `ts`, `symbol`, `side` (buy, sell), `price`, `size`, `fees`, `order_type`, `status`,
            `trade_id` (the trade's `id`: the order stands in it as well).
        positions: what is held at the end: `symbol`, `size`, `cost`.
        window: a name, (start, end) or (name, start, end); by default first to last snapshot. For
            several windows (walk-forward) give the frames a column `window` instead: one run each.
        initial_capital: in `trading_symbol`; by default the first total value of each run.
        risk_free_rate: a fraction a year; None leaves Sharpe and Sortino ratio out.
        engine_type: `vector`, `event` or None.
        parameters, metadata: dicts with text keys; metadata of the backtest as a whole.

        Metrics, series and summary are computed by the definitions of the bundle format (a metric
        that needs what was not given is None), our validated ones when it is stored. Raises
        InvalidArgument naming column and row for what is missing, NaN, negative or out of order.
        """
        from . import from_frames

        return cls.from_document(
            from_frames.document_of(
                algorithm_id=algorithm_id,
                snapshots=snapshots,
                trades=trades,
                orders=orders,
                positions=positions,
                parameters=parameters,
                window=window,
                tag=tag,
                strategy_ids=strategy_ids,
                metadata=metadata,
                common=from_frames.Common(
                    trading_symbol, initial_capital, risk_free_rate, engine_type
                ),
            )
        )

    @classmethod
    def from_document(cls, document: Mapping[str, Any], *, handle: str | None = None) -> Backtest:
        """A backtest from a bundle's document (dict), in no store. `handle` defaults to the
        algorithm id. Raises InvalidArgument, Corruption for what is no document."""
        from . import stores

        version, encoded, name = stores.encode(document, handle)
        return _loose(version, encoded, name)

    def __reduce__(self) -> tuple[Any, ...]:
        if isinstance(self._store, NoStore):
            encoded = self._native.document_bytes()
            return _loose, (self.bundle_version, encoded, self.handle)
        if self._snapshot is not None:
            return _again, (self._store, self.handle, self._snapshot)
        return _again, (self._store, self.handle)

    @property
    def handle(self) -> str:
        """Its name in the store; the algorithm id when it is in none."""
        return self._record["handle"]

    @property
    def algorithm_id(self) -> str | None:
        return self._record["algorithm_id"]

    @property
    def tag(self) -> str | None:
        """The tag in the bundle."""
        return self._record["tag"]

    @property
    def bundle_version(self) -> int:
        """The version of the bundle that it came in."""
        return self._record["bundle_version"]

    @property
    def document_sha256(self) -> str:
        return self._record["document_sha256"]

    @property
    def imported_at(self) -> datetime:
        return _EPOCH + timedelta(microseconds=self._record["imported_at_us"])

    @property
    def warnings(self) -> Names:
        """Oddities of the bundle that were tolerated."""
        return self._record["warnings"]

    @cached_property
    def index_rows(self) -> builtins.list[dict[str, Any]]:
        """Its rows of the rank table: one for each engine, study and universe."""
        return self._native.index_rows()

    @property
    def _pooled(self) -> dict[str, Any]:
        """The row over all universes of the first engine and study."""
        pooled = [row for row in self.index_rows if not row["universe_key"]]
        return (pooled or self.index_rows or [{}])[0]

    @property
    def engine_type(self) -> str | None:
        return self._pooled.get("engine_type") or None

    @property
    def parameters(self) -> dict[str, Any]:
        """The strategy's parameters."""
        return json.loads(self._pooled.get("parameters_json") or "{}")

    @property
    def metadata(self) -> dict[str, Any]:
        return json.loads(self._pooled.get("extras_json") or "{}")

    @property
    def strategy_ids(self) -> Names:
        return json.loads(self._pooled.get("strategy_ids_json") or "[]")

    @property
    def studies(self) -> Names:
        """Names of the studies, each once."""
        return list(dict.fromkeys(run.study for run in self.runs))

    @property
    def summary(self) -> BacktestSummary:
        """The summary metrics, pooled over universes, of the first engine and study."""
        return BacktestSummary.from_dict(self._pooled)

    def scalar_summary(self) -> BacktestSummary:
        """The same as `summary`."""
        return self.summary

    def index_row(self, bundle_path: str | None = None) -> BacktestIndexRow:
        """Identity, configuration and summary, pooled over universes, of the first engine and
        study, as a value; `index_rows` has them all. `bundle_path` defaults to the handle."""
        from .index_row import BacktestIndexRow

        named = {"bundle_path": bundle_path or self.handle}
        if not self.index_rows:
            return BacktestIndexRow(algorithm_id=self.algorithm_id, tag=self.tag, **named)
        pooled = self._pooled
        return BacktestIndexRow._from_native(pooled | named | {"has_summary": _has_summary(pooled)})

    @property
    def vector_metrics(self) -> BacktestSummary | None:
        """The summary of the vector engine, None without one; see `summary`."""
        return self._metrics_of("vector")

    @property
    def event_metrics(self) -> BacktestSummary | None:
        """The summary of the event engine, None without one."""
        return self._metrics_of("event")

    def _metrics_of(self, engine: str) -> BacktestSummary | None:
        rows = [row for row in self.index_rows if row["engine_type"] == engine]
        pooled = [row for row in rows if not row["universe_key"]] or rows
        if not pooled or not _has_summary(pooled[0]):
            return None
        return BacktestSummary.from_dict(pooled[0])

    @cached_property
    def runs(self) -> builtins.list[BacktestRun]:
        """Its runs in the order of the bundle."""
        return [BacktestRun(self, facts) for facts in self._native.runs()]

    @property
    def vector_runs(self) -> builtins.list[BacktestRun]:
        """The runs of the vector engine."""
        return [run for run in self.runs if run.engine == "vector"]

    @property
    def event_runs(self) -> builtins.list[BacktestRun]:
        """The runs of the event engine."""
        return [run for run in self.runs if run.engine == "event"]

    @cached_property
    def ohlcv(self) -> Prices:
        """The price frames that the backtest names, by key (`BTC/EUR:1h`), read when asked for."""
        named = self.document().get("ohlcv")
        return Prices(self._native, (named or {}).get("manifest") or {})

    def snapshots(self) -> Table:
        """Portfolio snapshots of all runs."""
        return self._rows("portfolio_snapshots")

    def trades(self) -> Table:
        return self._rows("trades")

    def orders(self) -> Table:
        return self._rows("orders")

    def positions(self) -> Table:
        return self._rows("positions")

    def document(self) -> dict[str, Any]:
        """Exactly the bundle's document, put together again and checked against its hash."""
        return self._native.document()

    def export(
        self, path: StrPath, *, format_version: int | None = None, level: int | None = None
    ) -> ExportReport:
        """Write it as a bundle; see `Backtests.export`."""
        return self._store.export(
            self.handle,
            path,
            format_version=format_version,
            level=level,
            snapshot=self._snapshot,
        )

    def _rows(self, table: str, run_ids: Sequence[str] = ()) -> Table:
        return Table(self._native.rows(table, list(run_ids)))

    def __repr__(self) -> str:
        return f"<lamina.Backtest {self.handle!r}: {len(self.runs)} runs>"

    def _repr_html_(self) -> str:
        shown = (
            ("algorithm", self.algorithm_id),
            ("tag", self.tag),
            ("engine", self.engine_type),
            ("parameters", json.dumps(self.parameters) if self.parameters else None),
            ("runs", len(self.runs)),
        )
        return _html.facts(f"Backtest {self.handle}", shown) + self.summary._repr_html_()


def _has_summary(row: Mapping[str, Any]) -> bool:
    names = BacktestSummary().to_dict()
    return any(row[f"summary_{name}"] is not None for name in names)


class Prices(Mapping[str, Table]):
    """Price frames by key, each read when it is asked for. Immutable; thread-safe.

    A key that the backtest does not name raises KeyError, one whose file is not there NotFound
    (a KeyError, too), one whose bytes are not what their name says Corruption.
    """

    def __init__(self, native: Any, manifest: Mapping[str, str]) -> None:
        self._native = native
        self._manifest = dict(manifest)

    def __getitem__(self, key: str) -> Table:
        import pyarrow
        import pyarrow.parquet

        content = self._native.price_file(key, self._manifest[key])
        return Table(pyarrow.parquet.read_table(pyarrow.BufferReader(content)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._manifest)

    def __len__(self) -> int:
        return len(self._manifest)

    def __repr__(self) -> str:
        return f"<lamina.Prices: {', '.join(self._manifest) or 'none'}>"


class BacktestRun:
    """One run: one engine over one window. Immutable; thread-safe."""

    def __init__(self, backtest: Backtest, facts: dict[str, Any]) -> None:
        self._backtest = backtest
        self._facts = facts

    @property
    def run_id(self) -> str:
        """UUID; equal for identical runs of different backtests."""
        return self._facts["run_id"]

    @property
    def engine(self) -> str:
        return self._facts["engine"]

    @property
    def study(self) -> str:
        return self._facts["study"]

    @cached_property
    def _row(self) -> dict[str, Any]:
        return self._backtest._rows("runs", [self.run_id]).to_dicts()[0]

    @property
    def window(self) -> str | None:
        return self._row["window_name"]

    @property
    def start(self) -> datetime | None:
        return self._row["start_ts"]

    @property
    def end(self) -> datetime | None:
        return self._row["end_ts"]

    @property
    def metrics(self) -> dict[str, float]:
        """The scalar metrics that the run recorded."""
        names = list(self._row)
        first = names.index("created_at") + 1  # metrics are the columns after the facts
        return {name: self._row[name] for name in names[first:] if self._row[name] is not None}

    @property
    def snapshot_count(self) -> int:
        return self._facts["snapshots"]

    def snapshots(self) -> Table:
        """Portfolio snapshots in the order of the bundle."""
        return self._backtest._rows("portfolio_snapshots", [self.run_id])

    def trades(self) -> Table:
        return self._backtest._rows("trades", [self.run_id])

    def orders(self) -> Table:
        return self._backtest._rows("orders", [self.run_id])

    def positions(self) -> Table:
        return self._backtest._rows("positions", [self.run_id])

    def equity_curve(self) -> Table:
        """Total value over time: columns ts, value."""
        return self.series("equity_curve")

    def series(self, name: str) -> Table:
        """One metric series: columns ts, value. Raises InvalidArgument for an unknown name."""
        return Table(self._backtest._native.series(self.run_id, name))

    def __repr__(self) -> str:
        return f"<lamina.BacktestRun {self.run_id} {self.engine} {self.study}>"

    def _repr_html_(self) -> str:
        metrics = self.metrics
        shown = [
            ("window", self.window),
            ("start", self.start),
            ("end", self.end),
            ("engine", self.engine),
            ("study", self.study),
            ("snapshots", self.snapshot_count),
            *((name, metrics.get(name)) for name in _RUN_METRICS),
        ]
        return _html.facts(f"Run {self.run_id}", shown)


class NoStore:
    """Exports a backtest that is in no store."""

    def __init__(self, native: Any) -> None:
        self._native = native

    def export(
        self,
        handle: str,
        path: StrPath,
        *,
        format_version: int | None = None,
        level: int | None = None,
        snapshot: int | None = None,
    ) -> ExportReport:
        del handle, snapshot
        return ExportReport(**self._native.export_bundle(path, format_version, level))


def _loose(version: int, encoded: bytes, handle: str) -> Backtest:
    native = _lamina.document_backtest(version, encoded, handle)
    return Backtest(NoStore(native), native, None)


def _again(store: Any, handle: str, snapshot: int | None = None) -> Backtest:
    return store.get(handle) if snapshot is None else store.get(handle, snapshot=snapshot)


def write_bundle(
    document: Mapping[str, Any],
    path: StrPath,
    *,
    format_version: int | None = None,
    level: int = 19,
) -> ExportReport:
    """Write a document (dict) as a bundle file, atomically: of its own version unless
    `format_version` (1, 2, 5) says another, zstd `level` 1 to 22. See `Backtests.export`."""
    backtest = Backtest.from_document(document)
    return backtest.export(path, format_version=format_version, level=level)
