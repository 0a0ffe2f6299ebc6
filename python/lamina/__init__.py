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
from .store import Problem, Store, VerifyReport, open
from .stores import (
    BacktestStore,
    LocalDirStore,
    LocalTieredStore,
    MigrationReport,
    StoreError,
    StoreHandleNotFoundError,
    SupportsCopyFrom,
    migrate_store,
)
from .summary import BacktestSummary
from .table import Table

__all__ = [
    "AlreadyExists",
    "Backtest",
    "BacktestRun",
    "BacktestStore",
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
    "LocalDirStore",
    "LocalTieredStore",
    "MigrationReport",
    "NotFound",
    "Problem",
    "ResourceExhausted",
    "Store",
    "StoreError",
    "StoreHandleNotFoundError",
    "SupportsCopyFrom",
    "Table",
    "Unsupported",
    "VerifyReport",
    "__version__",
    "arrow_version",
    "migrate_store",
    "open",
    "read_bundle",
]
