"""BacktestSummary: the metrics of a backtest over all its runs."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from . import _html

_OURS = {"ours": True}


@dataclass(frozen=True)
class Disagreement:
    """A recorded metric that differs from ours.

    `kind`: `differs` (one definition, two numbers), `percent` (one is a hundred times the other),
    `sign`, `not_a_number`, or `definition` (the recorded one is defined otherwise). `run` is the
    run's position in the bundle, None for the summary. A number that is not finite is None.
    """

    metric: str
    run: int | None
    kind: str
    counted: bool
    """False for `definition`."""
    recorded: float | None
    validated: float | None
    relative_difference: float | None
    """|recorded - validated| / the larger magnitude."""
    why: str


@dataclass(frozen=True)
class BacktestSummary:
    """Summary metrics as the backtest recorded them; None where it recorded none.

    Beside them, and not among `to_dict`: `validated`, our own metrics by name, computed from
    snapshots and trades (None where there is none, and `reasons` says why; empty when they were
    not computed yet: `store.backtests.validate()`), `windows`, for a metric that fewer windows
    have than there are: how many, and `disagreements`. Definitions: docs/guide/metrics.md.
    """

    total_net_gain: float | None = None
    total_net_gain_percentage: float | None = None
    total_growth: float | None = None
    total_growth_percentage: float | None = None
    total_loss: float | None = None
    total_loss_percentage: float | None = None
    average_net_gain: float | None = None
    average_net_gain_percentage: float | None = None
    average_growth: float | None = None
    average_growth_percentage: float | None = None
    average_loss: float | None = None
    average_loss_percentage: float | None = None
    average_trade_return: float | None = None
    average_trade_return_percentage: float | None = None
    average_trade_loss: float | None = None
    average_trade_loss_percentage: float | None = None
    average_trade_gain: float | None = None
    average_trade_gain_percentage: float | None = None
    cagr: float | None = None
    sharpe_ratio: float | None = None
    sortino_ratio: float | None = None
    calmar_ratio: float | None = None
    profit_factor: float | None = None
    annual_volatility: float | None = None
    max_drawdown: float | None = None
    max_drawdown_duration: int | None = None
    trades_per_year: float | None = None
    trades_per_month: float | None = None
    trades_per_week: float | None = None
    win_rate: float | None = None
    current_win_rate: float | None = None
    win_loss_ratio: float | None = None
    current_win_loss_ratio: float | None = None
    number_of_trades: int | None = None
    number_of_trades_closed: int | None = None
    cumulative_exposure: float | None = None
    exposure_ratio: float | None = None
    number_of_windows: int | None = None
    number_of_profitable_windows: int | None = None
    number_of_windows_with_trades: int | None = None
    var_95: float | None = None
    cvar_95: float | None = None
    average_trade_duration: float | None = None
    average_win_duration: float | None = None
    average_loss_duration: float | None = None
    max_consecutive_wins: int | None = None
    max_consecutive_losses: int | None = None
    return_consistency: float | None = None
    win_rate_consistency: float | None = None
    sharpe_consistency: float | None = None
    consistency_score: float | None = None
    return_stability: float | None = None
    win_rate_stability: float | None = None
    sharpe_stability: float | None = None
    stability_score: float | None = None
    validated: dict[str, float | int | None] = field(
        default_factory=dict, kw_only=True, compare=False, repr=False, metadata=_OURS
    )
    reasons: dict[str, str] = field(
        default_factory=dict, kw_only=True, compare=False, repr=False, metadata=_OURS
    )
    windows: dict[str, int] = field(
        default_factory=dict, kw_only=True, compare=False, repr=False, metadata=_OURS
    )
    disagreements: list[Disagreement] = field(
        default_factory=list, kw_only=True, compare=False, repr=False, metadata=_OURS
    )

    def to_dict(self) -> dict[str, float | int | None]:
        """Metrics by name, in the order of the fields."""
        return {name: getattr(self, name) for name in _metric_names()}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> BacktestSummary:
        """The metrics among `values`, whose keys may have the prefix `summary_`."""
        names = set(_metric_names())
        bare = {key.removeprefix("summary_"): value for key, value in values.items()}
        recorded = {key: value for key, value in bare.items() if key in names}
        return cls(**recorded, **_validated(values.get("validated_json")))

    def _repr_html_(self) -> str:
        ours = bool(self.validated)
        rows = [
            (name, value, *([self.validated.get(name)] if ours else []))
            for name, value in self.to_dict().items()
            if value is not None or self.validated.get(name) is not None
        ]
        if not rows:
            return _html.facts("no metrics", [])
        return _html.table(["metric", "recorded", *(["validated"] if ours else [])], rows)


def _metric_names() -> list[str]:
    fields = dataclasses.fields(BacktestSummary)
    return [one.name for one in fields if not one.metadata.get("ours")]


def _validated(text: str | None) -> dict[str, Any]:
    """The fields that are ours, from the engine's JSON."""
    ours = json.loads(text) if text else None
    if not ours:
        return {}
    return {
        "validated": ours["metrics"],
        "reasons": ours.get("reasons", {}),
        "windows": ours.get("windows", {}),
        "disagreements": [Disagreement(**one) for one in ours["disagreements"]],
    }
