"""Ticks from Python: record, query, stream, follow, keep."""

import datetime as dt
import threading
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import lamina

SECOND = 1_000_000_000
START = 1_736_519_400 * SECOND  # 2025-01-10 14:30 UTC
END = START + 86_400 * SECOND


@pytest.fixture
def store(tmp_path):
    with lamina.open(tmp_path / "store", create=True) as opened:
        yield opened


def trades(rows: int, *, contract: int = 7, first: int = START, step: int = SECOND) -> pa.Table:
    return pa.table(
        {
            "ts_ns": first + step * np.arange(rows),
            "contract_id": np.full(rows, contract),
            "tick_type": ["last"] * rows,
            "price": 100 + np.arange(rows) * 0.25,
            "size": np.ones(rows),
        }
    )


def quotes(rows: int, *, contract: int = 7, first: int = START, step: int = SECOND) -> pa.Table:
    return pa.table(
        {
            "ts_ns": first + step * np.arange(rows),
            "contract_id": np.full(rows, contract),
            "tick_type": ["bid_ask"] * rows,
            "bid_price": np.full(rows, 99.0),
            "bid_size": np.ones(rows),
            "ask_price": np.full(rows, 101.0),
            "ask_size": np.ones(rows),
        }
    )


def test_every_kind_of_table_is_taken(store):
    table = trades(4)
    with store.ticks.writer(source="test") as writer:
        acks = [
            writer.append(table),
            writer.append(table.to_pandas()),
            writer.append(pl.DataFrame(table)),
            writer.append(table.to_pydict()),
            writer.append(table.to_pylist()),
            writer.append(table.to_pylist()[0]),
            writer.append(
                {
                    "timestamp": dt.datetime(2025, 1, 10, 15, tzinfo=dt.UTC),
                    "contract_id": 7,
                    "tick_type": "mid_point",
                    "price": 5,
                }
            ),
        ]
        assert [ack.count for ack in acks] == [4, 4, 4, 4, 4, 1, 1]
        assert [ack.seq_first for ack in acks[1:]] == [ack.seq_last + 1 for ack in acks[:-1]]
        assert writer.counts()["appended"] == 22
    rows = store.ticks.query(7, ["last", "mid_point"], START, END, columns=["ts_ns", "source"])
    assert rows.num_rows == 22
    assert set(rows.to_arrow().column("source").to_pylist()) == {"test"}


def test_answers_have_the_documented_columns(store):
    store.ticks.append(trades(3))
    store.ticks.append(quotes(3))
    both = store.ticks.query(7, ["bid_ask", "last"], START, END)
    assert both.column_names == [
        "ts_ns",
        "recv_ns",
        "contract_id",
        "tick_type",
        "writer",
        "seq",
        "price",
        "size",
        "bid_price",
        "bid_size",
        "ask_price",
        "ask_size",
        "exchange",
        "conditions",
        "flags",
    ]
    rows = both.to_dicts()
    assert [row["ts_ns"] for row in rows] == sorted(row["ts_ns"] for row in rows)
    assert {row["tick_type"] for row in rows} == {"last", "bid_ask"}
    frame = both.to_pandas()
    assert frame.columns[0] == "timestamp"
    assert frame["timestamp"].iloc[0] == pd.Timestamp(START, tz="UTC")
    bars = store.ticks.query(7, ["bid_ask", "last"], START, END, resolution="1m")
    assert bars.column_names == [
        "timestamp",
        "contract_id",
        "tick_type",
        "open",
        "high",
        "low",
        "close",
        "volume",
        "vwap",
        "n_ticks",
        "bid_close",
        "ask_close",
        "spread_mean",
    ]
    assert [row["close"] for row in bars.to_dicts()] == [100.5, 100.0]
    assert [row["volume"] for row in bars.to_dicts()] == [3.0, None]
    empty = store.ticks.query(8, "last", START, END)
    assert empty.num_rows == 0
    assert len(empty.to_pandas().columns) == len(empty.column_names) + 1


