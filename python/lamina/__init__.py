"""Lamina: one local-first store for ticks, bars, features and backtests."""

from ._lamina import __version__, arrow_version, read_bundle
from .backtests import (
    Backtest,
    BacktestRun,
    Backtests,
    ExportReport,
    ImportFailure,
    ImportReport,
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
from .series import (
    asof,
    merge,
    resample,
    rolling,
    running_vwap,
    volume_profile,
    window_join,
)
from .store import Problem, Store, VerifyReport, open
from .summary import BacktestSummary
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
    "VerifyReport",
    "__version__",
    "arrow_version",
    "asof",
    "merge",
    "open",
    "read_bundle",
    "resample",
    "rolling",
    "running_vwap",
    "volume_profile",
    "window_join",
]
