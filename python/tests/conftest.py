import os
import shutil
import sys
from pathlib import Path

import pytest

try:
    import lamina
except ModuleNotFoundError:  # pytest run by hand: the package of the build tree
    sys.path.insert(0, str(Path(__file__).parents[2] / "build" / "dev" / "pylib"))
    import lamina

SHARED = Path(os.environ.get("LAMINA_SHARED_DIR") or Path(__file__).parents[3] / "shared")
os.environ.setdefault("LAMINA_BUILD_DIR", str(Path(lamina.__file__).parents[2]))


def pytest_collection_modifyitems(items):
    if SHARED.is_dir():
        return
    for item in items:
        if item.get_closest_marker("shared"):
            item.add_marker(pytest.mark.skip(reason=f"no test inputs at {SHARED}"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real and golden input; tests that use it carry the mark `shared`."""
    return SHARED


@pytest.fixture(scope="session")
def golden_files(shared) -> list[Path]:
    """Every golden bundle file, sorted."""
    folder = shared / "data" / "bundles" / "golden"
    return sorted([*folder.rglob("*.iafbt"), *folder.rglob("*.obtf")])


@pytest.fixture(scope="session")
def golden_root(tmp_path_factory, shared) -> Path:
    """A store with the golden bundles of version 2; never changed, copied by those who do."""
    root = tmp_path_factory.mktemp("golden") / "store"
    with lamina.open(root, create=True) as store:
        report = store.backtests.import_(shared / "data" / "bundles" / "golden" / "v2_8.10.0")
        assert not report.failed, report.failed
    return root


@pytest.fixture
def store(golden_root):
    """The golden store, to read."""
    with lamina.open(golden_root, read_only=True) as store:
        yield store


@pytest.fixture
def own_store(golden_root, tmp_path):
    """A copy of the golden store, to change."""
    root = tmp_path / "own store"
    shutil.copytree(golden_root, root)
    with lamina.open(root) as store:
        yield store
