"""Small pieces of HTML for notebooks. Every text is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

_NUMBER = "text-align: right"
_TEXT = "text-align: left"


def text(value: Any) -> str:
    """`value` as a person reads it, escaped; empty for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return html.escape(str(value))


def facts(title: str, pairs: Iterable[tuple[str, Any]], *, keep_empty: bool = False) -> str:
    """A title over names and values; what is None is left out unless `keep_empty`."""
    rows = "".join(
        f'<tr><th style="{_TEXT}">{text(name)}</th><td style="{_style(value)}">{text(value)}</td>'
        "</tr>"
        for name, value in pairs
        if keep_empty or value is not None
    )
    return f"<div><b>{text(title)}</b><table><tbody>{rows}</tbody></table></div>"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], more: int = 0) -> str:
    """Columns with names; `more` rows are not shown."""
    cells = "".join(f'<th style="{_TEXT}">{text(name)}</th>' for name in head)
    body = []
    for row in rows:
        tds = "".join(f'<td style="{_style(value)}">{text(value)}</td>' for value in row)
        body.append(f"<tr>{tds}</tr>")
    foot = f"<p>… and {more:,} more rows</p>" if more > 0 else ""
    return f"<table><thead><tr>{cells}</tr></thead><tbody>{''.join(body)}</tbody></table>{foot}"


def _style(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return _NUMBER if is_number else _TEXT
