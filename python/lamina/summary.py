"""BacktestSummary: the metrics of a backtest over all its runs."""

from __future__ import annotations

import dataclasses
import html
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class BacktestSummary:
    """Summary metrics as the backtest recorded them; None where it recorded none."""

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

    def to_dict(self) -> dict[str, float | int | None]:
        """Metrics by name, in the order of the fields."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> BacktestSummary:
        """The metrics among `values`, whose keys may have the prefix `summary_`."""
        names = {field.name for field in dataclasses.fields(cls)}
        bare = {key.removeprefix("summary_"): value for key, value in values.items()}
        return cls(**{key: value for key, value in bare.items() if key in names})

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{html.escape(name)}</td><td>{'' if value is None else f'{value:g}'}</td></tr>"
            for name, value in self.to_dict().items()
        )
        return f"<table><tbody>{rows}</tbody></table>"
