"""Table: what every query returns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _html, _lamina

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

_HTML_ROWS = 20


class Table:
    """Immutable columns in Arrow memory.

    Anything that speaks the Arrow stream interface takes it without copying:
    `pyarrow.table(t)`, `polars.DataFrame(t)`, `duckdb.from_arrow(t)`,
    `pandas.DataFrame.from_arrow(t)`. It can be taken any number of times, from any thread.
    """

    __slots__ = ("_native",)

    def __init__(self, source: Any) -> None:
        """Hold the columns of `source`, any object with `__arrow_c_stream__`."""
        if isinstance(source, _lamina.ArrowTable):
            self._native = source
        else:
            self._native = _lamina.ArrowTable(source)

    @property
    def num_rows(self) -> int:
        return self._native.num_rows

    @property
    def column_names(self) -> list[str]:
        return self._native.column_names

    def __len__(self) -> int:
        return self.num_rows

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        return self._native.__arrow_c_stream__(requested_schema)

    def __arrow_c_schema__(self) -> object:
        return self._native.__arrow_c_schema__()

    def to_arrow(self) -> pyarrow.Table:
        """As a pyarrow table, without copying."""
        import pyarrow

        return pyarrow.table(self)

    def to_pandas(self) -> pandas.DataFrame:
        """As a pandas frame."""
        return self.to_arrow().to_pandas()

    def to_polars(self) -> polars.DataFrame:
        """As a polars frame."""
        import polars

        return polars.DataFrame(self)

    def to_dicts(self) -> list[dict[str, Any]]:
        """As one dict a row."""
        return self.to_arrow().to_pylist()

    def __repr__(self) -> str:
        return f"<lamina.Table: {self.num_rows} rows, columns {', '.join(self.column_names)}>"

    def _repr_html_(self) -> str:
        columns = self._native.head_text(_HTML_ROWS)
        shown = min(self.num_rows, _HTML_ROWS)
        rows = zip(*columns, strict=True) if columns else ()
        return _html.table(self.column_names, rows, self.num_rows - shown)
