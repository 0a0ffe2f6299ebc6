"""Damaged and hostile bundles: a clear refusal each, the store as it was."""

import json
import resource
import struct
import subprocess
import sys
from pathlib import Path

import msgpack
import pytest
import zstandard
from command import BINARY, run, run_json

pytestmark = pytest.mark.shared


def write_bundle(path: Path, document: bytes, version: int = 2) -> None:
    path.write_bytes(
        b"IAFB" + struct.pack("<I", version) + zstandard.ZstdCompressor(level=3).compress(document)
    )


@pytest.fixture
def store(tmp_path, shared):
    store = tmp_path / "store"
    run("init", store)
    run(
        "import",
        shared / "data" / "bundles" / "golden" / "v2_8.10.0" / "one_run.iafbt",
        store=store,
    )
    return store


def refused_all(store: Path, folder: Path, files: int, may_import: int = 0) -> list[dict]:
    before = run_json("snapshots", store=store)
    limited = lambda: resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))  # noqa: E731
    done = run(
        "--json", "import", folder, store=store, check=False, preexec_fn=limited, timeout=600
    )
    report = json.loads(done.stdout)
    assert len(report["failed"]) + report["imported"] + report["unchanged"] == files
    assert report["imported"] <= may_import
    assert done.returncode == (1 if report["failed"] else 0)
    if report["imported"] == 0:
        assert run_json("snapshots", store=store) == before
    assert run_json("verify", store=store)["ok"]
    for failure in report["failed"]:
        assert failure["code"] in {
            "kInvalidArgument",
            "kUnsupported",
            "kCorruption",
            "kResourceExhausted",
        }, failure
        assert failure["message"]
    return report["failed"]


def test_truncated_at_every_97th_byte(store, shared, tmp_path):
    data = (
        shared / "data" / "bundles" / "golden" / "v2_8.10.0" / "windows3_full.iafbt"
    ).read_bytes()
    folder = tmp_path / "cut"
    folder.mkdir()
    cuts = range(0, len(data), 97)
    for cut in cuts:
        (folder / f"{cut:06}.iafbt").write_bytes(data[:cut])
    assert len(refused_all(store, folder, len(cuts))) == len(cuts)


def test_each_header_byte_flipped(store, shared, tmp_path):
    data = (shared / "data" / "bundles" / "golden" / "v2_8.10.0" / "param_order.iafbt").read_bytes()
    folder = tmp_path / "flipped"
    folder.mkdir()
    for position in range(18):  # container header and zstd frame header
        for bit in range(8):
            flipped = bytearray(data)
            flipped[position] ^= 1 << bit
            (folder / f"{position:02}_{bit}.iafbt").write_bytes(flipped)
    # Another version number, and bits of the frame header without meaning, leave a document.
    refused_all(store, folder, 18 * 8, may_import=30)


def test_a_frame_that_claims_100_gb(store, tmp_path):
    folder = tmp_path / "bomb"
    folder.mkdir()
    frame = struct.pack("<IB", 0xFD2FB528, 0xE0) + struct.pack("<Q", 100 << 30) + b"\x01\x00\x00"
    (folder / "claims.iafbt").write_bytes(b"IAFB" + struct.pack("<I", 2) + frame)
    failures = refused_all(store, folder, 1)
    assert failures[0]["code"] == "kResourceExhausted"


def test_messagepack_nested_10000_deep(store, tmp_path):
    folder = tmp_path / "deep"
    folder.mkdir()
    write_bundle(folder / "arrays.iafbt", b"\x81\xa1a" + b"\x91" * 10_000 + b"\xc0")
    write_bundle(folder / "maps.iafbt", b"\x81\xa1a" * 10_000 + b"\xc0")
    refused_all(store, folder, 2)


def test_map_keys_that_are_not_strings(store, tmp_path):
    folder = tmp_path / "keys"
    folder.mkdir()
    write_bundle(folder / "int.iafbt", msgpack.packb({1: 2}))
    write_bundle(folder / "nil.iafbt", b"\x81\xc0\xc0")
    write_bundle(folder / "array.iafbt", b"\x81\x90\xc0")
    refused_all(store, folder, 3)


WRONG = [
    None,
    True,
    -1,
    2**63,
    1.5,
    float("nan"),
    "text",
    b"bytes",
    [],
    [[]],
    {},
    {"x": 1},
    [1, "a", None],
]


