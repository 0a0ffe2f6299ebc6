"""The same sweep with Ray.

Usage: python sweep_ray.py [STORE]
"""

import itertools
import os
import sys
import tempfile

import ray
from sweep_processes import work

import lamina


def main(root: str) -> None:
    grid = list(itertools.product((5, 7, 9, 11), (30, 50)))
    here = os.path.dirname(os.path.abspath(__file__))
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=100 * 1024 * 1024,
        log_to_driver=False,
        runtime_env={"env_vars": {"PYTHONPATH": os.pathsep.join([here, *sys.path])}},
    )
    try:
        with lamina.open(root, create=True) as store:
            task = ray.remote(num_cpus=1)(work)
            done = ray.get([task.remote((store, part)) for part in (grid[:4], grid[4:])])
            print(f"{sum(done)} backtests of {len(store.backtests)} in the store")
    finally:
        ray.shutdown()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        main(sys.argv[1] if len(sys.argv) > 1 else f"{scratch}/store")
