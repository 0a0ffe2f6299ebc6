"""Lamina: one local-first store for ticks, bars, features and backtests."""

from ._lamina import __version__, arrow_version, read_bundle
from .backtest import Backtest, BacktestRun, write_bundle
from .backtests import Backtests, Batch
from .bars import Bars, MadeBars
from .calendar import Calendar, Session, calendar, calendars
from .datasets import Datasets, Features, SaveReport
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
from .instruments import AddedInstruments, Instrument, Instruments
from .magic import load_ipython_extension
from .matrices import Matrix
from .registry import Edge, Registry
from .reports import (
    ExportManyReport,
    ExportReport,
    ImportFailure,
    ImportReport,
    MergeReport,
    PruneReport,
    ValidateReport,
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
from .store import Problem, RepairReport, Store, VerifyReport, open, restore
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
from .summary import BacktestSummary, Disagreement
from .table import Table
from .tick_writer import Ack, TickWriter
from .ticks import Ticks, TickTable, TickTail
from .windows import Window, walk_forward

__all__ = [
    "Ack",
    "AddedInstruments",
    "AlreadyExists",
    "Backtest",
    "BacktestIndexRow",
    "BacktestRun",
    "BacktestStore",
    "BacktestSummary",
    "Backtests",
    "Bars",
    "Batch",
    "Calendar",
    "Cancelled",
    "Conflict",
    "Corruption",
    "Datasets",
    "Disagreement",
    "Edge",
    "ExportManyReport",
    "ExportReport",
    "Features",
    "ImportFailure",
    "ImportReport",
    "IndexReport",
    "Instrument",
    "Instruments",
    "InternalError",
    "InvalidArgument",
    "IoError",
    "LaminaError",
    "LocalDirStore",
    "LocalTieredStore",
    "MadeBars",
    "Matrix",
    "MergeReport",
    "MigrationReport",
    "NotFound",
    "Problem",
    "PruneReport",
    "Registry",
    "RepairReport",
    "ResourceExhausted",
    "SaveReport",
    "Session",
    "SqliteBacktestIndex",
    "Store",
    "StoreError",
    "StoreHandleNotFoundError",
    "SupportsCopyFrom",
    "Table",
    "TickTable",
    "TickTail",
    "TickWriter",
    "Ticks",
    "Unsupported",
    "ValidateReport",
    "VerifyReport",
    "Window",
    "__version__",
    "arrow_version",
    "asof",
    "build_index",
    "calendar",
    "calendars",
    "list_index",
    "load_ipython_extension",
    "merge",
    "migrate_store",
    "open",
    "rank_index",
    "read_bundle",
    "resample",
    "restore",
    "rolling",
    "running_vwap",
    "volume_profile",
    "walk_forward",
    "window_join",
    "write_bundle",
]
