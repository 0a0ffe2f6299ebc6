"""Backtests from the results of any engine; see `Backtest.from_frames`."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from . import _lamina
from ._frames import Frame, is_missing, iso, plain
from ._time import to_nanoseconds
from .errors import InvalidArgument

_PORTFOLIO = "portfolio"
_ENGINES = {
    "vector": ("vector_runs", "vector_metrics"),
    "event": ("event_runs", "event_metrics"),
    None: ("backtest_runs", "backtest_summary"),
}

# The first name is ours, the others are what engines call it.
_TS = ("ts", "timestamp", "time", "datetime", "date", "created_at", "index")
_TOTAL_VALUE = ("total_value", "equity", "value", "portfolio_value", "net_liquidation", "balance")
_WINDOW = ("window", "window_name")
_SNAPSHOT_NUMBERS = {
    "pending_value": ("pending_value",),
    "unallocated": ("unallocated", "cash"),
    "total_net_gain": ("total_net_gain",),
    "total_revenue": ("total_revenue",),
    "total_cost": ("total_cost",),
    "cash_flow": ("cash_flow", "deposits", "flow"),
    "net_size": ("net_size",),
}
_TRADE_ID = ("id", "trade_id", "exit_trade_id")
_SYMBOL = ("symbol", "target_symbol", "ticker", "asset", "instrument", "column")
_ENTRY_TIME = (
    "entry_time",
    "opened_at",
    "entry_timestamp",
    "entry_date",
    "entry_ts",
    "open_time",
)
_EXIT_TIME = ("exit_time", "closed_at", "exit_timestamp", "exit_date", "exit_ts", "close_time")
_ENTRY_PRICE = ("entry_price", "open_price", "avg_entry_price")
_EXIT_PRICE = ("exit_price", "close_price", "avg_exit_price")
_LAST_PRICE = ("last_price", "last_reported_price", "mark_price")
_SIZE = ("size", "amount", "quantity", "qty", "shares")
_PNL = ("pnl", "net_gain", "profit", "net_pnl")
_FEES = ("fees", "fee", "commission", "total_fees")
_ENTRY_FEES, _EXIT_FEES = ("entry_fees",), ("exit_fees",)
_SIDE = ("side", "direction", "position_side")
_STATUS = ("status",)


@dataclass(frozen=True)
class Common:
    """What every run of the backtest has alike."""

    trading_symbol: str
    initial_capital: float | int | None
    risk_free_rate: float | None
    engine_type: str | None


def document_of(
    *,
    algorithm_id: str,
    snapshots: Any,
    trades: Any,
    orders: Any,
    positions: Any,
    parameters: Mapping[str, Any] | None,
    window: Any,
    tag: str | None,
    strategy_ids: Sequence[str],
    metadata: Mapping[str, Any] | None,
    common: Common,
) -> dict[str, Any]:
    """The document of a version 2 bundle."""
    if not isinstance(algorithm_id, str) or not algorithm_id:
        raise InvalidArgument(f"algorithm_id is {algorithm_id!r}; it is a text that is not empty")
    if common.engine_type not in _ENGINES:
        raise InvalidArgument(f"engine_type is {common.engine_type!r}: vector, event or None")
    rate = common.risk_free_rate
    if rate is not None and not math.isfinite(rate):
        raise InvalidArgument(f"risk_free_rate is {rate!r}: a fraction a year, or None")
    windows = _windows(Frame(snapshots, "snapshots"), window)
    names = [one.name for one in windows]
    trade_rows = _trades(trades, names, common.trading_symbol) if trades is not None else None
    order_rows = _orders(orders, names, common.trading_symbol) if orders is not None else {}
    position_rows = _positions(positions, names) if positions is not None else {}
    for one in windows:
        one.trades = trade_rows[one.name] if trade_rows is not None else None
        one.orders = order_rows.get(one.name, [])
        one.positions = position_rows.get(one.name, [])
        one.attach_orders()
    computed = _lamina.run_metrics([one.facts(common) for one in windows])
    runs = [one.run(place, computed, common) for place, one in enumerate(windows)]
    runs_key, summary_key = _ENGINES[common.engine_type]
    document: dict[str, Any] = {
        "format_version": 2,
        "engine_type": common.engine_type,
        "algorithm_id": algorithm_id,
        "metadata": plain(dict(metadata or {}), "metadata"),
        "risk_free_rate": common.risk_free_rate,
        "strategy_ids": [str(one) for one in strategy_ids],
        "parameters": plain(dict(parameters or {}), "parameters"),
        "tag": tag,
        "backtest_permutation_tests": None,
        runs_key: runs,
        summary_key: computed["summary"],
    }
    if computed["blobs"]:
        document["blobs"] = computed["blobs"]
    return document


@dataclass
class _Trade:
    record: dict[str, Any]  # as the document has it
    opened: int
    closed: int | None
    gain: float | None  # realised; marked when the trade is open
    amount: float | None
    price: float | None
    cost: float | None


class _Window:
    """One run: its snapshots and what happened meanwhile."""

    def __init__(self, name: str | None, start: int, end: int) -> None:
        self.name, self.start, self.end = name, start, end
        self.times: list[int] = []
        self.values: list[float] = []
        self.columns: dict[str, list[float]] = {}  # of _SNAPSHOT_NUMBERS
        self.recorded: dict[str, list[Any]] = {}
        self.trades: list[_Trade] | None = None
        self.orders: list[dict[str, Any]] = []
        self.positions: list[dict[str, Any]] = []

    def attach_orders(self) -> None:
        """Orders with a `trade_id` stand in their trade too."""
        by_trade: dict[str, list[dict[str, Any]]] = {}
        for order in self.orders:
            trade = order.pop("trade_id")
            if trade is not None:
                by_trade.setdefault(trade, []).append(order)
        for trade in self.trades or ():
            trade.record["orders"] = by_trade.pop(str(trade.record["id"]), [])
        if by_trade:
            raise InvalidArgument(
                f"orders name trade_id {next(iter(by_trade))!r}, which is no id of trades"
            )

    def facts(self, common: Common) -> dict[str, Any]:
        """What the engine computes the metrics from."""
        import pyarrow

        stamps = pyarrow.timestamp("us", "UTC")
        equity = {
            "ts": pyarrow.array(self.times, stamps),
            "total_value": pyarrow.array(self.values, pyarrow.float64()),
            "cash_flow": pyarrow.array(self.columns["cash_flow"], pyarrow.float64()),
        }
        trades = self.trades
        table = None
        if trades is not None:
            # An open trade counts by its marked gain alone.
            doubles = {
                "amount": [0.0] * len(trades),
                "open_price": [0.0] * len(trades),
                "last_price": [0.0] * len(trades),
                "cost": [trade.cost for trade in trades],
                "net_gain": [trade.gain for trade in trades],
            }
            times = {
                "opened_at": [trade.opened for trade in trades],
                "closed_at": [trade.closed for trade in trades],
            }
            table = pyarrow.table(
                {name: pyarrow.array(column, stamps) for name, column in times.items()}
                | {
                    name: pyarrow.array(column, pyarrow.float64())
                    for name, column in doubles.items()
                }
            )
        known = trades or []
        return {
            "start": self.start,
            "end": self.end,
            "window": self.name,
            "trading_symbol": common.trading_symbol,
            "initial": float(self._initial(common)),
            "risk_free_rate": common.risk_free_rate,
            "equity": pyarrow.table(equity),
            "trades": table,
            "gains": all(one.gain is not None for one in known if one.closed is not None),
            "marks": all(one.gain is not None for one in known if one.closed is None),
            "costs": all(one.cost for one in known),
        }

    def _initial(self, common: Common) -> float | int:
        return self.values[0] if common.initial_capital is None else common.initial_capital

    def run(self, place: int, computed: dict[str, Any], common: Common) -> dict[str, Any]:
        """The run map, keys in the order of the format."""
        metrics = computed["metrics"][place]
        trades = self.trades or []
        for name in ("best_trade", "worst_trade"):
            row = computed[name][place]
            metrics[name] = trades[row].record if row is not None else None
        closed = sum(trade.closed is not None for trade in trades)
        symbols = {one.record["target_symbol"] for one in trades}
        symbols |= {one["target_symbol"] for one in self.orders}
        symbols |= {one["symbol"] for one in self.positions}
        return {
            "backtest_metrics": metrics,
            "backtest_start_date": iso(self.start),
            "backtest_date_range_name": self.name,
            "backtest_end_date": iso(self.end),
            "trading_symbol": common.trading_symbol,
            "initial_unallocated": self._initial(common),
            "number_of_runs": 1,
            "portfolio_snapshots": self._snapshots(common.trading_symbol),
            "trades": [trade.record for trade in trades],
            "orders": self.orders,
            "positions": self.positions,
            "created_at": iso(self.end),  # not the time of day: same input, same document
            "symbols": sorted(one for one in symbols if one),
            "number_of_days": computed["days"][place],
            "number_of_trades": len(trades),
            "number_of_trades_closed": closed,
            "number_of_trades_open": len(trades) - closed,
            "number_of_orders": len(self.orders),
            "number_of_positions": len(self.positions),
            "metadata": {},
            "signals": {},
            "signal_events": [],
            "recorded_values": {
                name: [
                    {"datetime": iso(at), "value": value}
                    for at, value in zip(self.times, values, strict=True)
                ]
                for name, values in self.recorded.items()
            },
        }

    def _snapshots(self, currency: str) -> list[dict[str, Any]]:
        columns = self.columns
        return [
            {
                "metadata": {},
                "portfolio_id": _PORTFOLIO,
                "trading_symbol": currency,
                "pending_value": columns["pending_value"][row],
                "unallocated": columns["unallocated"][row],
                "total_net_gain": columns["total_net_gain"][row],
                "total_revenue": columns["total_revenue"][row],
                "total_cost": columns["total_cost"][row],
                "cash_flow": columns["cash_flow"][row],
                "net_size": columns["net_size"][row],
                "created_at": iso(at),
                "total_value": self.values[row],
            }
            for row, at in enumerate(self.times)
        ]


def _windows(frame: Frame, window: Any) -> list[_Window]:
    """The runs in the order in which they come."""
    ts_name, ts_column = frame.require(_TS)
    value_name, value_column = frame.require(_TOTAL_VALUE)
    times = frame.times(ts_name, ts_column)
    values = _finite(frame, value_name, frame.numbers(value_name, value_column))
    labels: list[str | None] = [None] * frame.rows
    split = frame.take(_WINDOW)
    if split is not None:
        if window is not None:
            raise InvalidArgument("snapshots have a column 'window': leave the argument out")
        labels = frame.texts(*split)
    columns = {name: _optional(frame, names) for name, names in _SNAPSHOT_NUMBERS.items()}
    rest = {name: column.to_pylist() for name, column in frame.rest().items()}
    name, start, end = _window_of(window)
    found: dict[str | None, _Window] = {}
    for row, label in enumerate(labels):
        at = times[row]
        if at is None:
            raise frame.fail(ts_name, row, "is missing")
        if split is not None and label is None:
            raise frame.fail(split[0], row, "is missing")
        one = found.get(label)
        if one is None:
            one = _Window(name if split is None else label, at, at)
            one.columns = {column: [] for column in _SNAPSHOT_NUMBERS}
            one.recorded = {column: [] for column in rest}
            found[label] = one
        elif at <= one.times[-1]:
            what = "the same time as" if at == one.times[-1] else "before"
            raise frame.fail(ts_name, row, f"{iso(at)} is {what} the row before it; sort the times")
        one.times.append(at)
        one.values.append(values[row])
        one.end = at
        for column, numbers in columns.items():
            one.columns[column].append(numbers[row] if numbers is not None else 0.0)
        for column, extra in rest.items():
            one.recorded[column].append(plain(extra[row], f"snapshots.{column}[{row}]"))
    if not found:
        raise InvalidArgument("snapshots have no rows; a backtest needs at least two")
    for one in found.values():
        if len(one.times) < 2:
            raise InvalidArgument(
                f"snapshots{f' of window {one.name!r}' if one.name else ''} have one row; a "
                "return needs two"
            )
        one.start = start if start is not None else one.start
        one.end = end if end is not None else one.end
        if one.start > one.end:
            raise InvalidArgument(f"the window ends {iso(one.end)}, before it starts")
    return list(found.values())


def _window_of(window: Any) -> tuple[str | None, int | None, int | None]:
    """Name, start and end of `window=`: a name, (start, end) or (name, start, end)."""
    if window is None or isinstance(window, str):
        return window, None, None
    if isinstance(window, Sequence) and len(window) in (2, 3):
        name = window[0] if len(window) == 3 else None
        start, end = (_instant(at) for at in window[-2:])
        return name, start, end
    raise InvalidArgument("window is a name, (start, end) or (name, start, end)")


def _instant(at: Any) -> int:
    if isinstance(at, dt.date) and not isinstance(at, dt.datetime):
        at = dt.datetime(at.year, at.month, at.day)
    return to_nanoseconds(at) // 1000


def _finite(frame: Frame, name: str, values: list[float | None]) -> list[float]:
    for row, value in enumerate(values):
        if value is None:
            raise frame.fail(name, row, "is missing")
        if not math.isfinite(value):
            raise frame.fail(name, row, f"is {'NaN' if math.isnan(value) else value}")
    return values  # type: ignore[return-value]


def _optional(frame: Frame, names: Sequence[str]) -> list[float] | None:
    """A column of snapshots; what is missing is zero, as the format has it."""
    found = frame.take(names)
    if found is None:
        return None
    values = [0.0 if is_missing(value) else value for value in frame.numbers(*found)]
    return _finite(frame, found[0], values)


def _numbers(frame: Frame, names: Sequence[str], positive: bool = False) -> list[float | None]:
    """A column where a number may be missing (NaN is missing), and never infinite."""
    found = frame.take(names)
    if found is None:
        return [None] * frame.rows
    values = [None if is_missing(value) else value for value in frame.numbers(*found)]
    for row, value in enumerate(values):
        if value is None:
            continue
        if math.isinf(value):
            raise frame.fail(found[0], row, f"is {value}")
        if positive and value < 0:
            raise frame.fail(
                found[0], row, f"is {value}: it is not negative here; column 'side' says short"
            )
    return values


def _texts(frame: Frame, names: Sequence[str]) -> list[str | None]:
    found = frame.take(names)
    return [None] * frame.rows if found is None else frame.texts(*found)


def _times(frame: Frame, names: Sequence[str]) -> list[int | None]:
    found = frame.take(names)
    return [None] * frame.rows if found is None else frame.times(*found)


def _labels(frame: Frame, windows: list[str | None]) -> list[str | None]:
    """The window of each row."""
    found = frame.take(_WINDOW)
    if found is None:
        if len(windows) > 1:
            raise InvalidArgument(
                f"{frame.what} has no column 'window', and snapshots have several windows"
            )
        return windows * frame.rows
    labels = frame.texts(*found)
    for row, label in enumerate(labels):
        if label not in windows:
            raise frame.fail(found[0], row, f"snapshots have no window {label!r}")
    return labels


def _extras(frame: Frame) -> list[dict[str, Any]]:
    """What no meaning is known for, by row; kept in the record's metadata."""
    rest = {name: column.to_pylist() for name, column in frame.rest().items()}
    return [
        {
            name: plain(values[row], f"{frame.what}.{name}[{row}]")
            for name, values in rest.items()
            if not is_missing(values[row])
        }
        for row in range(frame.rows)
    ]


