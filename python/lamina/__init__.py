"""Lamina: one local-first store for ticks, bars, features and backtests."""

from ._lamina import __version__, arrow_version, read_bundle
from .backtests import (
    Backtest,
    BacktestRun,
    Backtests,
    ExportReport,
    ImportFailure,
    ImportReport,
    PruneReport,
)
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
from .folder_index import (
    IndexReport,
    SqliteBacktestIndex,
    build_index,
    list_index,
    rank_index,
)
from .index_row import BacktestIndexRow
from .store import Problem, Store, VerifyReport, open
from .summary import BacktestSummary
from .table import Table

__all__ = [
    "AlreadyExists",
    "Backtest",
    "BacktestIndexRow",
    "BacktestRun",
    "BacktestSummary",
    "Backtests",
    "Cancelled",
    "Conflict",
    "Corruption",
    "ExportReport",
    "ImportFailure",
    "ImportReport",
    "IndexReport",
    "InternalError",
    "InvalidArgument",
    "IoError",
    "LaminaError",
    "NotFound",
    "Problem",
    "PruneReport",
    "ResourceExhausted",
    "SqliteBacktestIndex",
    "Store",
    "Table",
    "Unsupported",
    "VerifyReport",
    "__version__",
    "arrow_version",
    "build_index",
    "list_index",
    "open",
    "rank_index",
    "read_bundle",
]
