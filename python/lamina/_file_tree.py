"""The files of a data root's tree: their names, columns and bytes, and times as they have them."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._time import to_nanoseconds
from .errors import InvalidArgument

if TYPE_CHECKING:
    import pyarrow

_DAY = 86_400_000_000
_SAFE = " ()+,@#&=;!~^$[]{}-._"


def check_compression(compression: str) -> None:
    if compression not in ("snappy", "zstd", "gzip", "lz4", "brotli", "none"):
        raise InvalidArgument(
            f"{compression!r} is no compression: snappy, zstd, gzip, lz4, brotli, none"
        )


def folder_name(name: str) -> str:
    """`name` as a folder: what is not plain is percent-encoded."""
    quoted = urllib.parse.quote(name, safe=_SAFE)
    if quoted.strip(".") == "":
        raise InvalidArgument(f"{name!r} cannot be the name of an instrument")
    return quoted


def after_inclusive(end: Any) -> int:
    """The first microsecond after an inclusive end; the end of the day for one that has no time of
    day."""
    if isinstance(end, str):
        whole_day = len(end.strip()) == 10
    elif isinstance(end, dt.datetime):
        midnight = end.hour == end.minute == end.second == end.microsecond == 0
        whole_day = end.tzinfo is None and midnight and getattr(end, "nanosecond", 0) == 0
    else:
        whole_day = isinstance(end, dt.date)
    micros = to_nanoseconds(end) // 1000
    return micros + _DAY if whole_day else micros + 1


def month_start(year: int, month: int) -> int:
    return (dt.date(year, month, 1).toordinal() - dt.date(1970, 1, 1).toordinal()) * _DAY


def next_month(year: int, month: int) -> tuple[int, int]:
    return (year + 1, 1) if month == 12 else (year, month + 1)


def iso(micros: int) -> str:
    return (
        dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(microseconds=int(micros))
    ).isoformat()


def iso_of(at: Any) -> str:
    return iso(to_nanoseconds(at) // 1000)


def micros_of(table: Any) -> Any:
    """The timestamps as int64 microseconds."""
    import pyarrow

    stamps = table["timestamp"].cast(pyarrow.timestamp("us", "UTC"))
    return stamps.cast(pyarrow.int64()).to_numpy()


def span_of(rows: Any) -> tuple[int, int]:
    import pyarrow

    stamps = micros_of(pyarrow.table(rows))
    return int(stamps.min()), int(stamps.max())


def months_of(rows: Any) -> set[tuple[int, int]]:
    """(year, month) of the rows, in UTC."""
    import numpy
    import pyarrow

    table = pyarrow.table(rows)
    if table.num_rows == 0:
        return set()
    months = numpy.unique(micros_of(table).astype("datetime64[us]").astype("datetime64[M]"))
    return {(1970 + int(one) // 12, int(one) % 12 + 1) for one in months.astype("int64")}


def bar_columns() -> list[str]:
    return ["timestamp", "open", "high", "low", "close", "volume", "instrument", "year", "month"]


def empty_bars() -> pyarrow.Table:
    import pyarrow

    types = {"volume": pyarrow.int64(), "instrument": pyarrow.string(), "year": pyarrow.int32(),
             "month": pyarrow.int32(), "timestamp": pyarrow.timestamp("ns", "UTC")}  # fmt: skip
    schema = [(name, types.get(name, pyarrow.float64())) for name in bar_columns()]
    return pyarrow.schema(schema).empty_table()


def shown(table: pyarrow.Table, data_type: str) -> pyarrow.Table:
    """The columns and types that files of the tree have."""
    import pyarrow

    if data_type == "ohlcv":
        table = table.select(bar_columns())
    else:
        names = [name for name in table.column_names if name not in ("year", "month")]
        table = table.select([*names, "year", "month"])
    nanos = table["timestamp"].cast(pyarrow.timestamp("ns", "UTC"))
    table = table.set_column(table.column_names.index("timestamp"), "timestamp", nanos)
    return table.replace_schema_metadata(None)


def encode(rows: pyarrow.Table, compression: str) -> bytes:
    import pyarrow
    import pyarrow.parquet as pq

    # Field ids, and what must not be NULL, are the lake's business.
    plain = [field.remove_metadata().with_nullable(True) for field in rows.schema]
    schema = pyarrow.schema(plain)
    out = io.BytesIO()
    pq.write_table(rows.cast(schema), out, compression=compression)
    return out.getvalue()


def replace_file(path: Path, encoded: bytes) -> None:
    """The old file or the new one, whole, whatever happens."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with open(temporary, "wb") as file:
        file.write(encoded)
        file.flush()
        os.fsync(file.fileno())
    os.replace(temporary, path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def file_sha256(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
