import gc
import re
import subprocess
import sys
import threading

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import lamina

SOURCE = pa.table({"symbol": ["A", "B<", None], "price": [1.0, 2.0, None]})

SOURCES = {
    "pyarrow.Table": lambda: SOURCE,
    "pyarrow.RecordBatchReader": lambda: SOURCE.to_reader(),
    "polars.DataFrame": lambda: pl.DataFrame(SOURCE),
    "pandas.DataFrame": lambda: SOURCE.to_pandas(),
    "duckdb.Relation": lambda: duckdb.connect().from_arrow(SOURCE),
    "lamina.Table": lambda: lamina.Table(SOURCE),
}


@pytest.mark.parametrize("name", SOURCES)
def test_takes_and_gives_any_arrow_stream(name):
    table = lamina.Table(SOURCES[name]())
    assert (table.num_rows, len(table)) == (3, 3)
    assert table.column_names == ["symbol", "price"]
    assert table.to_arrow().column("price").to_pylist() == [1.0, 2.0, None]
    assert table.to_polars()["symbol"].to_list() == ["A", "B<", None]
    frame = table.to_pandas()
    assert isinstance(frame, pd.DataFrame) and frame["price"].tolist()[:2] == [1.0, 2.0]
    assert duckdb.connect().from_arrow(table).aggregate("sum(price)").fetchall() == [(3.0,)]
    assert table.to_dicts()[1] == {"symbol": "B<", "price": 2.0}
    assert pa.schema(table).names == ["symbol", "price"]


def test_can_be_taken_many_times_from_many_threads():
    table = lamina.Table(pa.table({"x": list(range(10_000))}))
    totals = []

    def take():
        for _ in range(20):
            totals.append(pl.DataFrame(table)["x"].sum())

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(totals) == {sum(range(10_000))} and len(totals) == 80


def test_stream_that_nobody_takes_is_released():
    before = pa.total_allocated_bytes()
    for _ in range(5):
        lamina.Table(SOURCE).__arrow_c_stream__()
    gc.collect()
    assert pa.total_allocated_bytes() <= before + 64


@pytest.mark.parametrize("source", [[1, 2], None, {"a": [1]}, 3])
def test_refuses_other_objects(source):
    with pytest.raises(TypeError, match="__arrow_c_stream__"):
        lamina.Table(source)


def test_a_consumed_stream_is_an_error_not_a_crash():
    capsule = SOURCE.__arrow_c_stream__()

    class Once:
        def __arrow_c_stream__(self, requested_schema=None):
            return capsule

    lamina.Table(Once())
    with pytest.raises(lamina.InvalidArgument):
        lamina.Table(Once())


def test_empty_table_keeps_its_schema():
    table = lamina.Table(SOURCE.slice(0, 0))
    assert table.num_rows == 0 and table.to_arrow().schema.names == ["symbol", "price"]
    assert "<tbody></tbody>" in table._repr_html_()


def test_html_escapes_and_says_what_it_left_out():
    text = lamina.Table(pa.table({"<b>": [f"&{i}" for i in range(25)]}))._repr_html_()
    assert "<th>&lt;b&gt;</th>" in text and "<td>&amp;0</td>" in text
    assert text.count("<td>") == 20 and "5 more rows" in text


def test_one_arrow_library_in_the_process():
    with open("/proc/self/maps", encoding="utf-8") as maps:
        libraries = set(re.findall(r"/\S*/libarrow\.so\S*", maps.read()))
    assert len(libraries) == 1, libraries
    assert lamina.arrow_version() == pa.cpp_version


def test_imports_without_pyarrow():
    code = "import sys, lamina; assert 'pyarrow' not in sys.modules; print(lamina.__version__)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(r"\d+\.\d+\.\d+", done.stdout.strip())
