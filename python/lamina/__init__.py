"""Lamina: one local-first store for ticks, bars, features and backtests."""

from ._lamina import __version__, arrow_version
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
from .table import Table

__all__ = [
    "AlreadyExists",
    "Cancelled",
    "Conflict",
    "Corruption",
    "InternalError",
    "InvalidArgument",
    "IoError",
    "LaminaError",
    "NotFound",
    "ResourceExhausted",
    "Table",
    "Unsupported",
    "__version__",
    "arrow_version",
]
