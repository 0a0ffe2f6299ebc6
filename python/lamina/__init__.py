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
from .store import Problem, Store, VerifyReport, open
from .summary import BacktestSummary, Disagreement
from .table import Table

__all__ = [
    "AlreadyExists",
    "Backtest",
    "BacktestRun",
    "BacktestSummary",
    "Backtests",
    "Cancelled",
    "Conflict",
    "Corruption",
    "Disagreement",
    "ExportReport",
    "ImportFailure",
    "ImportReport",
    "InternalError",
    "InvalidArgument",
    "IoError",
    "LaminaError",
    "NotFound",
    "Problem",
    "ResourceExhausted",
    "Store",
    "Table",
    "Unsupported",
    "ValidateReport",
    "VerifyReport",
    "__version__",
    "arrow_version",
    "open",
    "read_bundle",
]
