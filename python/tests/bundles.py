"""Make small bundles; read any with outside tools (msgpack, zstandard), to judge the store."""

import struct
from pathlib import Path

import msgpack
import zstandard


def small_document(
    algorithm_id: str,
    values: list[float],
    *,
    tag: str = "t",
    parameters: dict | None = None,
    metrics: dict | None = None,
) -> dict:
    """One run without trades whose snapshots, a day apart, have these total values."""
    run = {
        "backtest_start_date": "2024-01-01T00:00:00+00:00",
        "backtest_end_date": "2024-03-01T00:00:00+00:00",
        "backtest_date_range_name": "w",
        "trading_symbol": "EUR",
        "initial_unallocated": 1000,
        "portfolio_snapshots": [
            {"created_at": f"2024-01-{day:02}T00:00:00+00:00", "total_value": value}
            for day, value in enumerate(values, 1)
        ],
        "trades": [],
        "orders": [],
        "positions": [],
    }
    return {
        "format_version": 2,
        "engine_type": "vector",
        "algorithm_id": algorithm_id,
        "parameters": parameters or {},
        "tag": tag,
        "vector_runs": [run],
        "vector_metrics": metrics or {},
        "blobs": {},
    }


def document_bytes(path: Path) -> bytes:
    data = Path(path).read_bytes()
    assert data[:4] == b"IAFB", path
    return zstandard.ZstdDecompressor().decompressobj().decompress(data[8:])


def version(path: Path) -> int:
    return struct.unpack("<I", Path(path).read_bytes()[4:8])[0]


def document(path: Path) -> dict:
    return msgpack.unpackb(document_bytes(path), strict_map_key=False)


def runs(path: Path) -> list[dict]:
    """All run maps of a bundle of any version, in document order."""
    top = document(path)
    if "backtest" in top:
        return top["backtest"].get("backtest_runs") or []
    if "studies" in top:
        return [
            run
            for study in top["studies"].values()
            for slot in ("vector_runs", "event_runs")
            for run in study.get(slot) or []
        ]
    if "vector" in top or "event" in top:
        return [
            run for slot in ("vector", "event") for run in (top.get(slot) or {}).get("runs") or []
        ]
    slot = {"vector": "vector_runs", "event": "event_runs"}.get(
        top.get("engine_type"), "backtest_runs"
    )
    return top.get(slot) or []
