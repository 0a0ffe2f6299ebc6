"""Golden bundles and what is known of them."""

import struct
from pathlib import Path

import msgpack
import zstandard


def golden(shared: Path) -> list[Path]:
    """Every golden bundle file, sorted."""
    folder = shared / "data" / "bundles" / "golden"
    return sorted([*folder.rglob("*.iafbt"), *folder.rglob("*.obtf")])


def payload(path: Path) -> bytes:
    """The MessagePack bytes, by a reader that is not ours."""
    data = path.read_bytes()
    assert data[:4] == b"IAFB"
    assert 1 <= struct.unpack("<I", data[4:8])[0] <= 5
    return zstandard.ZstdDecompressor().decompressobj().decompress(data[8:])


def document(path: Path) -> dict:
    return msgpack.unpackb(payload(path), raw=False, strict_map_key=False)


def run_maps(part) -> list[dict]:
    """The runs of a document of any version, in its order."""
    if isinstance(part, dict):
        if "portfolio_snapshots" in part:
            return [part]
        part = list(part.values())
    return [run for item in part for run in run_maps(item)] if isinstance(part, list) else []
