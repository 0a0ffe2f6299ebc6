import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("LAMINA_SHARED_DIR") or Path(__file__).parents[3] / "shared")


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
