"""Lamina: one local-first store for ticks, bars, features and backtests."""

from ._lamina import __version__, arrow_version, read_bundle
from .backtests import (
    Backtest,
    BacktestRun,
    Backtests,
    ExportReport,
    ImportFailure,
    ImportReport,
    ValidateReport,
    PruneReport,
)
from .calendar import Calendar, Session, calendar, calendars
from .errors import (
    AlreadyExists,
    Cancelled,
    Conflict,
    Corruption,
    InternalError,
    InvalidArgument,
    IoError,
    LaminaError,
    NotFound,
    ResourceExhausted,
    Unsupported,
)
from .series import (
    asof,
    merge,
    resample,
    rolling,
    running_vwap,
    volume_profile,
    window_join,
)
from .instruments import AddedInstruments, Instrument, Instruments
from .folder_index import (
    IndexReport,
    SqliteBacktestIndex,
    build_index,
    list_index,
    rank_index,
)
from .index_row import BacktestIndexRow
from .store import Problem, Store, VerifyReport, open
from .summary import BacktestSummary, Disagreement
from .table import Table

__all__ = [
    "AddedInstruments",
    "AlreadyExists",
    "Backtest",
    "BacktestIndexRow",
    "BacktestRun",
    "BacktestSummary",
    "Backtests",
    "Calendar",
    "Cancelled",
    "Conflict",
    "Corruption",
    "Disagreement",
    "ExportReport",
    "ImportFailure",
    "ImportReport",
    "Instrument",
    "Instruments",
    "IndexReport",
    "InternalError",
    "InvalidArgument",
    "IoError",
    "LaminaError",
    "NotFound",
    "Problem",
    "PruneReport",
    "ResourceExhausted",
    "Session",
    "SqliteBacktestIndex",
    "Store",
    "Table",
    "Unsupported",
    "ValidateReport",
    "VerifyReport",
    "__version__",
    "arrow_version",
    "asof",
    "merge",
    "calendar",
    "calendars",
    "build_index",
    "list_index",
    "open",
    "rank_index",
    "read_bundle",
    "resample",
    "rolling",
    "running_vwap",
    "volume_profile",
    "window_join",
]