def test_bad_input_is_refused_whole(store):
    bad = {
        "price": pa.array([1.0, None, 2.0]),
        "size": pa.array([1.0, -1.0, 2.0]),
        "ts_ns": pa.array([START, 5, START]),
        "contract_id": pa.array([1, 0, 2]),
        "tick_type": pa.array(["last", "trade", "last"]),
    }
    with store.ticks.writer() as writer:
        for name, column in bad.items():
            table = trades(3)
            table = table.set_column(table.column_names.index(name), name, column)
            with pytest.raises(lamina.InvalidArgument):
                writer.append(table)
        with pytest.raises(lamina.InvalidArgument, match="did you mean `price`"):
            writer.append({"ts_ns": [START], "prise": [1.0]})
        with pytest.raises(lamina.InvalidArgument):
            writer.append(42)
    assert store.ticks.query([1, 2, 7], "last", 0, END).num_rows == 0
    for arguments in [
        (7, "trade", START, END),
        (7, [], START, END),
        (7, "last", END, START),
        (7, "last", "yesterday", END),
        (True, "last", START, END),
    ]:
        with pytest.raises(lamina.InvalidArgument):
            store.ticks.query(*arguments)
    with pytest.raises(lamina.InvalidArgument, match="1x"):
        store.ticks.query(7, "last", START, END, resolution="1x")
    with pytest.raises(lamina.NotFound):
        store.ticks.query("AAPL", "last", START, END)
    with pytest.raises(lamina.InvalidArgument, match="needs a calendar"):
        store.ticks.query(7, "last", START, END, session="regular")


def test_odd_ticks_are_kept(store):
    same = trades(190, step=0)
    far = trades(1, contract=2**40)
    negative = {
        "ts_ns": START,
        "contract_id": 7,
        "tick_type": "last",
        "price": -37.63,
        "size": 0.0,
        "recv_ns": START - SECOND,
    }
    crossed = {
        "ts_ns": START,
        "contract_id": 7,
        "tick_type": "bid_ask",
        "bid_price": 2.0,
        "bid_size": 1.0,
        "ask_price": 1.0,
        "ask_size": 1.0,
    }
    for ticks in (same, far, negative, crossed):
        store.ticks.append(ticks)
    for _ in range(2):
        assert store.ticks.query(7, "last", START, START + 1).num_rows == 191
        assert store.ticks.query(2**40, "last", START, END).num_rows == 1
        assert store.ticks.query(7, "bid_ask", START, END).to_dicts()[0]["ask_price"] == 1.0
        store.ticks.archive()


def test_a_producer_may_repeat_itself(store):
    with store.ticks.writer(producer="feed") as writer:
        first = writer.append(trades(5), producer_seq=1)
        again = writer.append(trades(5), producer_seq=1)
        assert not first.repeated
        assert again.repeated
        assert (again.seq_first, again.seq_last) == (first.seq_first, first.seq_last)
    assert store.ticks.query(7, "last", START, END).num_rows == 5


