"""Registry: files of the tree, fetches, processing runs, model artifacts, lineage."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .errors import InvalidArgument
from .table import Table

if TYPE_CHECKING:
    from .store import Store


class Edge(NamedTuple):
    """`output` was made from `input`, read at snapshot `input_snapshot` of the lake."""

    output_kind: str
    output_id: str
    input_kind: str
    input_id: str
    input_snapshot: int | None = None


_NUMBERS = {
    "id", "record_count", "file_size", "snapshot_id", "records_fetched", "api_calls_used",
    "alignment_hour", "incomplete_count", "retries", "rate_limited_count", "http_status_last",
    "files_written", "training_run_id",
}  # fmt: skip
_COLUMNS = {
    "data_files": "id file_path instrument data_type start_date end_date record_count file_size "
    "checksum last_verified snapshot_id created_at",
    "fetch_runs": "id instrument granularity start_date end_date records_fetched api_calls_used "
    "duration_seconds status error_message price_component alignment_hour alignment_timezone host "
    "environment first_candle last_candle incomplete_count retries rate_limited_count "
    "http_status_last files_written started_at finished_at missing_ranges created_at",
    "processing_runs": "id run_type config_hash input_files output_files status duration_seconds "
    "log_file created_at",
    "model_artifacts": "id model_type version file_path config_hash training_run_id metrics "
    "created_at",
}


KINDS = (
    "dataset", "file", "fetch_run", "processing_run", "artifact", "backtest", "ticks", "prices",
)  # fmt: skip


def check_kinds(kinds: Iterable[str]) -> None:
    """Raises InvalidArgument for what is no kind of lineage."""
    for kind in kinds:
        if kind not in KINDS:
            raise InvalidArgument(f"{kind!r} is no kind of lineage; there are {', '.join(KINDS)}")


class Registry:
    """The registry of one store. Thread-safe. Rows come by id; columns as in
    docs/format/registry.md."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def files(self, **where: Any) -> Table:
        """Files of the tree: `files(instrument="EUR_USD", data_type="ohlcv")`."""
        return self._table("data_files", where)

    def fetches(self, **where: Any) -> Table:
        """Fetch runs."""
        return self._table("fetch_runs", where)

    def runs(self, **where: Any) -> Table:
        """Processing runs; input_files and output_files are JSON arrays of file ids."""
        return self._table("processing_runs", where)

    def models(self, **where: Any) -> Table:
        """Model artifacts; metrics is JSON."""
        return self._table("model_artifacts", where)

    def put_files(self, rows: Sequence[Mapping[str, Any]]) -> list[int]:
        """Add rows of files, or update those with the same file_path (their ids stay)."""
        return self._store._engine.registry_put("data_files", [dict(row) for row in rows])

    def remove_files(self, paths: Sequence[str]) -> int:
        """Take rows of files out. Returns how many there were."""
        return self._store._engine.registry_remove_files(list(paths))

    def mark_verified(self, paths: Sequence[str]) -> None:
        """Set last_verified of files to now."""
        self._store._engine.registry_verified(list(paths))

    def log_fetch_run(
        self,
        instrument: str,
        granularity: str,
        start_date: str,
        end_date: str,
        records_fetched: int,
        api_calls_used: int,
        duration_seconds: float,
        status: str,
        error_message: str | None = None,
        **further: Any,
    ) -> int:
        """Note one download of one instrument; counts are of this run alone. `status`: success,
        partial (name what lacks in `missing_ranges`), failed. `further`: other columns of
        fetch_runs. Returns the id. Raises InvalidArgument."""
        row = {
            "instrument": instrument,
            "granularity": granularity,
            "start_date": start_date,
            "end_date": end_date,
            "records_fetched": int(records_fetched),
            "api_calls_used": int(api_calls_used),
            "duration_seconds": float(duration_seconds),
            "status": status,
            "error_message": error_message,
            **{name: _json(value) for name, value in further.items()},
        }
        return self._store._engine.registry_put("fetch_runs", [row])[0]

    def log_processing_run(
        self,
        run_type: str,
        config_hash: str,
        input_files: Sequence[int],
        output_files: Sequence[int],
        status: str,
        duration_seconds: float | None = None,
        log_file: str | None = None,
        *,
        inputs: Sequence[tuple[str, str] | tuple[str, str, int]] = (),
    ) -> int:
        """Note a step of processing over files of the registry (their ids). `inputs`: further
        things it was made from, as (kind, id) or (kind, id, snapshot). Returns the id."""
        check_kinds([one[0] for one in inputs])
        input_files, output_files = _ids(input_files), _ids(output_files)
        row = {
            "run_type": run_type,
            "config_hash": config_hash,
            "input_files": json.dumps(input_files),
            "output_files": json.dumps(output_files),
            "status": status,
            "duration_seconds": None if duration_seconds is None else float(duration_seconds),
            "log_file": log_file,
        }
        made = self._store._engine.registry_put("processing_runs", [row])[0]
        edges = [Edge("processing_run", str(made), "file", str(one)) for one in input_files]
        edges += [Edge("file", str(one), "processing_run", str(made)) for one in output_files]
        for one in inputs:
            at = one[2] if len(one) > 2 else None
            edges.append(Edge("processing_run", str(made), one[0], str(one[1]), at))
        self.add_lineage(edges)
        return made

    def register_model_artifact(
        self,
        model_type: str,
        version: str,
        file_path: str,
        config_hash: str,
        training_run_id: int | None = None,
        metrics: Mapping[str, Any] | None = None,
    ) -> int:
        """Note a version of a model (tcnae, gbdt, context_manager). Returns the id."""
        row = {
            "model_type": model_type,
            "version": str(version),
            "file_path": str(file_path),
            "config_hash": config_hash,
            "training_run_id": training_run_id,
            "metrics": None if metrics is None else json.dumps(metrics),
        }
        made = self._store._engine.registry_put("model_artifacts", [row])[0]
        if training_run_id is not None:
            self.add_lineage([Edge("artifact", str(made), "processing_run", str(training_run_id))])
        return made

    def add_lineage(self, edges: Sequence[Edge]) -> None:
        """Note what was made from what; kinds: dataset, file, fetch_run, processing_run, artifact,
        backtest, ticks, prices. A series of bars is a `dataset` with id `ohlcv/EUR_USD/1h`, with a
        range behind it (`[2024-01-01T00:00:00+00:00,)`) its bars of that."""
        given = [tuple(edge) for edge in edges]
        for edge in given:
            if len(edge) not in (4, 5) or not all(isinstance(one, str) for one in edge[:4]):
                raise InvalidArgument(
                    f"{edge!r} is no edge: (output_kind, output_id, input_kind, input_id), texts, "
                    "and if known the snapshot of the input"
                )
        self._store._engine.lineage_add([tuple(Edge(*edge)) for edge in given])

    def lineage(self, kind: str, id: str | int) -> list[Edge]:
        """Edges to what it was made from, to what that was made from, and so on. A dataset leads to
        the series in it that were made, a backtest to the price files that its document names."""
        return [Edge(*edge) for edge in self._store._engine.lineage_of(kind, str(id))]

    def stale(self) -> list[Edge]:
        """Edges whose input has changed since it was read: datasets, series of bars, ticks. Of what
        was made again from the same input only the newest edge counts."""
        return [Edge(*edge) for edge in self._store._engine.lineage_stale()]

    def _table(self, name: str, where: Mapping[str, Any]) -> Table:
        import pyarrow

        rows = self._store._engine.registry_rows(name, dict(where))
        types = {"duration_seconds": pyarrow.float64()}
        schema = pyarrow.schema(
            [
                (one, pyarrow.int64() if one in _NUMBERS else types.get(one, pyarrow.string()))
                for one in _COLUMNS[name].split()
            ]
        )
        return Table(pyarrow.Table.from_pylist(rows, schema=schema))


def _ids(files: Iterable[Any]) -> list[int]:
    ids = list(files)
    for one in ids:
        if isinstance(one, bool) or not hasattr(one, "__index__"):
            raise InvalidArgument(f"{one!r} is no id of a registered file (a whole number)")
    return [one.__index__() for one in ids]


def _json(value: Any) -> Any:
    return json.dumps(value) if isinstance(value, list | tuple | dict) else value
