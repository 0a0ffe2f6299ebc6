import multiprocessing
import os
import pickle
import subprocess
import sys
import threading
import uuid
from pathlib import Path

import pytest

import lamina


def test_create_open_and_close(tmp_path):
    root = tmp_path / "a store é"
    with lamina.open(root, create=True) as store:
        assert store.root == root
        uuid.UUID(store.store_id)
        store_id = store.store_id
        assert len(store.backtests) == 0
        assert store.backtests.handles() == [] and list(store.backtests) == []
        assert store.backtests.list().num_rows == 0
        assert store.verify()
    with lamina.open(root, create=True) as again:  # there already: opened
        assert again.store_id == store_id
    with pytest.raises(lamina.InvalidArgument, match="closed"):
        again.stats()
    again.close()


@pytest.mark.parametrize("root", ["absent", "empty"])
def test_no_store_is_not_found(tmp_path, root):
    (tmp_path / "empty").mkdir()
    with pytest.raises(lamina.NotFound) as caught:
        lamina.open(tmp_path / root)
    assert root in str(caught.value)


def test_create_refuses_a_folder_of_other_things(tmp_path):
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(lamina.AlreadyExists):
        lamina.open(tmp_path, create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_relative_root_and_change_of_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with lamina.open("here", create=True) as store:
        monkeypatch.chdir("/")
        assert store.root == tmp_path / "here"
        assert len(store.backtests) == 0
        assert pickle.loads(pickle.dumps(store)).store_id == store.store_id


@pytest.mark.shared
def test_read_only_refuses_changes(store):
    handle = store.backtests.handles()[0]
    with pytest.raises(lamina.Unsupported):
        store.backtests.delete(handle)
    assert handle in store.backtests


@pytest.mark.shared
def test_stats_snapshots_verify(store):
    stats = store.stats()
    assert stats["backtests"] == len(store.backtests) > 10
    assert {table["table"] for table in stats["tables"]} >= {
        "backtests.portfolio_snapshots",
        "backtests.runs",
    }
    snapshots = store.snapshots()
    ids = [snapshot["snapshot_id"] for snapshot in snapshots]
    assert ids == sorted(ids) and ids[-1] == stats["snapshot"]
    for deep in (False, True):
        report = store.verify(deep=deep)
        assert report.ok and report, report.problems


@pytest.mark.shared
def test_pickles_by_its_root(store):
    again = pickle.loads(pickle.dumps(store))
    assert again.store_id == store.store_id and again.read_only
    assert again.backtests.handles() == store.backtests.handles()
    again.close()


def _count(store):
    return len(store.backtests), os.getpid()


@pytest.mark.shared
@pytest.mark.parametrize("method", ["spawn", "fork"])
def test_goes_to_worker_processes(store, method):
    with multiprocessing.get_context(method).Pool(2) as pool:
        counts = pool.map(_count, [store] * 4)
    assert {count for count, _ in counts} == {len(store.backtests)}
    assert os.getpid() not in {pid for _, pid in counts}


@pytest.mark.shared
def test_a_forked_child_is_told_to_open_again(own_store):
    before = own_store.backtests.handles()
    child = os.fork()
    if child == 0:
        code = 1
        try:
            own_store.backtests.handles()
        except lamina.Unsupported as error:
            if "open the store again" in str(error):
                with lamina.open(own_store.root) as again:
                    again.backtests.note(before[0], "from the child")
                    code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    own_store.backtests.note(before[1], "from the parent")
    notes = own_store.backtests.list(columns=["handle", "note"], where="note LIKE 'from%'")
    assert {row["note"] for row in notes.to_dicts()} == {"from the child", "from the parent"}
    assert own_store.verify().ok


@pytest.mark.shared
def test_many_threads_read(store):
    handles = store.backtests.handles()
    problems = []

    def read(start):
        try:
            for handle in handles[start::4]:
                backtest = store.backtests.get(handle)
                assert sum(run.snapshot_count for run in backtest.runs) == len(backtest.snapshots())
        except BaseException as error:
            problems.append(error)

    threads = [threading.Thread(target=read, args=(start,)) for start in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not problems


@pytest.mark.shared
def test_command_of_the_package_reads_the_store(store):
    build = Path(os.environ["LAMINA_BUILD_DIR"])
    done = subprocess.run(
        [build / "bin" / "lamina", "--store", store.root, "list", "--json", "--columns", "handle"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for handle in store.backtests.handles():
        assert f'"{handle}"' in done.stdout
    version = subprocess.run(
        [sys.executable, "-m", "lamina", "--version"], capture_output=True, text=True
    )
    assert lamina.__version__ in version.stdout, version.stderr
