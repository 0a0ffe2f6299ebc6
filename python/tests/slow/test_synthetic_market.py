"""A made market of the design's size: counts, sizes as binary, CSV and in the store, values."""

from pathlib import Path

import numpy
import pyarrow
import pyarrow.csv
from lamina.marketdata import StorageManager

from lamina import synthetic_market

HOURS = 18_720
MB = 1_000_000


def test_bars_of_three_years_of_twenty_instruments(tmp_path: Path) -> None:
    rows = binary = text = 0
    with StorageManager(tmp_path / "data") as storage:
        for name, table in synthetic_market.bars():
            rows += table.num_rows
            # Eight columns of eight bytes: with instrument, year and month as numbers.
            binary += table.num_rows * 8 * 8
            path = tmp_path / "one.csv"
            pyarrow.csv.write_csv(table.append_column("instrument", [[name] * HOURS]), path)
            text += path.stat().st_size
            assert len(storage.save_ohlcv_data(table, name)) == 36
        assert rows == 374_400
        assert round(binary / MB) == 24
        assert 20 < text / MB < 72
        stored = storage.store.datasets.get("ohlcv")
        assert stored["rows"] == rows
        assert stored["bytes"] < binary / 2
        files = storage.store.registry.files().to_dicts()
        assert len(files) == 20 * 36
        tree = sum(file["file_size"] for file in files)
        assert tree < binary
        again = dict(synthetic_market.bars())
        assert list(again) == synthetic_market.instruments()
        for name in ("EUR_GBP", list(again)[-1]):
            loaded = storage.store.bars.load(name).to_arrow()
            for column in ("timestamp", "open", "high", "low", "close", "volume"):
                assert loaded[column].equals(again[name][column]), column
        [quality] = storage.store.bars.quality("EUR_GBP", calendar="FOREX")
        assert (quality.rows, quality.problems) == (HOURS, [])


def test_a_hundred_features_and_a_hundred_latents(tmp_path: Path) -> None:
    indicators = ("slope_high", "slope_low", "volatility", "direction")
    features = [f"{one}_{i}" for i in range(20) for one in indicators]
    features += [f"context_{i}" for i in range(20)]
    latents = [f"latent_{i}" for i in range(100)]
    with StorageManager(tmp_path / "data") as storage:
        for kind, names in (("features", features), ("latents", latents)):
            table = synthetic_market.wide(names)
            assert len(storage.save_features(table, kind)) == 36
            loaded = storage.store.datasets.load(kind).to_arrow()
            assert loaded.num_rows == HOURS
            for name in (names[0], names[-1]):
                assert numpy.array_equal(loaded[name].to_numpy(), table[name].to_numpy())
            raw = HOURS * 100 * 8
            assert round(raw / MB) == 15
            # Numbers without any pattern hardly get smaller.
            assert storage.store.datasets.get(kind)["bytes"] < 1.02 * raw
        matrix = storage.store.features.matrix("latents", dtype="float32")
        assert matrix.values.shape == (HOURS, 100, 1)
        assert isinstance(matrix.to_arrow(), pyarrow.Table)
