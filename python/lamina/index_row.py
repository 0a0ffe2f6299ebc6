"""BacktestIndexRow: one row of the rank table, as a value."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from . import _lamina
from .summary import BacktestSummary

_FILE_ORDER = tuple(_lamina.summary_fields_in_file_order())
_SUMMARY_NAMES = frozenset(_FILE_ORDER)
_JSON_FIELDS = {"parameters": dict, "strategy_ids": list}


@dataclass
class BacktestIndexRow:
    """Identity, configuration and summary of one engine, study and universe of a backtest.

    `universe_key` None is the row pooled over universes. `extras` holds the backtest's metadata
    and every column that has no field here.
    """

    algorithm_id: str | None = None
    anchor_algorithm_id: str | None = None
    tag: str | None = None
    bundle_path: str | None = None
    framework_version: str | None = None
    engine_type: str | None = None
    risk_free_rate: float | None = None
    parameters: dict[str, Any] = field(default_factory=dict)
    strategy_ids: list[Any] = field(default_factory=list)
    number_of_runs: int = 0
    universe_key: str | None = None
    study_name: str | None = None
    study_description: str | None = None
    summary_metrics: BacktestSummary | None = None
    summary_extras: dict[str, Any] = field(default_factory=dict)
    extras: dict[str, Any] = field(default_factory=dict)

    def to_flat_dict(self) -> dict[str, Any]:
        """One level of scalars, for Parquet, SQL and JSON.

        `parameters` and `strategy_ids` become JSON texts (None when empty), metrics
        `summary.<name>`, extras `extras.<key>`; values of either that are not scalars become JSON
        texts under `summary_json.<key>` and `extras_json.<key>`. NaN and infinities stay.
        """
        flat: dict[str, Any] = {
            name: getattr(self, name)
            for name in (
                "algorithm_id",
                "anchor_algorithm_id",
                "tag",
                "bundle_path",
                "framework_version",
                "engine_type",
                "risk_free_rate",
                "number_of_runs",
                "universe_key",
                "study_name",
                "study_description",
            )
        }
        for name in _JSON_FIELDS:
            value = getattr(self, name)
            flat[name] = json.dumps(value) if value else None
        if self.summary_metrics is not None:
            for name in _FILE_ORDER:
                flat[f"summary.{name}"] = getattr(self.summary_metrics, name)
        for prefix, values in (("summary", self.summary_extras), ("extras", self.extras)):
            for key, value in values.items():
                if value is None or isinstance(value, bool | int | float | str):
                    flat[f"{prefix}.{key}"] = value
                else:
                    flat[f"{prefix}_json.{key}"] = json.dumps(value)
        return flat

    @classmethod
    def from_flat_dict(cls, flat: Mapping[str, Any]) -> BacktestIndexRow:
        """The row that `to_flat_dict` gave; unknown keys land in `extras`.

        Metrics are taken under `summary.<name>` and `summary_<name>`.
        """
        names = {one.name for one in fields(cls)} - {"summary_metrics", "summary_extras", "extras"}
        values: dict[str, Any] = {}
        metrics: dict[str, Any] = {}
        row = cls()
        for key, value in flat.items():
            prefix, dot, rest = key.partition(".")
            bare = key.removeprefix("summary_")
            if key in _JSON_FIELDS:
                made = json.loads(value) if isinstance(value, str) else value
                values[key] = _JSON_FIELDS[key]() if made is None else made
            elif key in names:
                values[key] = value
            elif dot and prefix == "summary" and rest in _SUMMARY_NAMES:
                metrics[rest] = value
            elif bare != key and bare in _SUMMARY_NAMES:
                metrics[bare] = value
            elif dot and prefix in ("summary", "extras"):
                (row.summary_extras if prefix == "summary" else row.extras)[rest] = value
            elif dot and prefix in ("summary_json", "extras_json") and isinstance(value, str):
                target = row.summary_extras if prefix == "summary_json" else row.extras
                target[rest] = json.loads(value)
            else:
                row.extras[key] = value
        for name, value in values.items():
            setattr(row, name, value)
        row.number_of_runs = row.number_of_runs or 0
        if metrics:
            row.summary_metrics = BacktestSummary.from_dict(metrics)
        return row

    @classmethod
    def _from_native(cls, row: Mapping[str, Any]) -> BacktestIndexRow:
        """From a row of the engine."""
        return cls(
            algorithm_id=row["algorithm_id"],
            anchor_algorithm_id=row["anchor_algorithm_id"],
            tag=row["tag"],
            bundle_path=row["bundle_path"],
            framework_version=row["framework_version"],
            engine_type=row["engine_type"] or None,
            risk_free_rate=row["risk_free_rate"],
            parameters=json.loads(row["parameters_json"] or "{}"),
            strategy_ids=json.loads(row["strategy_ids_json"] or "[]"),
            number_of_runs=row["number_of_runs"],
            universe_key=row["universe_key"] or None,
            study_name=row["study_name"],
            study_description=row["study_description"],
            summary_metrics=BacktestSummary.from_dict(dict(row)) if row["has_summary"] else None,
            summary_extras=json.loads(row["summary_extras_json"] or "{}"),
            extras=json.loads(row["extras_json"] or "{}"),
        )

    def _to_native(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "bundle_path": self.bundle_path,
            "algorithm_id": self.algorithm_id,
            "anchor_algorithm_id": self.anchor_algorithm_id,
            "tag": self.tag,
            "framework_version": self.framework_version,
            "engine_type": self.engine_type or "",
            "universe_key": self.universe_key or "",
            "study_name": self.study_name or "default",
            "study_description": self.study_description,
            "risk_free_rate": self.risk_free_rate,
            "number_of_runs": self.number_of_runs,
            "parameters_json": json.dumps(self.parameters) if self.parameters else None,
            "strategy_ids_json": json.dumps(self.strategy_ids) if self.strategy_ids else None,
            "extras_json": json.dumps(self.extras) if self.extras else None,
            "summary_extras_json": (
                json.dumps(self.summary_extras) if self.summary_extras else None
            ),
        }
        if self.summary_metrics is not None:
            for name, value in self.summary_metrics.to_dict().items():
                row[f"summary_{name}"] = value
        return row
