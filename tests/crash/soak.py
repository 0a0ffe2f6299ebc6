"""Three writers and two readers of one store for a while, writers killed at random.

Every call is a process of the real command. A model says what was acknowledged: after each call
that ended or was killed, each handle of its writer holds a document that the model allows. Readers
may see nothing else. In the end the store is verified in full and compared with the model. Prints
counts as JSON; exit 1 tells that something was wrong.
"""

import argparse
import hashlib
import json
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

CONFLICT, NOT_FOUND, KILLED = 5, 3, -signal.SIGKILL


class Wrong(Exception):
    """The store did not keep a promise."""


class Command:
    def __init__(self, binary: Path, store: Path):
        self.binary, self.store = binary, store

    def run(self, *arguments, kill_after: float | None = None) -> tuple[int, str, str]:
        """Exit code (negative: the signal), output, messages."""
        process = subprocess.Popen(
            [self.binary, "--store", self.store, "--json", *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            out, error = process.communicate(timeout=kill_after if kill_after is not None else 120)
        except subprocess.TimeoutExpired:
            process.kill()
            out, error = process.communicate()
            if kill_after is None:
                raise Wrong(f"{arguments} did not end in two minutes") from None
        return process.returncode, out, error

    def documents(self, handles: str) -> dict[str, str]:
        """Document by handle, of handles that begin with a text."""
        code, out, error = self.run("list", "--columns", "handle,document_sha256")
        if code != 0:
            raise Wrong(f"list: exit {code}: {error}")
        rows = json.loads(out)
        return {
            row["handle"]: row["document_sha256"]
            for row in rows
            if row["handle"].startswith(handles)
        }


class Writer:
    """Works on handles of its own, and knows what each may hold."""

    def __init__(self, number: int, seed: int, command: Command, bundles: dict[str, Path]):
        self.prefix = f"w{number}/"
        self.random = random.Random(seed * 1000 + number)
        self.command = command
        self.bundles = bundles  # by document
        self.sure: dict[str, str | None] = {}  # document by handle, as acknowledged
        self.ever: dict[str, set[str]] = {}
        self.counts: Counter = Counter()
        self.folder = Path(tempfile.mkdtemp(prefix="soak-"))

    def step(self) -> None:
        """One call, killed or not; then what is there must be what the model allows."""
        work = self.random.choice((self.add, self.add, self.replace, self.delete, self.rename))
        arguments, after = work()
        if not arguments:
            return
        kill = self.random.uniform(0.0, 0.25) if self.random.random() < 0.35 else None
        for handle, document in after.items():
            if document is not None:
                self.ever.setdefault(handle, set()).add(document)
        code, _, error = self.command.run(*arguments, kill_after=kill)
        if code == CONFLICT:
            self.counts["conflicts"] += 1
        elif code not in (0, KILLED):
            raise Wrong(f"{arguments}: exit {code}: {error}")
        seen = self.command.documents(self.prefix)
        self.check(arguments, code, after, seen)
        if code == KILLED:
            self.settle(arguments, after, seen)
        self.counts["killed" if code == KILLED else arguments[0]] += 1

    def check(self, arguments, code: int, after: dict, seen: dict[str, str]) -> None:
        for handle in {*self.sure, *after, *seen}:
            before = self.sure.get(handle)
            allowed = {before}
            if handle in after:
                allowed = {after[handle]} if code == 0 else {before, after[handle]}
            if seen.get(handle) not in allowed:
                raise Wrong(
                    f"after {arguments} (exit {code}) {handle} holds {seen.get(handle)}, "
                    f"not one of {allowed}"
                )
        if arguments[0] == "rename" and (arguments[1] in seen) == (arguments[2] in seen):
            raise Wrong(f"{arguments}: half done")
        if arguments[0] == "delete":
            left = [handle for handle in arguments[1:] if handle in seen]
            if left and len(left) != len(arguments[1:]):
                raise Wrong(f"{arguments}: half done")
        self.sure = dict(seen)

    def settle(self, arguments, after: dict, seen: dict[str, str]) -> None:
        """A commit whose process was killed before it told of it may be in the log and not yet
        seen. The next commit of anybody settles it: then it is there or never is."""
        for work in ("pin", "unpin"):
            for _ in range(5):
                code, _, error = self.command.run(work, f"soak-{self.prefix[:-1]}")
                if code != CONFLICT:
                    break
            if code != 0:
                raise Wrong(f"{work}: exit {code}: {error}")
        settled = self.command.documents(self.prefix)
        lost = [h for h in after if seen.get(h) == after[h] != settled.get(h)]
        if lost:
            raise Wrong(f"after {arguments} {lost} were as asked for, and no longer are")
        if settled != seen:
            self.counts["seen only after the next commit"] += 1
            self.check(arguments, KILLED, after, settled)

    def source(self, documents: dict[str, str]) -> Path:
        shutil.rmtree(self.folder, ignore_errors=True)
        for handle, document in documents.items():
            path = self.folder / (handle + ".iafbt")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(self.bundles[document])
        return self.folder

    def held(self) -> list[str]:
        return sorted(self.sure)

    def add(self):
        free = [f"{self.prefix}h{i}" for i in range(40) if f"{self.prefix}h{i}" not in self.sure]
        chosen = self.random.sample(free, min(len(free), self.random.randint(1, 6)))
        after = {handle: self.random.choice(sorted(self.bundles)) for handle in chosen}
        return (["import", self.source(after)] if after else []), after

    def replace(self):
        if not self.sure:
            return [], {}
        handle = self.random.choice(self.held())
        after = {handle: self.random.choice(sorted(self.bundles))}
        return ["import", self.source(after), "--replace"], after

    def delete(self):
        if not self.sure:
            return [], {}
        chosen = self.random.sample(self.held(), min(len(self.sure), self.random.randint(1, 4)))
        return ["delete", *chosen], dict.fromkeys(chosen)

    def rename(self):
        target = f"{self.prefix}r{self.random.randrange(20)}"
        if not self.sure or target in self.sure:
            return [], {}
        handle = self.random.choice(self.held())
        return ["rename", handle, target], {handle: None, target: self.sure[handle]}


class Reader:
    """Reads what is there, whole: a document that its handle has held."""

    def __init__(self, number: int, seed: int, command: Command, writers: list[Writer]):
        self.random = random.Random(seed * 1000 + 500 + number)
        self.command = command
        self.writers = writers
        self.counts: Counter = Counter()
        self.out = Path(tempfile.mkdtemp(prefix="soak-")) / "out.iafbt"

    def step(self) -> None:
        if self.random.random() < 0.1:
            code, out, error = self.command.run("verify")
            if code != 0 or not json.loads(out)["ok"]:
                raise Wrong(f"verify beside writers: exit {code}: {out} {error}")
            self.counts["verified beside writers"] += 1
            return
        there = self.command.documents("")
        self.counts["listed"] += 1
        for handle, document in there.items():
            writer = next(each for each in self.writers if handle.startswith(each.prefix))
            if document not in writer.ever.get(handle, ()):
                raise Wrong(f"a reader saw {document} under {handle}")
        if not there:
            return
        handle = self.random.choice(sorted(there))
        code, out, error = self.command.run("export", handle, "-o", self.out, "--level", "3")
        if code == NOT_FOUND:
            return
        if code != 0:
            raise Wrong(f"export {handle}: exit {code}: {error}")
        writer = next(each for each in self.writers if handle.startswith(each.prefix))
        if json.loads(out)["document_sha256"] not in writer.ever[handle]:
            raise Wrong(f"an export of {handle} is none of its documents")
        self.counts["exported"] += 1


def make_bundles(binary: Path, folder: Path, count: int) -> dict[str, Path]:
    """Bundles of the demonstration, by document."""
    demo = folder / "demo"
    subprocess.run([binary, "demo", demo, "--json"], check=True, capture_output=True)
    listed = Command(binary, demo)
    bundles = {}
    for handle, document in sorted(listed.documents("").items())[:count]:
        path = folder / f"{hashlib.sha256(handle.encode()).hexdigest()[:12]}.iafbt"
        code, _, error = listed.run("export", handle, "-o", path, "--level", "3")
        if code != 0:
            raise Wrong(f"export of the demonstration: {error}")
        bundles[document] = path
    shutil.rmtree(demo)
    return bundles


def bundles_in(binary: Path, folder: Path, scratch: Path) -> dict[str, Path]:
    """The bundles of a folder, by document; `scratch` is a store made to ask."""
    subprocess.run([binary, "init", scratch], check=True, capture_output=True)
    asked = Command(binary, scratch)
    code, _, error = asked.run("import", folder)
    if code != 0:
        raise Wrong(f"import of {folder}: {error}")
    return {
        document: folder / f"{handle}.iafbt" for handle, document in asked.documents("").items()
    }


def soak(
    binary: Path, folder: Path, bundles: dict[str, Path], seconds: float, seed: int
) -> tuple[dict, list[str]]:
    store = folder / "store"
    command = Command(binary, store)
    subprocess.run([binary, "init", store], check=True, capture_output=True)
    writers = [Writer(number, seed, command, bundles) for number in range(3)]
    readers = [Reader(number, seed, command, writers) for number in range(2)]
    problems: list[str] = []
    end = time.monotonic() + seconds

    def loop(worker) -> None:
        try:
            while time.monotonic() < end and not problems:
                worker.step()
        except Exception as error:
            problems.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=loop, args=(each,)) for each in (*writers, *readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts: Counter = Counter()
    for worker in (*writers, *readers):
        counts.update(worker.counts)
    for writer in writers:
        if command.documents(writer.prefix) != writer.sure:
            problems.append(f"in the end {writer.prefix} is not what was acknowledged")
    code, out, error = command.run("verify", "--deep")
    if code != 0 or not json.loads(out)["ok"]:
        problems.append(f"verify --deep in the end: exit {code}: {out} {error}")
    counts["held in the end"] = sum(len(writer.sure) for writer in writers)
    for worker in writers:
        shutil.rmtree(worker.folder, ignore_errors=True)
    for worker in readers:
        shutil.rmtree(worker.out.parent, ignore_errors=True)
    return dict(sorted(counts.items())), problems


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--binary", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", action="store_true", help="leave the store when it ends")
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="lamina-soak-"))
    binary = arguments.binary.resolve()
    bundles = make_bundles(binary, folder, 24)
    counts, problems = soak(binary, folder, bundles, arguments.seconds, arguments.seed)
    print(json.dumps({"seconds": arguments.seconds, "seed": arguments.seed, **counts}))
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems or arguments.keep:
        print(f"the store is {folder / 'store'}", file=sys.stderr)
    else:
        shutil.rmtree(folder)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
