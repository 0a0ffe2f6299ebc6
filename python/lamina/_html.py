"""Small pieces of HTML for notebooks. Every text is escaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from typing import Any

_RIGHT = ' style="text-align: right"'


def text(value: Any) -> str:
    """`value` as a person reads it, escaped; empty for None."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    return html.escape(str(value))


def facts(title: str, pairs: Iterable[tuple[str, Any]]) -> str:
    """A title over names and values; what is None is left out."""
    rows = "".join(
        f"<tr><th>{text(name)}</th>{_cell(value)}</tr>"
        for name, value in pairs
        if value is not None
    )
    return f"<div><b>{text(title)}</b><table><tbody>{rows}</tbody></table></div>"


def table(head: Sequence[str], rows: Iterable[Sequence[Any]], more: int = 0) -> str:
    """Columns with names; `more` rows are not shown."""
    names = "".join(f"<th>{text(name)}</th>" for name in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    foot = f"<p>… and {more:,} more rows</p>" if more > 0 else ""
    return f"<table><thead><tr>{names}</tr></thead><tbody>{body}</tbody></table>{foot}"


def _cell(value: Any) -> str:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return f"<td{_RIGHT if is_number else ''}>{text(value)}</td>"