def _is_short(frame: Frame, names: Sequence[str]) -> list[bool]:
    found = frame.take(names)
    if found is None:
        return [False] * frame.rows
    shorts = []
    for row, value in enumerate(frame.texts(*found)):
        word = (value or "long").strip().lower()
        if word not in ("long", "short", "buy", "sell", "1", "-1"):
            raise frame.fail(found[0], row, f"is {value!r}: long or short")
        shorts.append(word in ("short", "sell", "-1"))
    return shorts


def _trades(
    source: Any, windows: list[str | None], currency: str
) -> dict[str | None, list[_Trade]]:
    frame = Frame(source, "trades")
    if frame.rows == 0:
        return {name: [] for name in windows}
    entry_name, entry_column = frame.require(_ENTRY_TIME)
    opened = frame.times(entry_name, entry_column)
    closed = _times(frame, _EXIT_TIME)
    status = _texts(frame, _STATUS)
    ids, symbols = frame.take(_TRADE_ID), _texts(frame, _SYMBOL)
    sizes = _numbers(frame, _SIZE, positive=True)
    entry_prices = _numbers(frame, _ENTRY_PRICE, positive=True)
    exit_prices = _numbers(frame, _EXIT_PRICE, positive=True)
    last_prices = _numbers(frame, _LAST_PRICE, positive=True)
    gains, fees = _numbers(frame, _PNL), _fees(frame)
    shorts, labels = _is_short(frame, _SIDE), _labels(frame, windows)
    extras = _extras(frame)
    by_window: dict[str | None, list[_Trade]] = {name: [] for name in windows}
    names = ids[1].to_pylist() if ids else [str(row + 1) for row in range(frame.rows)]
    some_gain = any(gain is not None for gain in gains)
    for row in range(frame.rows):
        start, end = opened[row], closed[row]
        if start is None:
            raise frame.fail(entry_name, row, "is missing")
        if status[row] is not None and status[row].lower() == "open":
            end = None
        if end is not None and end < start:
            raise frame.fail(entry_name, row, f"opened {iso(start)}, after it closed {iso(end)}")
        size, price = sizes[row], entry_prices[row]
        last = exit_prices[row] if exit_prices[row] is not None else last_prices[row]
        gain = gains[row]
        if gain is None and not (size is None or price is None or last is None):
            sign = -1 if shorts[row] else 1
            gain = sign * size * (last - price) - (fees[row] or 0.0)
        if gain is None and some_gain and end is not None:
            raise frame.fail("pnl", row, "is missing, and it was closed")
        cost = size * price if size is not None and price is not None else None
        metadata = extras[row]
        if shorts[row]:
            metadata["side"] = "short"
        if fees[row] is not None:
            metadata["fees"] = fees[row]
        record = {
            "id": plain(names[row], f"trades.id[{row}]"),
            "orders": [],
            "target_symbol": symbols[row] or "",
            "trading_symbol": currency,
            "status": "OPEN" if end is None else "CLOSED",
            "amount": size,
            "remaining": 0.0,
            "open_price": price,
            "last_reported_price": last,
            "opened_at": iso(start),
            "closed_at": None if end is None else iso(end),
            "updated_at": iso(start if end is None else end),
            "net_gain": 0.0 if end is None else gain,
            "cost": cost,
            "stop_losses": None,
            "take_profits": None,
            "filled_amount": size,
            "available_amount": size if end is None else 0.0,
            "metadata": metadata,
        }
        trade = _Trade(record, start, end, gain, size, price, cost)
        by_window[labels[row]].append(trade)
    return by_window


