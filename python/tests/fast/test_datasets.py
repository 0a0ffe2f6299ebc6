"""Datasets, bars, features, registry of a store."""

import datetime as dt
import math
from pathlib import Path

import pandas
import polars
import pyarrow
import pytest
from market_frames import hourly_bars

import lamina


@pytest.fixture
def store(tmp_path: Path):
    with lamina.open(tmp_path / "store", create=True) as opened:
        yield opened


def test_bars_are_saved_merged_and_loaded(store: lamina.Store) -> None:
    frame = hourly_bars("2022-12-31 20:00", 10)
    report = store.bars.save(frame.sample(frac=1, random_state=3), "EUR_USD")
    assert report == ["bars/ohlcv/year=2022", "bars/ohlcv/year=2023"]
    assert (report.added, report.sorted) == (10, False)
    assert store.bars.save(frame, "EUR_USD").unchanged == 10
    late = store.bars.save(hourly_bars("2023-01-01 05:00", 2, close=9), "EUR_USD", complete=False)
    assert (late.kept, late.added) == (1, 1)
    loaded = store.bars.load("EUR_USD", "2022-12-31T23:00", "2023-01-01T02:00").to_pandas()
    pandas.testing.assert_frame_equal(
        loaded[frame.columns],
        frame.iloc[3:6].astype({"timestamp": loaded.timestamp.dtype}).reset_index(drop=True),
        check_dtype=False,
    )
    assert loaded["year"].tolist() == [2022, 2023, 2023]
    assert store.bars.load("GBP_USD").num_rows == 0
    assert store.bars.delete("EUR_USD", "2023-01-01", "2023-01-02") == 7
    assert store.bars.load(None, columns=["close"]).num_rows == 4


@pytest.mark.parametrize("name", ["plain", "Caf\u00e9", "a.b", "a b"])
def test_a_save_names_the_folders_it_wrote(store: lamina.Store, name: str) -> None:
    report = store.bars.save(hourly_bars("2022-12-31 20:00", 10), "EUR_USD", dataset=name)
    assert len(report) == 2
    for folder in report:
        assert list((Path(store.root) / "lake" / folder).glob("*.parquet"))


def test_frames_of_any_library(store: lamina.Store) -> None:
    frame = hourly_bars("2024-01-01", 4)
    for name, given in {
        "PANDAS": frame.set_index("timestamp"),
        "POLARS": polars.from_pandas(frame),
        "ARROW": pyarrow.Table.from_pandas(frame, preserve_index=False),
        "DICT": {name: frame[name].to_numpy() for name in frame if name != "timestamp"}
        | {"timestamp": pyarrow.array(frame["timestamp"])},
    }.items():
        store.bars.save(given, name)
    loaded = store.bars.load().to_pandas()
    for _, group in loaded.groupby("instrument"):
        assert group["close"].tolist() == frame["close"].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: f.assign(timestamp=f.timestamp.dt.tz_localize(None)), "without a zone"),
        (lambda f: f.drop(columns="low"), "lack 'low'"),
        (lambda f: f.assign(vwap=1.0), "no column 'vwap'"),
        (
            lambda f: f.assign(timestamp=f.timestamp + pandas.Timedelta(1, "ns")),
            "'timestamp', row 0.*microsecond",
        ),
        (lambda f: f.assign(volume=float(2**53 + 2)), "'volume', row 0"),
        (lambda f: f.assign(close="a"), "'close'"),
        (lambda f: f.assign(close=pandas.array([None] * len(f), "Float64")), "'close', row 0"),
    ],
)
def test_bad_frames_are_named(store: lamina.Store, change, message: str) -> None:
    with pytest.raises(lamina.InvalidArgument, match=message):
        store.bars.save(change(hourly_bars("2024-01-01", 3)), "EUR_USD")
    assert store.bars.load().num_rows == 0


def test_features_keep_nan_apart_from_null(store: lamina.Store) -> None:
    stamps = pandas.date_range("2022-01-01", periods=3, freq="h", tz="UTC")
    rows = pyarrow.table(
        {
            "timestamp": pyarrow.array(stamps),
            "a": pyarrow.array([1.0, math.nan, None], from_pandas=False),
        }
    )
    report = store.features.save(rows, "features")
    assert (report.nans, report.nulls) == (1, 1)
    column = store.features.load("features").to_arrow()["a"].to_pylist()
    assert column[0] == 1.0
    assert math.isnan(column[1])
    assert column[2] is None
    with pytest.raises(lamina.InvalidArgument, match="no column 'b'"):
        store.features.save({"timestamp": rows["timestamp"], "b": [1, 2, 3]})
    store.features.save({"timestamp": rows["timestamp"], "b": [1, 2, 3]}, add_columns=True)
    assert store.features.load(columns=["b"]).to_arrow()["b"].to_pylist() == [1.0, 2.0, 3.0]


