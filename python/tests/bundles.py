"""Read bundles with outside tools (msgpack, zstandard), to judge what the store says."""

import struct
from pathlib import Path

import msgpack
import zstandard


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
