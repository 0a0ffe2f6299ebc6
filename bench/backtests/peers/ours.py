"""Our side: the package of this build."""

from pathlib import Path

from worker import serve

import lamina

store: list[lamina.Store] = []


def index(folder: str, output: str) -> int:
    lamina.build_index(folder, output)
    return 0


def top(output: str, metric: str, count: int) -> list:
    rows = lamina.list_index(output, sort=metric, limit=count, columns=["bundle_path", metric])
    return [[row["bundle_path"], row[metric]] for row in rows.to_dicts()]


def make_store(root: str) -> None:
    store[:] = [lamina.open(root, create=True)]


def facts(document: dict) -> list:
    runs = document.get(f"{document['engine_type']}_runs") or []
    return [document["algorithm_id"], len(runs), sum(len(r["portfolio_snapshots"]) for r in runs)]


def document_of(path: str) -> dict:
    return lamina.read_bundle(path)


def put(path: str) -> None:
    store[0].backtests.put(path, handle=Path(path).stem)


serve(
    {
        "version": lambda: lamina.__version__,
        "index": index,
        "top": top,
        "open": (document_of, facts),
        "open_summary": (
            lambda path: lamina.LocalDirStore(Path(path).parent, create=False).open(
                Path(path).stem, summary_only=True
            ),
            lambda backtest: backtest.algorithm_id,
        ),
        "make_store": make_store,
        "load": lambda path: None,
        "put": put,
        "open_stored": (lambda handle: store[0].backtests.get(handle).document(), facts),
        "count": lambda: len(store[0].backtests),
    }
)
