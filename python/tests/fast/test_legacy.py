"""Legacy backtest folders, judged by the bundles that the framework made of the same folders."""

import io
import tarfile
from pathlib import Path

import bundles
import pyarrow.parquet as pq
import pytest

import lamina

GOLDEN = Path(__file__).parents[1] / "golden" / "legacy_folders.tar.xz"
# Written by the framework, never read by it; see docs/format/legacy_folder.md.
NOT_READ_BY_THE_FRAMEWORK = {"strategy_ids"}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> Path:
    """`<release>/<name>/`: folders as the framework saved them; `<release>/<name>.bundle`: what it
    made of them when it opened them and saved a bundle."""
    root = tmp_path_factory.mktemp("legacy")
    with tarfile.open(GOLDEN) as archive:
        archive.extractall(root, filter="data")
    return root


def with_series(value, blobs):
    """`value` with each series in place of the name of its blob."""
    if isinstance(value, dict):
        if set(value) == {"@blob"}:
            return pq.read_table(io.BytesIO(blobs[value["@blob"]])).to_pydict()
        return {key: with_series(item, blobs) for key, item in value.items()}
    if isinstance(value, list):
        return [with_series(item, blobs) for item in value]
    return value


def comparable(document: dict) -> dict:
    """The document with runs and tests in order of time: the framework lists folders in any."""
    document = with_series(
        {key: value for key, value in document.items() if key != "blobs"}, document.get("blobs")
    )
    for scope in (document, *document.get("studies", {}).values()):
        for name, value in scope.items():
            if name.endswith(("_runs", "_tests")) and value:
                value.sort(key=lambda item: str(item.get("backtest_start_date")))
    return document


def differences(ours, theirs, where="$"):
    if isinstance(ours, dict) and isinstance(theirs, dict):
        if list(ours) != list(theirs):
            yield f"{where}: keys {[k for k in ours if k not in theirs]} and "
            yield f"{[k for k in theirs if k not in ours]}, or their order"
        for key in ours:
            if key in theirs and key not in NOT_READ_BY_THE_FRAMEWORK:
                yield from differences(ours[key], theirs[key], f"{where}.{key}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(a, b, f"{where}[{i}]")
    elif isinstance(ours, float) and isinstance(theirs, float) and "summary" in where:
        # A sum over runs; the framework takes them in the order of a folder listing.
        if ours != pytest.approx(theirs, rel=1e-13, nan_ok=True):
            yield f"{where}: {ours!r}, {theirs!r}"
    elif type(ours) is not type(theirs) or (ours != theirs and ours == ours):
        yield f"{where}: {str(ours)[:80]!r} ({type(ours).__name__}), {str(theirs)[:80]!r}"


@pytest.mark.parametrize("release", ["8.10.0", "9.0.0a6"])
def test_folders_of_the_framework_become_its_bundles(folders, release, tmp_path):
    names = sorted(path.stem for path in (folders / release).glob("*.bundle"))
    assert len(names) >= 6
    with lamina.open(tmp_path / "store", create=True) as store:
        report = store.backtests.import_(folders / release)
        assert not report.failed
        assert store.backtests.handles() == [n for n in names if (folders / release / n).is_dir()]
        for name in store.backtests:
            theirs = comparable(bundles.document(folders / release / f"{name}.bundle"))
            ours = comparable(store.backtests.get(name).document())
            assert list(differences(ours, theirs)) == [], name
        again = store.backtests.import_(folders / release)
        assert (again.imported, again.unchanged) == (0, report.imported)


def test_a_folder_of_bundles_takes_them_too(folders, tmp_path):
    store = lamina.LocalDirStore(tmp_path / "bundles")
    report = store.import_(folders / "8.10.0" / "windows3_full")
    assert (report.imported, report.failed) == (1, ())
    assert store.handles() == ["windows3_full"]
    assert len(store.get("windows3_full").runs) == 3
