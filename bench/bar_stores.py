"""Others that keep bars, behind one face: save, one, everything, month, bytes.

Each is used as its users do, in its own folder. `durable` says what a month's save survives.
"""

import importlib.util
import os
import sys
from pathlib import Path
from typing import Any

import numpy
import pyarrow
import pyarrow.compute as pc
import pyarrow.dataset as pads

FIRST, AFTER = numpy.datetime64("2024-01-01", "us"), numpy.datetime64("2025-01-01", "us")


def bytes_below(folder: Path) -> int:
    """Apparent size of all files."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def sync(*paths: Path) -> None:
    """Make files and folders durable."""
    for path in paths:
        handle = os.open(path, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)


def flat(bars: dict[str, pyarrow.Table]) -> pyarrow.Table:
    """One table sorted by instrument and time."""
    return pyarrow.concat_tables(
        table.append_column("instrument", pyarrow.array([name] * table.num_rows))
        for name, table in sorted(bars.items())
    )


class MonthFiles:
    """The design of month files with a registry, from its own script, with fsync."""

    durable = "fsync added to it: file and folder, SQLite commit a file"

    def __init__(self, folder: Path, tools: Path) -> None:
        import pandas

        sys.path.insert(0, str(tools / "bench"))
        kept, sys.argv = sys.argv, ["bench", "--jobs", "none", "--dir", str(folder / "unused")]
        path = tools / "bench" / "bench_seed_mef.py"
        spec = importlib.util.spec_from_file_location("month_files", path)
        assert spec and spec.loader
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        sys.argv = kept
        self.store = module.Mef(str(folder / "store"), True)
        self.folder = folder / "store" / "raw" / "ohlcv"
        self.span = [pandas.Timestamp(at, tz="UTC") for at in ("2024-01-01", "2024-12-31 23:59")]

    def save(self, bars: dict[str, pyarrow.Table]) -> None:
        for name, table in bars.items():
            self.store.save(table.to_pandas(), name)

    def one(self, name: str) -> int:
        return len(self.store.load(*self.span, name))

    def everything(self) -> int:
        return len(self.store.load(*self.span))

    def month(self, name: str, table: pyarrow.Table) -> None:
        self.store.save(table.to_pandas(), name)


class Polars:
    """One zstd file an instrument, scanned lazily."""

    durable = "file and folder synced; no catalog, no isolation"

    def __init__(self, folder: Path, tools: Path) -> None:
        import polars

        self.polars, self.folder = polars, folder
        column = polars.col("timestamp")
        self.span = (column >= FIRST.item()) & (column < AFTER.item())

    def save(self, bars: dict[str, pyarrow.Table]) -> None:
        for name, table in bars.items():
            self._write(name, f"{name}.parquet", table)

    def _write(self, name: str, file: str, table: pyarrow.Table) -> None:
        frame = self.polars.from_arrow(table).with_columns(
            self.polars.lit(name).alias("instrument"),
            self.polars.col("timestamp").dt.replace_time_zone(None),
        )
        frame.write_parquet(self.folder / file)

    def one(self, name: str) -> int:
        scan = self.polars.scan_parquet(self.folder / f"{name}*.parquet")
        return scan.filter(self.span).collect().height

    def everything(self) -> int:
        return (
            self.polars.scan_parquet(self.folder / "*.parquet").filter(self.span).collect().height
        )

    def month(self, name: str, table: pyarrow.Table) -> None:
        file = f"{name}-{table['timestamp'][0].value}.parquet"
        self._write(name, file, table)
        sync(self.folder / file, self.folder)


class DuckDB:
    """A table in its own database file, inserted sorted."""

    durable = "a transaction of its own log"

    def __init__(self, folder: Path, tools: Path) -> None:
        import duckdb

        self.folder = folder
        self.connection = duckdb.connect(folder / "bars.duckdb")

    def _insert(self, name: str, table: pyarrow.Table) -> None:
        names = pyarrow.array([name] * table.num_rows, pyarrow.string())
        self.connection.register("rows", table.append_column("instrument", names))
        self.connection.execute("INSERT INTO bars SELECT * FROM rows")

    def save(self, bars: dict[str, pyarrow.Table]) -> None:
        self.connection.register("rows", flat(bars).slice(0, 0))
        self.connection.execute("CREATE TABLE bars AS SELECT * FROM rows")
        for name, table in bars.items():
            self._insert(name, table)
        self.connection.execute("CHECKPOINT")

    def _load(self, where: str) -> int:
        found = self.connection.execute(
            "SELECT * FROM bars WHERE timestamp >= '2024-01-01 00:00:00+00' AND "
            f"timestamp < '2025-01-01 00:00:00+00' {where}"
        )
        return found.to_arrow_table().num_rows

    def one(self, name: str) -> int:
        return self._load(f"AND instrument = '{name}'")

    def everything(self) -> int:
        return self._load("")

    def month(self, name: str, table: pyarrow.Table) -> None:
        self._insert(name, table)


class PyArrow:
    """A dataset partitioned by instrument and year. `codec` is zstd or snappy."""

    durable = "file and folder synced; no catalog, no isolation"
    codec = "zstd"

    def __init__(self, folder: Path, tools: Path) -> None:
        self.folder = folder
        self.format = pads.ParquetFileFormat()
        fields = [("instrument", pyarrow.string()), ("year", pyarrow.int32())]
        self.layout = pads.partitioning(pyarrow.schema(fields), flavor="hive")

    def _write(self, table: pyarrow.Table, name: str) -> None:
        pads.write_dataset(
            table,
            self.folder,
            format=self.format,
            partitioning=self.layout,
            file_options=self.format.make_write_options(compression=self.codec),
            basename_template=name + "-{i}.parquet",
            existing_data_behavior="overwrite_or_ignore",
        )

    @staticmethod
    def _keyed(name: str, table: pyarrow.Table) -> pyarrow.Table:
        table = table.append_column("instrument", pyarrow.array([name] * table.num_rows))
        return table.append_column("year", pc.year(table["timestamp"]).cast("int32"))

    def save(self, bars: dict[str, pyarrow.Table]) -> None:
        for name, table in bars.items():
            self._write(self._keyed(name, table), "part")

    def _load(self, more: Any = None) -> int:
        stamp = pc.field("timestamp")
        zone = pyarrow.timestamp("us", "UTC")
        first, after = (pyarrow.scalar(at.item(), zone) for at in (FIRST, AFTER))
        span = (stamp >= first) & (stamp < after)
        found = pads.dataset(self.folder, format=self.format, partitioning=self.layout)
        return found.to_table(filter=span if more is None else span & more).num_rows

    def one(self, name: str) -> int:
        return self._load(pc.field("instrument") == name)

    def everything(self) -> int:
        return self._load()

    def month(self, name: str, table: pyarrow.Table) -> None:
        part = str(table["timestamp"][0].value)
        self._write(self._keyed(name, table), part)
        year = self.folder / f"instrument={name}" / f"year={table['timestamp'][0].as_py().year}"
        sync(year / f"{part}-0.parquet", year)


class PyArrowSnappy(PyArrow):
    """The same with Snappy."""

    codec = "snappy"


class ArcticDB:
    """A library on LMDB, a symbol an instrument."""

    durable = "LMDB transaction"

    def __init__(self, folder: Path, tools: Path) -> None:
        import arcticdb
        import pandas

        self.folder = folder
        self.library = arcticdb.Arctic(f"lmdb://{folder}").get_library("bars", True)
        self.span = [pandas.Timestamp(at) for at in ("2024-01-01", "2024-12-31 23:59")]

    @staticmethod
    def _frame(table: pyarrow.Table) -> Any:
        frame = table.to_pandas().set_index("timestamp")
        return frame.tz_localize(None) if frame.index.tz is None else frame.tz_convert(None)

    def save(self, bars: dict[str, pyarrow.Table]) -> None:
        for name, table in bars.items():
            self.library.write(name, self._frame(table))

    def one(self, name: str) -> int:
        return len(self.library.read(name, date_range=tuple(self.span)).data)

    def everything(self) -> int:
        return sum(self.one(name) for name in self.library.list_symbols())

    def month(self, name: str, table: pyarrow.Table) -> None:
        self.library.update(name, self._frame(table))


RIVALS = {
    "month files": MonthFiles,
    "Polars": Polars,
    "DuckDB": DuckDB,
    "pyarrow": PyArrow,
    "pyarrow, Snappy": PyArrowSnappy,
    "ArcticDB": ArcticDB,
}