def test_predefined_shapes_and_own_datasets(store: lamina.Store) -> None:
    store.datasets.create_features()
    store.datasets.create_latents(size=120)
    columns = [one[0] for one in store.datasets.get("features")["columns"]]
    assert len(columns) == 81
    assert columns[:6] == [
        "timestamp",
        "slope_high_0",
        "slope_low_0",
        "volatility_0",
        "direction_0",
        "slope_high_1",
    ]
    assert store.datasets.get("latents")["columns"][-1][0] == "latent_119"
    store.datasets.create(
        "funding", {"symbol": "varchar", "rate": "float64"}, keys=["symbol", "timestamp"],
        partition="date",
    )  # fmt: skip
    rows = {
        "timestamp": [dt.datetime(2024, 1, day, tzinfo=dt.UTC) for day in (1, 2)],
        "symbol": ["BTC", "BTC"],
        "rate": [0.1, 0.2],
    }
    assert len(store.datasets.save("funding", rows, mode="append")) == 2
    with pytest.raises(lamina.AlreadyExists):
        store.datasets.save("funding", rows, mode="append")
    snapshot = store.snapshot_at(None)
    replaced = store.datasets.save(
        "funding",
        {name: values[:1] for name, values in rows.items()},
        mode="replace",
        replace=("2024-01-01", "2024-02-01"),
    )
    assert replaced.removed == 2
    assert store.datasets.load("funding").num_rows == 1
    assert store.datasets.load("funding", snapshot=snapshot).num_rows == 2
    with pytest.raises(lamina.AlreadyExists):
        store.datasets.create("funding", {"x": "float64"})


def test_splits_registry_and_lineage(store: lamina.Store) -> None:
    store.bars.save(hourly_bars("2022-01-01", 48), "EUR_USD")
    counts = store.features.splits(
        {"train": ("2022-01-01", "2022-01-02"), "validation": ("2022-01-02", "2022-01-03")}
    )
    assert counts == {"train": 24, "validation": 24}
    assert store.registry.stale() == []
    registry = store.registry
    file = registry.put_files(
        [
            {
                "file_path": "a",
                "instrument": "EUR_USD",
                "data_type": "ohlcv",
                "start_date": "x",
                "end_date": "y",
                "record_count": 1,
                "file_size": 2,
                "checksum": "c",
            }
        ]
    )[0]
    run = registry.log_processing_run("training", "h", [file], [], "success")
    model = registry.register_model_artifact("gbdt", "1", "m", "h", run, {"auc": 0.6})
    assert [edge.input_kind for edge in registry.lineage("artifact", model)] == [
        "processing_run",
        "file",
    ]
    with pytest.raises(lamina.InvalidArgument, match="not registered: 99"):
        registry.log_processing_run("training", "h", [99], [], "success")
    with pytest.raises(lamina.InvalidArgument, match="success partial failed"):
        registry.log_fetch_run("EUR_USD", "H1", "a", "b", 1, 1, 0.1, "good")
    store.bars.save(hourly_bars("2022-02-01", 1), "EUR_USD")
    assert [edge.output_id for edge in registry.stale()] == ["splits"]


def test_sql_sees_bars(store: lamina.Store) -> None:
    store.bars.save(hourly_bars("2022-01-01", 30), "EUR_USD")
    store.bars.save(hourly_bars("2022-01-01", 1, close=50), "EUR_USD")
    rows = store.sql("SELECT count(*), max(close) FROM bars.ohlcv WHERE year = 2022").fetchall()
    assert rows == [(30, 50.0)]


def test_bad_names_ranges_and_rows_of_the_registry(store: lamina.Store) -> None:
    frame = hourly_bars("2024-01-01", 3)
    for arguments in ({"instrument": ""}, {"timeframe": ""}, {"timeframe": "1/2"}):
        with pytest.raises(lamina.InvalidArgument, match="timeframe"):
            store.bars.save(frame, **{"instrument": "A"} | arguments)
    for name in ("../x", "a\\b", ""):
        with pytest.raises(lamina.InvalidArgument):
            store.bars.save(frame, "A", dataset=name)
    with pytest.raises(lamina.InvalidArgument, match="give a frame"):
        store.bars.save([1, 2], "A")
    assert store.datasets.list() == []
    store.bars.save(frame, "A")
    for call in (
        lambda: store.bars.load("A", "2024-02-01", "2024-01-01"),
        lambda: store.bars.delete("A", "2024-02-01", "2024-01-01"),
        lambda: store.bars.resample("A", "1d", start="2024-02-01", end="2024-01-01"),
        lambda: store.bars.save(frame, "A", mode="replace", replace=("2024-02-01", "2024-01-01")),
    ):
        with pytest.raises(lamina.InvalidArgument, match="starts after it ends"):
            call()
    registry = store.registry
    with pytest.raises(lamina.InvalidArgument, match="'x' is no id"):
        registry.log_processing_run("training", "h", ["x"], [], "success")
    with pytest.raises(lamina.InvalidArgument, match="no edge"):
        registry.add_lineage([("dataset", "a", "dataset")])
    with pytest.raises(lamina.InvalidArgument, match="duration_seconds"):
        registry.log_fetch_run("A", "H1", "a", "b", 1, 1, math.nan, "success")
    with pytest.raises(lamina.InvalidArgument, match="records_fetched"):
        registry.log_fetch_run("A", "H1", "a", "b", -1, 1, 0.1, "success")
    with pytest.raises(lamina.InvalidArgument, match="rule"):
        store.bars.resample("A", None)
    assert registry.fetches().num_rows == registry.runs().num_rows == 0


def test_a_partition_file_deleted_by_hand_is_named(store: lamina.Store) -> None:
    store.bars.save(hourly_bars("2023-12-31 20:00", 10), "A")
    [path] = (Path(store.root) / "lake").rglob("year=2024/*.parquet")
    path.unlink()
    with pytest.raises(lamina.Corruption, match=path.name):
        store.bars.load("A")
    with pytest.raises(lamina.Corruption, match=path.name):
        store.bars.resample("A", "1d")
    assert store.bars.load("A", end="2024-01-01").num_rows == 4
    assert not store.verify()
