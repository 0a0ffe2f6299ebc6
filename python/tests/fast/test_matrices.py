"""Matrices for learning: joined by time, of either precision, in pieces."""

import tracemalloc
from pathlib import Path

import numpy
import pandas
import pyarrow
import pytest
from market_frames import hourly_bars

import lamina


@pytest.fixture
def store(tmp_path: Path):
    with lamina.open(tmp_path / "store", create=True) as opened:
        yield opened


def hourly(start: str, count: int, close: float) -> pandas.DataFrame:
    """Without a volume."""
    return hourly_bars(start, count, close).drop(columns="volume")


def test_joins_by_time_and_never_by_row(store: lamina.Store) -> None:
    store.bars.save(hourly("2024-01-01 00:00", 4, 1.0), "B")
    store.bars.save(hourly("2024-01-01 02:00", 4, 10.0).assign(volume=7), "A")
    matrix = store.bars.matrix(["B", "A"], features=["close", "volume"])
    assert matrix.shape == (6, 2, 2) == matrix.values.shape
    assert matrix.times.tolist() == [
        one.to_pydatetime() for one in pandas.date_range("2024-01-01", periods=6, freq="h")
    ]
    nan = numpy.nan
    numpy.testing.assert_array_equal(
        matrix.values[:, :, 0],
        [[1, nan], [1.125, nan], [1.25, 10], [1.375, 10.125], [nan, 10.25], [nan, 10.375]],
    )
    numpy.testing.assert_array_equal(matrix.values[2:, 1, 1], [7, 7, 7, 7])
    assert numpy.isnan(matrix.values[:, 0, 1]).all()
    inner = store.bars.matrix(features=["close"], join="inner")
    assert inner.instruments == ["A", "B"]
    numpy.testing.assert_array_equal(inner.values[:, :, 0], [[10, 1.25], [10.125, 1.375]])
    half = store.bars.matrix(start="2024-01-01T02:00", end="2024-01-01T04:00", dtype="float32")
    assert half.values.dtype == numpy.float32
    numpy.testing.assert_array_equal(
        half.values, store.bars.matrix(join="inner").values.astype("float32")
    )


def test_as_arrow(store: lamina.Store) -> None:
    store.bars.save(hourly("2024-01-01", 3, 1.0), "A")
    table = store.bars.matrix(features=["open", "close"], dtype="float32").to_arrow()
    assert table.column_names == ["timestamp", "values"]
    assert table["timestamp"].type == pyarrow.timestamp("us", "UTC")
    tensor = table["values"].combine_chunks().to_numpy_ndarray()
    assert tensor.shape == (3, 1, 2)
    assert tensor[2].tolist() == [[1.25, 1.25]]


def test_pieces_are_the_whole_in_bounded_memory(store: lamina.Store) -> None:
    names = ["A", "B", "C", "D"]
    for place, name in enumerate(names):
        store.bars.save(hourly("2023-12-01", 24 * 120 - place, 1.0 + place), name)
    whole = store.bars.matrix()
    pieces = list(store.bars.matrices(span="7d"))
    assert all(piece.instruments == names for piece in pieces)
    assert max(len(piece.times) for piece in pieces) == 7 * 24
    numpy.testing.assert_array_equal(
        numpy.concatenate([piece.values for piece in pieces]), whole.values
    )
    numpy.testing.assert_array_equal(
        numpy.concatenate([piece.times for piece in pieces]), whole.times
    )
    tracemalloc.start()
    rows = sum(len(piece.times) for piece in store.bars.matrices(span="1d"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == len(whole.times)
    assert peak < whole.values.nbytes
    # Rows saved in between do not come in.
    running = store.bars.matrices("A", span="30d", features=["close"])
    first = next(running)
    store.bars.save(hourly("2023-12-01", 24 * 200, 50.0), "A")
    rest = numpy.concatenate([first.values, *(piece.values for piece in running)])
    numpy.testing.assert_array_equal(rest[:, 0, 0], whole.values[:, 0, 3])
    # A week without bars is left out.
    store.bars.delete("A", "2023-12-08", "2023-12-15")
    starts = [piece.times[0] for piece in store.bars.matrices("A", span="7d")]
    assert numpy.datetime64("2023-12-08") not in starts


def test_wide_tables(store: lamina.Store) -> None:
    stamps = pandas.date_range("2024-01-01", periods=50, freq="h", tz="UTC")
    names = [f"{one}_{i}" for i in range(3) for one in ("slope", "direction")]
    frame = pandas.DataFrame({name: numpy.arange(50.0) + at for at, name in enumerate(names)})
    frame = frame.assign(timestamp=stamps, vix=20.0, spread_1=1.0)
    frame.loc[3, "vix"] = numpy.nan
    store.features.save(frame)
    matrix = store.features.matrix()
    assert (matrix.shape, matrix.instruments) == ((50, 3, 2), ["0", "1", "2"])
    assert matrix.features == ["slope", "direction"]
    assert matrix.values[7].tolist() == [[7, 8], [9, 10], [11, 12]]
    assert matrix.context_names == ["vix", "spread_1"]
    assert numpy.isnan(matrix.context[3, 0])
    assert matrix.to_arrow().column_names == ["timestamp", "values", "vix", "spread_1"]
    pieces = list(store.features.matrices(span="12h", dtype="float32"))
    assert [len(piece.times) for piece in pieces] == [12, 12, 12, 12, 2]
    numpy.testing.assert_array_equal(
        numpy.concatenate([piece.values for piece in pieces]), matrix.values.astype("float32")
    )
    assert store.features.matrix(columns=["vix"]).shape == (50, 0, 0)


def test_what_cannot_be_is_named(store: lamina.Store) -> None:
    store.bars.save(hourly("2024-01-01", 3, 1.0), "A")
    with pytest.raises(lamina.NotFound, match="'B'"):
        store.bars.matrix(["A", "B"])
    with pytest.raises(lamina.NotFound, match="'B'"):
        next(store.bars.matrices(["A", "B"]))
    with pytest.raises(lamina.InvalidArgument, match="twice"):
        store.bars.matrix(["A", "A"])
    with pytest.raises(lamina.InvalidArgument, match="float64, float32"):
        store.bars.matrix(dtype="int8")
    with pytest.raises(lamina.InvalidArgument, match="outer, inner"):
        store.bars.matrix(join="left")
    with pytest.raises(lamina.InvalidArgument, match="span"):
        next(store.bars.matrices(span="0s"))
    with pytest.raises(lamina.NotFound, match="no column 'closs'"):
        store.bars.matrix(features=["closs"])
    with pytest.raises(lamina.InvalidArgument, match="does not hold numbers"):
        store.bars.matrix(features=["timeframe"])
    with pytest.raises(lamina.NotFound):
        store.features.matrix("features")
    assert store.bars.matrix(start="2025-01-01").shape == (0, 0, 5)
