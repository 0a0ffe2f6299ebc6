"""Health of a store that is fed around the clock: what is late, what fails."""

from __future__ import annotations

import datetime as dt
import re
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ._time import to_microseconds
from .calendar import Calendar
from .datasets import utc
from .errors import InvalidArgument

if TYPE_CHECKING:
    from .store import Store

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


@dataclass(frozen=True)
class SeriesHealth:
    """One series of bars. `state`: OK; LATE: more open-market time than `max_age` has gone since
    its last bar ended; FAILING: its last fetch did not succeed; EMPTY: fetches, but no bars.

    `age`: open-market time since the end of the last bar. `incomplete`: bars that are not final.
    `last_fetch`, `last_status`, `last_error`: of the newest fetch run; `failures`: fetch runs since
    the last one that succeeded.
    """

    instrument: str
    timeframe: str
    state: str
    rows: int
    first: dt.datetime | None
    last: dt.datetime | None
    age: dt.timedelta | None
    incomplete: int
    last_fetch: dt.datetime | None
    last_status: str | None
    last_error: str | None
    failures: int

    def to_dict(self) -> dict[str, Any]:
        """For JSON: times as ISO 8601 text, age in seconds."""
        made = asdict(self)
        for name in ("first", "last", "last_fetch"):
            if made[name] is not None:
                made[name] = made[name].isoformat()
        made["age"] = None if self.age is None else self.age.total_seconds()
        return made


@dataclass(frozen=True)
class Health:
    """Of a data root: `series`, and its tree: registered `files`, `absent_files` among them, how
    many were never verified, when the longest not verified one was; `pending` saves that are not in
    the tree yet (those of dead processes are caught up when the root is opened)."""

    series: list[SeriesHealth]
    files: int
    absent_files: list[str]
    unverified_files: int
    oldest_verified: dt.datetime | None
    pending: int
    snapshot: int
    free_bytes: int

    @property
    def ok(self) -> bool:
        """Every series OK, no file absent."""
        return not self.absent_files and all(one.state == "OK" for one in self.series)

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        at = self.oldest_verified
        return {
            "ok": self.ok,
            **{name: value for name, value in self.__dict__.items() if name != "series"},
            "oldest_verified": None if at is None else at.isoformat(),
            "series": [one.to_dict() for one in self.series],
        }


def check_files(store: Store, data_root: Path, series: list[SeriesHealth], pending: int) -> Health:
    """The health of a data root with these series."""
    files = store.registry.files().to_dicts()
    verified = [utc(one["last_verified"]) for one in files if one["last_verified"]]
    paths = [one["file_path"] for one in files]
    return Health(
        series=series,
        files=len(files),
        absent_files=[one for one in paths if not (data_root / one).exists()],
        unverified_files=len(files) - len(verified),
        oldest_verified=min(verified, default=None),
        pending=pending,
        snapshot=store.snapshot_at(None) or 0,
        free_bytes=shutil.disk_usage(data_root).free,
    )


def check_series(
    store: Store,
    instruments: Any = None,
    *,
    timeframe: str = "1h",
    max_age: str | dt.timedelta | None = None,
    calendar: str | Calendar = "24/7",
    now: Any = None,
    dataset: str = "ohlcv",
) -> list[SeriesHealth]:
    """One SeriesHealth an instrument, by name: of those named, else of all that have bars or fetch
    runs. `max_age`: by default two bars. `calendar`: while its market is closed nothing gets late
    (`FOREX` for spot currencies). `now`: by default the clock. Raises InvalidArgument for a
    timeframe that is no count of s, m, h, d, w."""
    match = re.fullmatch(r"([1-9]\d*)([smhdw])", timeframe)
    if match is None:
        raise InvalidArgument(f"{timeframe!r} is no timeframe that bars can be counted by")
    step = dt.timedelta(seconds=int(match[1]) * _UNITS[match[2]])
    limit = 2 * step
    if max_age is not None:
        limit = dt.timedelta(microseconds=to_microseconds(max_age))
    hours = calendar if isinstance(calendar, Calendar) else Calendar(calendar)
    at = dt.datetime.now(dt.UTC) if now is None else utc(now)
    bars = _bars(store, instruments, timeframe, dataset)
    fetches = _fetches(store)
    if instruments is None:
        names = sorted({*bars, *fetches})
    else:
        named = [instruments] if isinstance(instruments, str | int) else list(instruments)
        names = [store.bars._symbol(one) for one in named]
    return [
        _health(name, timeframe, bars.get(name), fetches.get(name, []), step, limit, hours, at)
        for name in names
    ]


def _bars(store: Store, instruments: Any, timeframe: str, dataset: str) -> dict[str, Any]:
    import pyarrow.compute as pc

    if dataset not in store.datasets:
        return {}
    columns = ["instrument", "timestamp", "complete"]
    table = store.bars.load(instruments, timeframe=timeframe, dataset=dataset, columns=columns)
    rows = table.to_arrow()
    is_open = pc.fill_null(pc.invert(rows["complete"]), False)  # NULL is complete
    rows = rows.append_column("open_bar", pc.cast(is_open, "int64"))
    grouped = rows.group_by("instrument").aggregate(
        [("timestamp", "min"), ("timestamp", "max"), ("timestamp", "count"), ("open_bar", "sum")]
    )
    return {row["instrument"]: row for row in grouped.to_pylist()}


def _fetches(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Of each instrument, newest first."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in reversed(store.registry.fetches().to_dicts()):
        found.setdefault(row["instrument"], []).append(row)
    return found


def _health(
    name: str,
    timeframe: str,
    bars: dict[str, Any] | None,
    fetches: list[dict[str, Any]],
    step: dt.timedelta,
    limit: dt.timedelta,
    calendar: Calendar,
    now: dt.datetime,
) -> SeriesHealth:
    newest = fetches[0] if fetches else None
    failures = next(
        (count for count, one in enumerate(fetches) if one["status"] == "success"), len(fetches)
    )
    first = last = age = None
    if bars is not None:
        first, last = (utc(bars[one]) for one in ("timestamp_min", "timestamp_max"))
        age = _open_time(calendar, last + step, now)
    state = "OK"
    if age is None:
        state = "EMPTY"
    elif age > limit:
        state = "LATE"
    if newest is not None and newest["status"] != "success":
        state = "FAILING"
    return SeriesHealth(
        instrument=name,
        timeframe=timeframe,
        state=state,
        rows=0 if bars is None else bars["timestamp_count"],
        first=first,
        last=last,
        age=age,
        incomplete=0 if bars is None else bars["open_bar_sum"],
        last_fetch=None if newest is None else utc(newest["created_at"]),
        last_status=None if newest is None else newest["status"],
        last_error=None if newest is None else newest["error_message"],
        failures=failures,
    )


def _open_time(calendar: Calendar, since: dt.datetime, now: dt.datetime) -> dt.timedelta:
    """How long the market was open in [since, now)."""
    total = dt.timedelta()
    if now <= since:
        return total
    day = dt.timedelta(days=1)
    sessions = calendar.sessions(since.date() - 4 * day, now.date() + 4 * day)
    for session in sessions.to_dicts():
        begin, end = max(session["open"], since), min(session["close"], now)
        total += max(end - begin, dt.timedelta())
    return total
