"""Write the seeds of the bundle fuzz targets (needs msgpack and zstandard)."""

import pathlib
import struct

import msgpack
import zstandard

CORPUS = pathlib.Path(__file__).parent / "corpus"
SUMMARY = {"sharpe_ratio": float("nan"), "total_net_gain": 12.5, "number_of_trades": 3}
SNAPSHOT = {
    "metadata": {},
    "portfolio_id": "p",
    "created_at": "2024-01-01T00:00:00+00:00",
    "total_value": 1000,
}
RUN = {
    "backtest_metrics": {
        "equity_curve": {"@blob": "runs/0/metrics/equity_curve.parquet"},
        "cagr": 0.1,
    },
    "backtest_start_date": "2024-01-01T00:00:00+00:00",
    "portfolio_snapshots": [SNAPSHOT, SNAPSHOT],
    "trades": [{"id": "t", "orders": [{"id": 1}]}],
    "orders": [],
    "positions": None,
    "metadata": {"universe_key": "u"},
}
IDENTITY = {
    "algorithm_id": "a",
    "metadata": {},
    "risk_free_rate": 0.027,
    "strategy_ids": ["s"],
    "parameters": {"n": 1, "f": 1.5, "grid": {1: "a"}},
    "tag": None,
}
OHLCV = {"store_dir": "ohlcv", "manifest": {"BTC/EUR:1h": "00.parquet"}}
STUDY = {
    "name": "s",
    "description": None,
    "risk_free_rate": 0.02,
    "vector_runs": [RUN],
    "vector_summary": SUMMARY,
    "vector_summaries_by_universe": {"u": SUMMARY, "v": None},
    "event_runs": [],
    "event_summary": None,
}
ENGINE = {"runs": [RUN], "summary": SUMMARY, "summaries_by_universe": {"u": SUMMARY}}
DOCUMENTS = {
    "v1": (
        1,
        {
            "format_version": 1,
            "backtest": {"backtest_runs": [RUN], "backtest_summary": SUMMARY, **IDENTITY},
        },
    ),
    "v1_engine": (
        1,
        {
            "format_version": 1,
            "backtest": {"backtest_runs": None, **IDENTITY, "engine_type": "event"},
            "ohlcv": OHLCV,
        },
    ),
    "v2": (
        2,
        {
            "format_version": 2,
            "engine_type": "vector",
            **IDENTITY,
            "vector_runs": [RUN, RUN],
            "vector_metrics": SUMMARY,
            "blobs": {"runs/0/metrics/equity_curve.parquet": b"PAR1"},
        },
    ),
    "v2_none": (
        2,
        {
            "format_version": 2,
            "engine_type": None,
            **IDENTITY,
            "backtest_runs": None,
            "backtest_summary": None,
        },
    ),
    "v2_hybrid": (2, {"format_version": 2, "engine_type": "hybrid", "vector_runs": [RUN]}),
    "v3": (3, {"format_version": 3, **IDENTITY, "monte_carlo_tests": None, "vector": ENGINE}),
    "v4": (
        4,
        {
            "format_version": 4,
            **IDENTITY,
            "study_name": "s",
            "study_description": "d",
            "universes": [],
            "event": ENGINE,
            "vector": {"runs": None, "summary": None},
        },
    ),
    "v5": (
        5,
        {
            **IDENTITY,
            "anchor_algorithm_id": "b",
            "studies": {"s": STUDY, "t": {}},
            "format_version": 5,
            "ohlcv": OHLCV,
        },
    ),
    "v5_under_1": (1, {**IDENTITY, "studies": {"s": STUDY}, "format_version": 5}),
    "runs_wrong": (2, {"engine_type": "vector", "vector_runs": [1]}),
    "blobs_wrong": (2, {"engine_type": "vector", "blobs": {"k": "text"}}),
    "int_key": (2, {1: 2}),
    "array": (2, [1, 2, 3]),
}
RAW = {
    "empty": b"",
    "nil": b"\xc0",
    "reserved": b"\xc1",
    "two": b"\xc0\xc0",
    "huge_array": b"\xdd\xff\xff\xff\xff",
    "huge_map": b"\xdf\xff\xff\xff\xff",
    "deep": b"\x91" * 200 + b"\xc0",
    "deep_ok": b"\x91" * 127 + b"\xc0",
    "twice": b"\x82\xa1a\x01\xa1a\x02",
    "map_key": b"\x81\x80\x80",
    "ints": b"\x9a\x00\x7f\xff\xcc\x80\xcd\x01\x00\xce\x00\x01\x00\x00\xcf"
    + b"\xff" * 8
    + b"\xd0\x80\xd1\x80\x00\xd2"
    + b"\x80\x00\x00\x00",
    "floats": b"\x92\xca\x7f\xc0\x00\x01\xcb\x7f\xf0\x00\x00\x00\x00\x00\x01",
    "long_forms": b"\x96\xd9\x01a\xda\x00\x01a\xdb\x00\x00\x00\x01a"
    + b"\xc4\x01a\xc5\x00\x01a\xc6\x00\x00\x00\x01a",
    "extensions": b"\x95\xd4\x01a\xd5\x01aa\xd8\x01"
    + b"a" * 16
    + b"\xc7\x03\x01aaa\xc8\x00\x01\x01a",
    "long_containers": b"\x94\xdc\x00\x00\xdd\x00\x00\x00\x00\xde\x00\x00\xdf\x00\x00\x00\x00",
}


def bundle(version, payload, level=3, **options):
    return (
        b"IAFB"
        + struct.pack("<I", version)
        + zstandard.ZstdCompressor(level=level, **options).compress(payload)
    )


def main():
    files = {}
    for name, (version, document) in DOCUMENTS.items():
        payload = msgpack.packb(document)
        files["msgpack_fuzz", name] = payload
        for target in "bundle_fuzz", "scan_fuzz":
            files[target, name] = bytes([version - 1]) + payload
            files[target, name + "_file"] = bundle(version, payload)
    for name, payload in RAW.items():
        files["msgpack_fuzz", name] = payload
    v2 = msgpack.packb(DOCUMENTS["v2"][1])
    whole = bundle(2, v2)
    frame = whole[8:]
    files |= {
        ("bundle_fuzz", "frame_checksum"): bundle(2, v2, write_checksum=True),
        ("bundle_fuzz", "frame_no_size"): bundle(2, v2, write_content_size=False),
        ("bundle_fuzz", "frame_two"): whole + frame,
        ("bundle_fuzz", "frame_trailing"): whole + b"rest",
        ("bundle_fuzz", "frame_skippable"): whole[:8]
        + b"\x50\x2a\x4d\x18\x01\x00\x00\x00x"
        + frame,
        ("bundle_fuzz", "frame_cut"): whole[:-5],
        ("bundle_fuzz", "frame_claims_100_gb"): whole[:8]
        + b"\x28\xb5\x2f\xfd\xc0\x58"
        + struct.pack("<Q", 100_000_000_000)
        + b"\x53\x00\x00\xc0",
        ("bundle_fuzz", "frame_run_length"): bundle(2, b"\xc0" * 300_000),
        ("bundle_fuzz", "version_6"): bundle(6, v2),
        ("bundle_fuzz", "magic_only"): b"IAFB",
    }
    for (target, name), payload in files.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(payload)


if __name__ == "__main__":
    main()