def mutate(value, path=()):
    """Every known field of a small document with every wrong type in its place."""
    if isinstance(value, dict):
        for key in value:
            for wrong in WRONG:
                yield (*path, key), {**value, key: wrong}
            for where, changed in mutate(value[key], (*path, key)):
                yield where, {**value, key: changed}
    elif isinstance(value, list) and value:
        for where, changed in mutate(value[0], (*path, 0)):
            yield where, [changed, *value[1:]]


def test_wrong_types_in_every_known_field(store, shared, tmp_path):
    """Whatever stands in a field: refused with a reason, or stored and given back unchanged."""
    source = shared / "data" / "bundles" / "golden" / "v2_8.10.0" / "windows3_full.msgpack"
    if not source.exists():
        source = shared / "data" / "bundles" / "golden" / "v2_8.10.0" / "one_run.msgpack"
    document = msgpack.unpackb(source.read_bytes(), strict_map_key=False)
    slot = document["vector_runs"]
    slot[:] = slot[:1]
    for key in ("portfolio_snapshots", "trades", "orders", "positions", "signal_events"):
        slot[0][key] = slot[0][key][:1]
    folder = tmp_path / "wrong"
    folder.mkdir()
    documents = {}
    for number, (_, changed) in enumerate(mutate(document)):
        documents[f"{number:05}"] = msgpack.packb(changed)
        write_bundle(folder / f"{number:05}.iafbt", documents[f"{number:05}"])
    assert len(documents) > 1500
    done = run("--json", "import", folder, store=store, check=False, timeout=600)
    report = json.loads(done.stdout)
    assert len(report["failed"]) + report["imported"] + report["unchanged"] == len(documents)
    assert run_json("verify", "--deep", store=store)["ok"]
    out = tmp_path / "out.iafbt"
    refused = {Path(failure["path"]).stem for failure in report["failed"]}
    for name in [name for name in documents if name not in refused][::97]:
        run("export", name, "-o", out, "--level", "3", store=store)
        assert zstandard.ZstdDecompressor().decompress(out.read_bytes()[8:]) == documents[name]


def test_a_binary_that_is_no_bundle_and_a_folder_without_any(store, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    assert run_json("import", empty, store=store)["imported"] == 0
    done = subprocess.run(
        [BINARY, "--store", store, "--json", "import", sys.executable],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert json.loads(done.stdout)["failed"][0]["code"] == "kInvalidArgument"
    assert run("import", tmp_path / "nowhere", store=store, check=False).returncode == 3


def test_documents_made_to_take_memory(store, shared, tmp_path):
    """Few bytes that unpack to millions of values or records: bounded, whatever the workers."""
    golden = shared / "data" / "bundles" / "golden" / "v1_8.10.0" / "one_run.iafbt"
    frame = zstandard.ZstdDecompressor().decompressobj().decompress(golden.read_bytes()[8:])

    def document(change) -> bytes:
        read = msgpack.unpackb(frame, strict_map_key=False)
        change(read["backtest"])
        return msgpack.packb(read)

    def odd_records(backtest: dict) -> None:
        backtest["backtest_runs"][0]["portfolio_snapshots"] = [
            {f"key{i}": i} for i in range(500_000)
        ]

    def many_records(backtest: dict) -> None:
        backtest["backtest_runs"][0]["portfolio_snapshots"] *= 4_000

    folder = tmp_path / "hungry"
    folder.mkdir()
    for copy in range(2):
        crafted = {
            "values": document(lambda backtest: backtest.update(extra=[0] * 9_000_000)),
            "text": document(lambda backtest: backtest.update(extra="x" * (60 << 20))),
            "too_long": document(lambda backtest: backtest.update(extra="x" * (65 << 20))),
            "odd_records": document(odd_records),
            "many_records": document(many_records),
        }
        for name, content in crafted.items():
            write_bundle(folder / f"{name}{copy}.iafbt", content, version=1)
    limited = lambda: resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))  # noqa: E731
    done = run(
        "--json", "import", folder, store=store, check=False, preexec_fn=limited, timeout=600
    )
    report = json.loads(done.stdout)
    refused = {Path(failure["path"]).stem: failure for failure in report["failed"]}
    assert set(refused) == {"values0", "values1", "too_long0", "too_long1"}
    for failure in refused.values():
        assert failure["code"] == "kResourceExhausted"
        assert "max_document" in failure["message"]
    assert report["imported"] == 6 and done.returncode == 1
    done = run_json("import", folder, "--max-document", "80MB", store=store, timeout=600)
    assert (done["imported"], done["unchanged"], done["failed"]) == (4, 6, [])
    assert run_json("verify", store=store)["ok"]