def _fees(frame: Frame) -> list[float | None]:
    """Of both sides: column fees, or the sum of entry_fees and exit_fees."""
    total = _numbers(frame, _FEES)
    sides = (_numbers(frame, _ENTRY_FEES), _numbers(frame, _EXIT_FEES))
    return [
        one if one is not None else (None if pair == (None, None) else sum(x or 0.0 for x in pair))
        for one, pair in zip(total, zip(*sides, strict=True), strict=True)
    ]


def _orders(source: Any, windows: list[str | None], currency: str) -> dict[str | None, list[Any]]:
    frame = Frame(source, "orders")
    if frame.rows == 0:
        return {one: [] for one in windows}
    name, column = frame.require(("ts", "created_at", "timestamp", "time", "datetime", "date"))
    times = frame.times(name, column)
    updated = _times(frame, ("updated_at",))
    ids, trades = frame.take(("id", "order_id")), _texts(frame, ("trade_id",))
    symbols = _texts(frame, _SYMBOL)
    sides = _is_short(frame, ("side", "order_side"))
    kinds, states = _texts(frame, ("order_type", "type")), _texts(frame, _STATUS)
    prices = _numbers(frame, ("price", "filled_price", "avg_price"), positive=True)
    sizes = _numbers(frame, _SIZE, positive=True)
    fees = _numbers(frame, _FEES)
    slippages = _numbers(frame, ("slippage",))
    labels, extras = _labels(frame, windows), _extras(frame)
    names = ids[1].to_pylist() if ids else [str(row + 1) for row in range(frame.rows)]
    by_window: dict[str | None, list[Any]] = {one: [] for one in windows}
    for row, at in enumerate(times):
        if at is None:
            raise frame.fail(name, row, "is missing")
        size, price = sizes[row], prices[row]
        status = (states[row] or "CLOSED").upper()
        filled = size if status in ("CLOSED", "FILLED") else 0.0
        changed = updated[row]
        by_window[labels[row]].append(
            {
                "trade_id": trades[row],
                "id": plain(names[row], f"orders.id[{row}]"),
                "external_id": None,
                "target_symbol": symbols[row] or "",
                "trading_symbol": currency,
                "order_side": "SELL" if sides[row] else "BUY",
                "order_type": (kinds[row] or "MARKET").upper(),
                "status": "CLOSED" if status == "FILLED" else status,
                "price": price,
                "amount": size,
                "created_at": iso(at),
                "updated_at": iso(at if changed is None else changed),
                "cost": size * price if size is not None and price is not None else None,
                "filled": filled,
                "remaining": size - filled if size is not None and filled is not None else 0.0,
                "order_fee_currency": currency,
                "order_fee_rate": None,
                "order_fee": fees[row],
                "slippage": slippages[row] or 0.0,
                "stop_price": None,
                "triggered_at": None,
                "metadata": extras[row],
            }
        )
    return by_window


def _positions(source: Any, windows: list[str | None]) -> dict[str | None, list[Any]]:
    frame = Frame(source, "positions")
    if frame.rows == 0:
        return {one: [] for one in windows}
    symbols = frame.texts(*frame.require(_SYMBOL))
    sizes, costs = _numbers(frame, _SIZE), _numbers(frame, ("cost", "cost_basis"))
    labels = _labels(frame, windows)
    unknown = list(frame.rest())
    if unknown:
        raise InvalidArgument(
            f"positions have columns that a backtest has no place for: {', '.join(unknown)}; they "
            "hold symbol, amount and cost"
        )
    by_window: dict[str | None, list[Any]] = {one: [] for one in windows}
    for row, symbol in enumerate(symbols):
        by_window[labels[row]].append(
            {
                "symbol": symbol,
                "amount": sizes[row],
                "cost": costs[row],
                "portfolio_id": _PORTFOLIO,
            }
        )
    return by_window