def test_stream_pages_and_query_agree(store):
    for contract in (1, 2, 3):
        store.ticks.append(trades(500, contract=contract, step=SECOND // 3))
    store.ticks.archive()
    store.ticks.append(quotes(400, contract=2))
    arguments = ([1, 2, 3], ["last", "bid_ask"], START, END)
    whole = store.ticks.query(*arguments).to_arrow()
    assert whole.num_rows == 1900
    batches = list(store.ticks.stream(*arguments, batch_rows=100))
    assert all(batch.num_rows <= 100 for batch in batches)
    assert pa.concat_tables(batch.to_arrow() for batch in batches).equals(whole)
    pages, cursor = [], None
    while True:
        page = store.ticks.query(*arguments, limit=700, cursor=cursor)
        pages.append(page.to_arrow())
        if not page.truncated:
            break
        cursor = page.next_cursor
    assert [page.num_rows for page in pages] == [700, 700, 500]
    assert pa.concat_tables(pages).equals(whole)
    waits: list[float] = []
    replayed = list(store.ticks.replay(*arguments, speed=1e6, sleep=waits.append))
    assert sum(batch.num_rows for batch in replayed) == 1900
    with pytest.raises(lamina.InvalidArgument):
        store.ticks.replay(*arguments, speed=0)


def test_far_ends_and_long_silences(store):
    stamps = [157_766_400 * SECOND, 946_684_800 * SECOND, 1_717_200_000 * SECOND]
    for stamp in stamps:
        store.ticks.append(trades(1, first=stamp))
    for end in ("2080-01-01", "2100-01-01", "2199-01-01", None):
        for start, expected in (("2024-01-01", stamps[2:]), ("1971-01-02", stamps), (0, stamps)):
            batches = store.ticks.stream(7, "last", start, end)
            seen = [at for batch in batches for at in batch.to_arrow().column("ts_ns").to_pylist()]
            assert seen == expected, (start, end)
            days = store.ticks.query(7, "last", start, end, resolution="1d").to_arrow()
            assert days.column("n_ticks").to_pylist() == [1] * len(expected), (start, end)


def test_texts_of_times_are_kept_to_the_nanosecond(store):
    row = {"contract_id": [1], "tick_type": ["last"], "price": [1.0], "size": [1.0]}
    text = "2024-01-01T00:00:00.123456789"
    for zone, hours in (("Z", 0), ("", 0), ("+02:00", 2)):
        store.ticks.append({"timestamp": [text + zone], **row})
        at = (1_704_067_200 - hours * 3600) * SECOND + 123_456_789
        begin, end = text + zone, text.replace("789", "79") + zone
        assert store.ticks.query(1, "last", begin, end).to_arrow().column("ts_ns")[0].as_py() == at
        assert store.ticks.query(1, "last", end, text[:-3] + "9" + zone).num_rows == 0
    for fine in ("2024-01-01T00:00:00.1234567891Z", "2024-01-01T00:00:00.1234567x"):
        with pytest.raises(lamina.InvalidArgument):
            store.ticks.query(1, "last", fine)
    with pytest.raises(lamina.InvalidArgument, match="cannot be read"):
        store.ticks.append({**row, "ts_ns": [START], "contract_id": [2**63]})


def test_a_tail_sees_what_comes_once(store):
    store.ticks.append(trades(10))
    history = store.ticks.query(7, "last", START)
    tail = store.ticks.tail(7, "last", from_seq=history.tail_cursor, wait=5)
    assert tail.poll().num_rows == 0
    with store.ticks.writer() as writer:

        def record():
            for i in range(20):
                writer.append(trades(5, first=START + (i + 1) * 100 * SECOND))

        thread = threading.Thread(target=record)
        thread.start()
        seen = []
        for rows in tail:
            seen += rows.to_arrow().column("seq").to_pylist()
            if len(seen) == 100:
                break
        thread.join()
    assert len(set(seen)) == 100
    store.ticks.archive()
    again = store.ticks.tail(7, "last", from_seq=0, wait=0)
    assert sum(rows.num_rows for rows in again) == 110
    assert store.ticks.tail(7, "last", from_seq=tail.cursor).poll().num_rows == 0
    for wrong in ("nonsense", 5):
        with pytest.raises(lamina.InvalidArgument):
            store.ticks.tail(7, "last", from_seq=wrong)


def test_what_is_stored_outlives_the_process_and_is_read_by_others(store):
    store.ticks.append(trades(100))
    store.ticks.append(quotes(50))
    done = store.ticks.archive()
    assert done["ticks"] == 150
    assert store.ticks.archive()["ticks"] == 0
    files = [str(path) for path in Path(store.root, "lake", "ticks", "trades").rglob("*.parquet")]
    total = sum(trades(100).column("price").to_pylist())
    assert duckdb.sql(f"SELECT sum(price) FROM read_parquet({files})").fetchone()[0] == total
    assert pl.read_parquet(files)["price"].sum() == total
    assert pd.concat(pd.read_parquet(path) for path in files)["price"].sum() == total
    assert store.sql("SELECT count(*) FROM ticks.quotes").fetchone()[0] == 50
    with lamina.open(store.root, read_only=True) as other:
        assert other.ticks.query(7, ["last", "bid_ask"], START, END).num_rows == 150


def test_answers_from_the_cache_are_never_stale(store):
    store.ticks.append(trades(100))
    store.ticks.archive()
    arguments = (7, "last", START, END)
    store.ticks.query(*arguments)
    assert store.ticks.query(*arguments).facts["cached"]
    assert not store.ticks.query(*arguments, resolution="1m").facts["cached"]
    store.ticks.append(trades(10, first=START + 5000 * SECOND))
    assert store.ticks.query(*arguments).num_rows == 110
    store.ticks.archive()
    assert store.ticks.query(*arguments).num_rows == 110
    store.ticks.void(7, "last", START, START + SECOND, reason="test")
    assert store.ticks.query(*arguments).num_rows == 109
    assert store.ticks.warm([7, 8], "last", START, END) == 2
    assert store.ticks.cache()["hits"] >= 1


def test_voids_are_told_and_undone(store):
    store.ticks.append(trades(10))
    before = store.ticks.archive()["snapshot"]
    with pytest.raises(lamina.NotFound):
        store.ticks.void(7, "last", START, END, above=1e9, reason="none")
    void = store.ticks.void(7, "last", START, END, above=101.0, reason="high")
    assert void["ticks"] == 5
    assert store.ticks.query(7, "last", START, END).num_rows == 5
    assert store.ticks.query(7, "last", START, END, snapshot=before).num_rows == 10
    assert store.ticks.voids()[0]["reason"] == "high"
    store.ticks.unvoid(void["void_id"], reason="right after all")
    assert store.ticks.query(7, "last", START, END).num_rows == 10


def test_statistics_coverage_and_events(store):
    with store.ticks.writer() as writer:
        writer.append(trades(600))
        writer.event(
            7, "last", "gap", "line down", start=START + 700 * SECOND, end=START + 800 * SECOND
        )
    store.ticks.archive()
    (row,) = store.ticks.statistics(7, dt.date(2025, 1, 10)).to_dicts()
    assert (row["total_ticks"], row["total_volume"], row["low_price"]) == (600, 600.0, 100.0)
    assert store.ticks.statistics(8).num_rows == 0
    spans = store.ticks.coverage(7, "last", START, START + 1000 * SECOND).to_dicts()
    assert spans[0]["state"] == "present"
    assert ("gap", "line down") in {(span["state"], span["reason"]) for span in spans}
    storage = store.ticks.storage()
    assert (storage["archive_ticks"], storage["waiting_ticks"]) == (600, 0)
    assert storage["compression_ratio"] == storage["json_bytes"] / storage["archive_bytes"] > 3
    assert storage["bytes_per_tick"] == storage["archive_bytes"] / 600
    assert dt.datetime.now(dt.UTC) - storage["archived_at"] < dt.timedelta(hours=1)
    due = store.ticks.retention()
    assert due["dry_run"]
    assert due["segments"] == 0


def test_the_gil_is_released_and_writers_share_a_store(store):
    with store.ticks.writer(durability="os") as one, store.ticks.writer(durability="os") as two:
        assert one.writer != two.writer

        def record(writer):
            for i in range(50):
                writer.append(trades(20, first=START + i * SECOND))

        threads = [threading.Thread(target=record, args=(w,)) for w in (one, two, one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    rows = store.ticks.query(7, "last", START, END).to_arrow()
    assert rows.num_rows == 4000
    keys = set(zip(rows.column("writer").to_pylist(), rows.column("seq").to_pylist(), strict=True))
    assert len(keys) == 4000
