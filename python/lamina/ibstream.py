"""Names of the IB-Stream storage design over the engine.

`from lamina.ibstream import StorageQuery, MarketSessions` stands where the design says
`from ib_stream.storage import …`. All of it is a thin layer over `store.ticks`: what is written by
one is read by the other, and by the `lamina` command.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import decimal
import functools
import json
import os
import re
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .calendar import Calendar, Session
from .errors import AlreadyExists, InvalidArgument
from .store import Store
from .store import open as open_store
from .tick_writer import Ack, TickWriter
from .ticks import Contract

if TYPE_CHECKING:
    import pandas

_EASTERN = "US/Eastern"
_DEFAULT_ROOT = "storage"
# The type may hold `_`, and what follows it too: `711280073_bid_ask_1754010291_ab12`.
_STREAM_ID = re.compile(r"(?:bg_)?(\d{1,18})(?:_(all_last|last|bid_ask|mid_point))?(?:_|$)")
_FORMATTED = {"time_sales": "last", "bid_ask": "bid_ask", "midpoint": "mid_point"}


@dataclass(frozen=True)
class StorageConfig:
    """The keys of section `[ticks]` in a store's `lamina.toml` that the design names, with their
    defaults; docs/guide/tick_config.md says what each does.

    Where it differs: the paths are fixed below the store's root, in both spellings, and the archive
    is written with zstd (`"zstd"`, `"zstd:1"` to `"zstd:19"`); `"snappy"` is refused.
    """

    buffer_duration_minutes: int = 120
    buffer_rotation_minutes: int = 15
    buffer_path: Path = Path("storage/buffer")
    archive_path: Path = Path("storage/archive")
    archive_compression: str = "zstd"
    archive_partition_hours: int = 1
    index_path: Path = Path("storage/index.db")
    index_update_interval_seconds: int = 60
    buffer_retention_hours: int = 24
    archive_retention_days: int = 365
    query_cache_size: int = 1000
    query_cache_ttl_seconds: int = 300
    max_concurrent_writes: int = 10
    batch_size: int = 1000

    @classmethod
    def load(cls, root: str | os.PathLike[str]) -> StorageConfig:
        """What the store at `root` says. Raises NotFound, InvalidArgument naming the line."""
        with open_store(root, read_only=True) as opened:
            text = (Path(opened.root) / "lamina.toml").read_text(encoding="utf-8")
        said = tomllib.loads(text).get("ticks", {})
        known = {field.name: type(field.default) for field in fields(cls)}
        return cls(**{key: known[key](value) for key, value in said.items() if key in known})

    def create(self, root: str | os.PathLike[str] = _DEFAULT_ROOT) -> Store:
        """Make a store at `root` that is configured so, and open it. Raises AlreadyExists (a store
        is there: edit its lamina.toml), InvalidArgument naming the keys (nothing is made then)."""
        if (Path(root) / "lamina.toml").exists():
            raise AlreadyExists(f"there is a store at {root}: edit [ticks] in its lamina.toml")
        with tempfile.TemporaryDirectory() as folder:  # does the engine take it?
            self._make(Path(folder) / "store").close()
        return self._make(root)

    def _make(self, root: str | os.PathLike[str]) -> Store:
        with open_store(root, create=True) as made:
            settings = Path(made.root) / "lamina.toml"
        with settings.open("a", encoding="utf-8") as file:
            file.write("\n" + self.to_toml())
        return open_store(root)

    def to_toml(self) -> str:
        """As section `[ticks]`."""
        lines = [
            f"{key} = {value if isinstance(value, int) else json.dumps(str(value))}"
            for key, value in asdict(self).items()
        ]
        return "[ticks]\n" + "\n".join(lines) + "\n"


class _OverStore:
    """Has a store: one that was given, or one of its own, which close() closes."""

    def __init__(self, store: Store | str | os.PathLike[str] | None) -> None:
        self._own = not isinstance(store, Store)
        if isinstance(store, Store):
            self.store = store
        else:
            root = store if store is not None else os.environ.get("LAMINA_STORE", _DEFAULT_ROOT)
            self.store = open_store(root, create=True)

    def close(self) -> None:
        """Closing again is harmless."""
        if self._own:
            self.store.close()

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class StreamBuffer(_OverStore):
    """The live side: ticks of streams, appended durably. Close it, or use it with `with`.

    store: a `lamina.Store`, or a root where one is or is to be made; None: `$LAMINA_STORE`, else
      `storage` in the working folder.
    buffer_duration_minutes: so much of what it appends stays in memory; None: what the store's
      `[ticks]` says, 120 by default.
    """

    def __init__(
        self,
        buffer_duration_minutes: int | None = None,
        *,
        store: Store | str | os.PathLike[str] | None = None,
    ) -> None:
        super().__init__(store)
        self.writer: TickWriter = self.store.ticks.writer(buffer_minutes=buffer_duration_minutes)

    async def append_tick(self, stream_id: str, tick_data: Mapping[str, Any]) -> Ack:
        """Store a tick; it is on stable storage when this returns. Appends of many tasks share
        their syncs.

        stream_id: `{contract}_{tick_type}_…` or `bg_{contract}_{tick_type}`: the contract and type
          of a tick that names none. It never becomes a file's name.
        tick_data: what a stream gives (`type`, `unix_time`, `price`, …; its `timestamp` is local
          time without a zone and is left out), a message of version 2 or 3, or the keys of
          `TickWriter.append`.

        Raises InvalidArgument, ResourceExhausted, IoError.
        """
        line = _line(stream_id, tick_data)
        return await asyncio.to_thread(self.writer.append_json, line)

    def close(self) -> None:
        self.writer.close()
        super().close()


class ParquetArchive(_OverStore):
    """The historical side: sorted Parquet files, and what is known of them.

    base_path: as `store` of `StreamBuffer`.
    """

    def __init__(self, base_path: Store | str | os.PathLike[str] | None = None) -> None:
        super().__init__(base_path)

    async def archive_buffer(self, buffer_file: str | os.PathLike[str]) -> dict[str, Any]:
        """Archive a file of JSON lines: ticks or messages of recorders. Lines that are none are
        told by number and left out; the same file again, or after a crash, adds nothing.

        Returns accepted, rejected, rejected_count, durable_seq. Raises NotFound, IoError.
        """

        def work() -> dict[str, Any]:
            report = self.store.ticks.ingest(buffer_file, once=True)
            self.store.ticks.archive()
            return report

        return await asyncio.to_thread(work)


class StorageQuery(_OverStore):
    """Queries over the archive and the live side as one.

    archive, buffer: whose store is asked; without them `store`, as of `StreamBuffer`.
    """

    def __init__(
        self,
        archive: ParquetArchive | None = None,
        buffer: StreamBuffer | None = None,
        *,
        store: Store | str | os.PathLike[str] | None = None,
    ) -> None:
        given = [each.store for each in (archive, buffer) if each is not None]
        if len({each.store_id for each in given}) > 1:
            raise InvalidArgument("archive and buffer are of two stores: give them one")
        super().__init__(given[-1] if given else store)

    async def query_range(
        self,
        contract_id: Contract | Sequence[Contract],
        tick_types: str | Sequence[str],
        start_time: Any,
        end_time: Any = None,
        resolution: str | None = None,
    ) -> pandas.DataFrame:
        """Ticks of [start_time, end_time) in order, each once, as a pandas frame; no end: now.

        There are always `timestamp`, `price` and `size`. A quote has no price: NaN there, and its
        four values in columns of their own, so that a VWAP is one of trades (`last`, `all_last`).
        With a resolution (`1s`, `1m`, `5m`, …) bars: `price` is their close, `size` their volume,
        beside open, high, low, close, volume, vwap, n_ticks. A time without a zone is UTC.

        Raises InvalidArgument, NotFound.
        """

        def work() -> pandas.DataFrame:
            ticks = self.store.ticks.query(
                contract_id, tick_types, start_time, end_time, resolution=resolution
            )
            frame = ticks.to_pandas()
            if "close" in frame.columns:
                frame = frame.assign(price=frame["close"], size=frame["volume"])
            for name in ("price", "size"):
                if name not in frame.columns:
                    frame[name] = float("nan")
            return frame

        return await asyncio.to_thread(work)


def _line(stream_id: str, tick: Mapping[str, Any]) -> str:
    """A line for `TickWriter.append_json`."""
    if not isinstance(tick, Mapping):
        raise InvalidArgument(f"a tick is a dict, not {type(tick).__name__}")
    line = dict(tick)
    kind = _FORMATTED.get(str(line.get("type")))
    if "data" not in line and "ts" not in line and "st" not in line:
        if "contract_id" not in line and "symbol" not in line:
            line["contract_id"] = int(_stream(stream_id)[1])
        if "tick_type" not in line:
            named = kind if kind not in (None, "last") else None
            line["tick_type"] = named or _stream(stream_id)[2] or kind
        if "unix_time" in line:
            line.pop("type", None)
            line.pop("timestamp", None)
            now = dt.datetime.now(dt.UTC).isoformat()
            line = {"type": "tick", "stream_id": stream_id, "timestamp": now, "data": line}
    try:
        return json.dumps(line, default=_plain, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidArgument(f"a tick of {stream_id}: {error}") from None


def _stream(stream_id: str) -> re.Match[str]:
    found = _STREAM_ID.match(stream_id)
    if found is None:
        raise InvalidArgument(
            f"{stream_id!r} names no contract: a stream id begins with it, as in 265598_last_1"
        )
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, decimal.Decimal):
        return float(value)
    if isinstance(value, dt.datetime):
        at = value if value.tzinfo is not None else value.replace(tzinfo=dt.UTC)
        return at.isoformat()
    if hasattr(value, "item"):  # a number of numpy
        return value.item()
    raise TypeError(f"{type(value).__name__} is no value of a tick")


@functools.lru_cache(maxsize=64)
def _calendar(name: str, timezone: str | None) -> Calendar:
    calendar = Calendar(name)
    return calendar if timezone is None else calendar.in_zone(timezone)


class MarketSessions:
    """Helper for common market session queries. Answers are pairs of UTC datetimes, the end
    exclusive. Days off, early closes and both clock changes are those of `calendar`.

    Where the design was silent or wrong: an unknown session raises InvalidArgument and never means
    regular; `overnight` is the whole day to the next midnight; a day without the session raises
    NotFound; the current session is the one that began last, so on Monday 08:00 it is Friday's, and
    after the close today's until the next open.
    """

    @staticmethod
    def get_session_boundaries(
        date: dt.date | str,
        session_type: str = "regular",
        timezone: str = _EASTERN,
        *,
        calendar: str = "XNYS",
    ) -> tuple[dt.datetime, dt.datetime]:
        """Start and end of a session (`regular`, `extended`, `overnight`, `pre_market`,
        `after_hours`, or another of the calendar) on `date`.

        A datetime with a zone means its date in `timezone`; a date, a text or a datetime without a
        zone means that date. `timezone` is where the wall clock of the session hangs.
        """
        return _calendar(calendar, timezone).session_boundaries(date, session_type)

    @staticmethod
    def get_current_session(
        session_type: str = "regular",
        timezone: str | None = None,
        *,
        calendar: str = "XNYS",
        now: Any = None,
    ) -> tuple[dt.datetime, dt.datetime]:
        """The session that began last: before 09:30 in New York the previous trading day's."""
        found: Session = _calendar(calendar, timezone).current_session(now, session_type)
        return found.start, found.end

    @staticmethod
    def get_previous_session(
        session_type: str = "regular",
        timezone: str | None = None,
        *,
        calendar: str = "XNYS",
        now: Any = None,
    ) -> tuple[dt.datetime, dt.datetime]:
        """The session before the current one."""
        found: Session = _calendar(calendar, timezone).previous_session(now, session_type)
        return found.start, found.end
