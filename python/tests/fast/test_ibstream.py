"""The IB-Stream design's own names and examples."""

import asyncio
import datetime as dt
import decimal
import json
import math

import numpy as np
import pandas as pd
import pytest
from lamina.ibstream import (
    MarketSessions,
    ParquetArchive,
    StorageConfig,
    StorageQuery,
    StreamBuffer,
)

import lamina

AAPL, MSFT = 265598, 264598
NOON = dt.datetime(2025, 1, 10, 17, tzinfo=dt.UTC)
V3 = {"ts": 1736528400000000, "st": 1736528400250000, "cid": AAPL, "tt": "last", "p": 1.5, "s": 2.0}
V2 = {
    "type": "tick",
    "stream_id": "265598_bid_ask_1736528400000_ab12",
    "timestamp": "2025-01-10T17:00:01.5Z",
    "data": {
        "contract_id": AAPL,
        "tick_type": "BidAsk",
        "unix_time": 1736528401,
        "bid_price": 1.0,
        "bid_size": 2,
        "ask_price": 3.0,
        "ask_size": 4,
    },
    "metadata": {"source": "live"},
}


@pytest.fixture
def working_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LAMINA_STORE", raising=False)
    return tmp_path


def test_the_buffer_takes_what_streams_give(working_folder):
    ticks = [
        (f"{AAPL}_last_1736528400000_ab12", V3),
        (V2["stream_id"], V2),
        (  # of the formatter: local time without a zone, numbers of the interface
            f"bg_{AAPL}_all_last",
            {
                "type": "time_sales",
                "timestamp": "2025-01-10 11:00:02",
                "unix_time": 1736528402,
                "tick_type": "AllLast",
                "price": 244.5,
                "size": decimal.Decimal("100"),
                "exchange": "ARCA",
                "conditions": "T",
                "past_limit": False,
                "unreported": True,
            },
        ),
        (
            f"bg_{AAPL}_mid_point",
            {"type": "midpoint", "unix_time": 1736528403, "midpoint": np.float64(244.25)},
        ),
        (f"{AAPL}_last", {"timestamp": NOON, "price": 7.0, "size": 1}),
    ]

    async def record() -> list[lamina.Ack]:
        with StreamBuffer() as buffer:
            return await asyncio.gather(*(buffer.append_tick(*tick) for tick in ticks))

    acks = asyncio.run(record())
    assert sorted(ack.seq_first for ack in acks) == [0, 1, 2, 3, 4]
    with lamina.open("storage") as store:
        rows = store.ticks.query(
            AAPL,
            ["last", "all_last", "bid_ask", "mid_point"],
            NOON,
            NOON + dt.timedelta(hours=1),
        ).to_dicts()
    assert [(row["ts_ns"] // 10**9 - 1736528400, row["tick_type"]) for row in rows] == [
        (0, "last"),
        (0, "last"),
        (1, "bid_ask"),
        (2, "all_last"),
        (3, "mid_point"),
    ]
    assert (rows[3]["price"], rows[3]["size"], rows[3]["flags"]) == (244.5, 100.0, 2)
    assert rows[4]["price"] == 244.25


def test_what_is_no_tick_of_a_stream_is_refused(working_folder):
    with StreamBuffer(30) as buffer:
        for stream_id, tick, says in [
            ("../../etc", {"unix_time": 1736528402, "price": 1, "size": 1}, "names no contract"),
            (f"{AAPL}_multi_bid_ask_last", {"unix_time": 1736528402, "price": 1}, "tick_type"),
            (f"{AAPL}_last", {"ts_ns": 1, "price": 1.0, "size": 1.0}, "1971"),
            (
                f"{AAPL}_last",
                {"timestamp": NOON, "price": math.nan, "size": 1},
                "NaN|nan|compliant",
            ),
            (f"{AAPL}_last", {"timestamp": NOON, "price": object(), "size": 1}, "no value"),
            (f"{AAPL}_last", V3 | {"ts": 1736528400000}, "not a time in microseconds"),
            (
                f"{AAPL}_last",
                {"type": "error", "timestamp": "2025-01-10", "data": {}},
                "not a tick",
            ),
            (f"{AAPL}_last", ["a"], "dict"),
        ]:
            with pytest.raises(lamina.InvalidArgument, match=says):
                asyncio.run(buffer.append_tick(stream_id, tick))
        assert buffer.writer.counts()["appended"] == 0
    with pytest.raises(lamina.InvalidArgument, match="buffer_rotation_minutes"):
        StreamBuffer(5)


def test_a_file_of_a_buffer_is_archived_once(working_folder):
    lines = [json.dumps(V3 | {"p": float(i)}) for i in range(2500)]
    lines[7] = "torn {"
    lines[8] = ""
    (working_folder / "buffer.jsonl").write_text("\n".join(lines))
    with ParquetArchive("elsewhere") as archive:
        report = asyncio.run(archive.archive_buffer("buffer.jsonl"))
        assert (report["accepted"], report["rejected_count"]) == (2498, 1)
        assert report["rejected"][0]["line"] == 8
        assert asyncio.run(archive.archive_buffer("buffer.jsonl"))["accepted"] == 0
        assert archive.store.ticks.statistics(AAPL).to_dicts()[0]["total_ticks"] == 2498
        again = archive.store.ticks.ingest("buffer.jsonl")
        assert again["accepted"] == 2498  # without `once` every tick counts
        with pytest.raises(lamina.NotFound):
            asyncio.run(archive.archive_buffer("nothing.jsonl"))
        with pytest.raises(lamina.NotFound):
            archive.store.ticks.ingest("nothing.jsonl")
        with pytest.raises(lamina.InvalidArgument, match="xlsx"):
            archive.store.ticks.ingest("buffer.jsonl", format="xlsx")


def test_the_examples_of_the_design(working_folder):
    now = dt.datetime.now(dt.UTC)  # the last tick is of now, so that the session has one
    stamps = [int((now - i * dt.timedelta(minutes=9)).timestamp() * 1e6) * 1000 for i in range(960)]
    stamps.reverse()
    count = len(stamps)
    price = [100 + i * 0.01 for i in range(count)]
    with lamina.open("storage", create=True) as store, store.ticks.writer() as writer:
        for contract in (AAPL, MSFT):
            common = {"ts_ns": stamps, "contract_id": [contract] * count}
            writer.append(
                common | {"tick_type": ["last"] * count, "price": price, "size": [2.0] * count}
            )
            writer.append(common | {"tick_type": ["mid_point"] * count, "price": price})
            quote = {"tick_type": ["bid_ask"] * count, "bid_price": price, "ask_price": price}
            sizes = {"bid_size": [1.0] * count, "ask_size": [1.0] * count}
            writer.append(common | quote | sizes)

    async def examples() -> None:
        # Example 1: the current session; a quote has no price, its VWAP is of trades.
        query = StorageQuery()
        start, end = MarketSessions.get_current_session()
        df = await query.query_range(
            contract_id=AAPL, tick_types=["bid_ask"], start_time=start, end_time=None
        )
        since = int(start.timestamp()) * 10**9
        session = [p for at, p in zip(stamps, price, strict=True) if at >= since]
        assert len(df) == len(session) > 0
        assert math.isnan((df["price"] * df["size"]).sum() / df["size"].sum())
        df = await query.query_range(
            contract_id=AAPL, tick_types=["bid_ask", "last"], start_time=start, end_time=None
        )
        vwap = (df["price"] * df["size"]).sum() / df["size"].sum()
        assert vwap == pytest.approx(sum(session) / len(session))

        # Example 2: the last week as bars, by day.
        end = dt.datetime.now(dt.UTC)
        start = end - dt.timedelta(days=7)
        df = await query.query_range(
            contract_id=AAPL,
            tick_types=["last", "bid_ask"],
            start_time=start,
            end_time=end,
            resolution="1m",
        )
        stats = df.groupby(df["timestamp"].dt.date).agg(
            {"price": ["mean", "std", "min", "max"], "size": "sum"}
        )
        assert stats[("size", "sum")].sum() == 2.0 * count

        # Example 3: two contracts on one clock.
        dfs = []
        for contract_id in (AAPL, MSFT):
            df = await query.query_range(
                contract_id=contract_id,
                tick_types=["mid_point"],
                start_time=start,
                end_time=end,
                resolution="5m",
            )
            df["contract_id"] = contract_id
            dfs.append(df)
        combined = pd.concat(dfs)
        correlation = combined.pivot(
            index="timestamp", columns="contract_id", values="price"
        ).corr()
        assert correlation.loc[AAPL, MSFT] == pytest.approx(1.0)
        empty = await query.query_range(1, ["last"], start, end)
        assert len(empty) == 0
        assert {"timestamp", "price", "size"} <= set(empty.columns)
        query.close()

    asyncio.run(examples())


def test_query_sees_buffer_and_archive_as_one(working_folder):
    async def work() -> None:
        with StreamBuffer(store="one") as buffer, ParquetArchive("one") as archive:
            with StorageQuery(archive, buffer) as query:
                await buffer.append_tick(f"{AAPL}_last", V3)
                archive.store.ticks.archive()
                await buffer.append_tick(f"{AAPL}_last", V3)
                frame = await query.query_range(AAPL, ["last"], NOON, NOON + dt.timedelta(hours=1))
                assert frame["price"].tolist() == [1.5, 1.5]
            with (
                ParquetArchive("two") as other,
                pytest.raises(lamina.InvalidArgument, match="two stores"),
            ):
                StorageQuery(other, buffer)

    asyncio.run(work())


def test_the_configuration_is_that_of_the_store(working_folder):
    assert StorageConfig.buffer_duration_minutes == 120
    config = StorageConfig(buffer_duration_minutes=60, archive_partition_hours=4)
    with config.create("set") as store:
        store.ticks.append(
            {"ts_ns": 10**18, "contract_id": 1, "tick_type": "mid_point", "price": 1}
        )
    assert StorageConfig.load("set") == config
    with pytest.raises(lamina.AlreadyExists):
        config.create("set")
    for wrong, says in [
        (StorageConfig(archive_compression="snappy"), "zstd"),
        (StorageConfig(buffer_rotation_minutes=121), "buffer_duration_minutes"),
        (StorageConfig(archive_partition_hours=5), "divide a day"),
        (StorageConfig(buffer_retention_hours=1), "outlast"),
        (StorageConfig(max_concurrent_writes=0), "max_concurrent_writes"),
    ]:
        with pytest.raises(lamina.InvalidArgument, match=says):
            wrong.create("refused")
    assert not (working_folder / "refused").exists()
    with lamina.open("plain", create=True):
        pass
    assert StorageConfig.load("plain") == StorageConfig()
    with pytest.raises(lamina.NotFound):
        StorageConfig.load("nowhere")


def test_lines_of_json_are_appended_whole_or_not(tmp_path):
    with lamina.open(tmp_path / "store", create=True) as store, store.ticks.writer() as writer:
        text = json.dumps(V3) + "\n\n" + json.dumps(V2) + "\n"
        assert writer.append_json(text).count == 2
        assert writer.append_json(text.encode()).count == 2
        assert writer.append_json(text.splitlines(keepends=True)).count == 2
        assert writer.append_json("").count == 0
        for wrong, says in [
            (json.dumps(V3) + "\nnonsense", "line 2"),
            ([json.dumps(V3), "", json.dumps(V3 | {"p": "1"})], "line 3.*price"),
            (b"\xff", "UTF-8"),
            ([5], "not int"),
        ]:
            with pytest.raises(lamina.InvalidArgument, match=says):
                writer.append_json(wrong)
        assert writer.counts()["appended"] == 6
