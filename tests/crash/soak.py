"""Three writers, two readers and two keepers of one store for a while, killed at random.

Every call is a process of the real command. A model says what was acknowledged: after each call
that ended or was killed, each handle of its writer holds a document and tags that the model allows.
Readers may see nothing else. One keeper expires, collects and compacts; the other pins, backs up
and restores: what a pin held when it was made it holds until it is taken away, and a restored
backup holds what its snapshot held. In the end the store is verified in full and compared with the
model. Prints counts as JSON; exit 1 tells that something was wrong.
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
LONGEST_SECONDS = 900  # of one call on a busy machine


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
            out, error = process.communicate(
                timeout=LONGEST_SECONDS if kill_after is None else kill_after
            )
        except subprocess.TimeoutExpired:
            process.kill()
            out, error = process.communicate()
            if kill_after is None:
                raise Wrong(f"{arguments} did not end in {LONGEST_SECONDS} s") from None
        return process.returncode, out, error

    def documents(self, handles: str = "") -> dict[str, str]:
        """Document and tags ("1f2e a,b") by handle, of handles that begin with a text."""
        code, out, error = self.run("list", "--columns", "handle,document_sha256,tags")
        if code != 0:
            raise Wrong(f"list: exit {code}: {error}")
        return {
            row["handle"]: state_of(row["document_sha256"], json.loads(row["tags"]))
            for row in json.loads(out)
            if row["handle"].startswith(handles)
        }

    def documents_at(self, snapshot) -> dict[str, str] | None:
        """Document by handle; none when the snapshot is forgotten."""
        code, out, error = self.run(
            "list", "--columns", "handle,document_sha256", "--snapshot", snapshot
        )
        if code == NOT_FOUND:
            return None
        if code != 0:
            raise Wrong(f"list of snapshot {snapshot}: exit {code}: {error}")
        return {row["handle"]: row["document_sha256"] for row in json.loads(out)}

    def pins(self) -> set[str]:
        code, out, error = self.run("snapshots")
        if code != 0:
            raise Wrong(f"snapshots: exit {code}: {error}")
        return {name for row in json.loads(out) for name in row["pins"]}


def state_of(document: str, tags=()) -> str:
    return f"{document} {','.join(sorted(tags))}"


def document_of(state: str) -> str:
    return state.split(" ")[0]


class Writer:
    """Works on handles of its own, and knows what each may hold."""

    def __init__(self, number: int, seed: int, command: Command, bundles: dict[str, Path]):
        self.prefix = f"w{number}/"
        self.random = random.Random(seed * 1000 + number)
        self.command = command
        self.bundles = bundles  # by document
        self.sure: dict[str, str] = {}  # document and tags by handle, as acknowledged
        self.ever: dict[str, set[str]] = {}
        self.counts: Counter = Counter()
        self.folder = Path(tempfile.mkdtemp(prefix="soak-"))

    def step(self) -> None:
        """One call, killed or not; then what is there must be what the model allows."""
        work = self.random.choice(
            (self.add, self.add, self.replace, self.delete, self.rename, self.tag)
        )
        arguments, after = work()
        if not arguments:
            return
        kill = self.random.uniform(0.0, 0.25) if self.random.random() < 0.35 else None
        for handle, state in after.items():
            if state is not None:
                self.ever.setdefault(handle, set()).add(document_of(state))
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
        chosen = {handle: self.random.choice(sorted(self.bundles)) for handle in chosen}
        after = {handle: state_of(document) for handle, document in chosen.items()}
        return (["import", self.source(chosen)] if after else []), after

    def replace(self):
        if not self.sure:
            return [], {}
        handle = self.random.choice(self.held())
        document = self.random.choice(sorted(self.bundles))
        same = document_of(self.sure[handle]) == document  # then nothing happens
        after = {handle: self.sure[handle] if same else state_of(document)}
        return ["import", self.source({handle: document}), "--replace"], after

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

    def tag(self):
        if not self.sure:
            return [], {}
        handle = self.random.choice(self.held())
        document, _, tags = self.sure[handle].partition(" ")
        name = self.random.choice("abc")
        held = set(filter(None, tags.split(",")))
        sign = "-" if name in held else "+"
        after = {handle: state_of(document, held ^ {name})}
        return ["tag", handle, f"{sign}{name}"], after


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
        there = self.command.documents()
        self.counts["listed"] += 1
        for handle, state in there.items():
            if document_of(state) not in ever_of(self.writers, handle):
                raise Wrong(f"a reader saw {state} under {handle}")
        if not there:
            return
        handle = self.random.choice(sorted(there))
        kill = self.random.uniform(0.0, 0.1) if self.random.random() < 0.1 else None
        code, out, error = self.command.run(
            "export", handle, "-o", self.out, "--level", "3", kill_after=kill
        )
        if code in (NOT_FOUND, KILLED):
            self.counts["exports killed"] += code == KILLED
            return
        if code != 0:
            raise Wrong(f"export {handle}: exit {code}: {error}")
        if json.loads(out)["document_sha256"] not in ever_of(self.writers, handle):
            raise Wrong(f"an export of {handle} is none of its documents")
        self.counts["exported"] += 1


def ever_of(writers: list[Writer], handle: str) -> set[str]:
    writer = next(each for each in writers if handle.startswith(each.prefix))
    return writer.ever.get(handle, set())


class Cleaner:
    """Forgets, collects and merges, killed now and then; what is there is the others' to check."""

    def __init__(self, seed: int, command: Command):
        self.random = random.Random(seed * 1000 + 800)
        self.command = command
        self.counts: Counter = Counter()

    def step(self) -> None:
        arguments = self.random.choice(
            (
                ["gc"],
                ["gc", "--dry-run"],
                ["compact"],
                ["expire", "--older-than", f"{self.random.randint(10, 60)}s"],
            )
        )
        kill = self.random.uniform(0.0, 0.4) if self.random.random() < 0.35 else None
        code, out, error = self.command.run(*arguments, kill_after=kill)
        if code not in (0, KILLED, CONFLICT):
            raise Wrong(f"{arguments}: exit {code}: {error}")
        if code == 0 and arguments == ["gc"]:
            report = json.loads(out)
            self.counts["files removed by gc"] += report["removed_files"]
            self.counts["chunks removed by gc"] += report["removed_chunks"]
            self.counts["snapshots forgotten by gc"] += report["expired_snapshots"]
        ended = {KILLED: " killed", CONFLICT: " refused for another"}.get(code, "")
        self.counts[arguments[0] + ended] += 1
        time.sleep(self.random.uniform(0.0, 2.0))


class Keeper:
    """Pins, and looks again at what they hold; backs up, restores, and compares."""

    def __init__(self, seed: int, command: Command, folder: Path):
        self.random = random.Random(seed * 1000 + 900)
        self.command = command
        self.folder = folder
        self.held: dict[str, dict[str, str]] = {}  # documents by pin
        self.made = 0
        self.backed_up = False
        self.counts: Counter = Counter()

    def step(self) -> None:
        self.random.choice((self.pin, self.unpin, self.look, self.look, self.backup))()
        time.sleep(self.random.uniform(0.0, 1.0))

    def run(self, *arguments) -> tuple[int, str]:
        kill = self.random.uniform(0.0, 0.3) if self.random.random() < 0.35 else None
        code, out, error = self.command.run(*arguments, kill_after=kill)
        if code not in (0, KILLED, CONFLICT):
            raise Wrong(f"{arguments}: exit {code}: {error}")
        ended = {KILLED: " killed", CONFLICT: " refused for another"}.get(code, "")
        self.counts[arguments[0] + ended] += 1
        return code, out

    def pin(self) -> None:
        name = f"kept-{self.made}"
        self.made += 1
        code, _ = self.run("pin", name)
        if code == KILLED:
            # It may show only after the next commit of anybody: take it away whichever it is.
            for _ in range(5):
                code, _, _ = self.command.run("pin", f"{name}-settled")
                if code == 0:
                    break
            self.command.run("unpin", f"{name}-settled")
            self.command.run("unpin", name)
            return
        if code == CONFLICT:
            return
        held = self.command.documents_at(name)
        if held is None:
            raise Wrong(f"the pin {name} that was acknowledged is not there")
        self.held[name] = held
        self.look()

    def unpin(self) -> None:
        if len(self.held) < 3:
            return
        name = self.random.choice(sorted(self.held))
        code, _ = self.run("unpin", name)
        if code != CONFLICT:
            del self.held[name]  # killed: there or not, nobody looks again
        if code == 0 and name in self.command.pins():
            raise Wrong(f"{name} is there after unpin")

    def look(self) -> None:
        if not self.held:
            return
        name = self.random.choice(sorted(self.held))
        self.compare(self.command, name)
        if not self.held[name]:
            return
        handle = self.random.choice(sorted(self.held[name]))
        out = self.folder / "pinned.iafbt"
        code, told, error = self.command.run(
            "export", handle, "-o", out, "--level", "3", "--snapshot", name
        )
        if code != 0:
            raise Wrong(f"export of {handle} at {name}: exit {code}: {error}")
        if json.loads(told)["document_sha256"] != self.held[name][handle]:
            raise Wrong(f"{handle} at {name} is not what it was")
        self.counts["pins looked at"] += 1

    def compare(self, command: Command, name: str) -> None:
        there = command.documents_at(name)
        if there != self.held[name]:
            raise Wrong(f"{name} of {command.store} holds {there}, not {self.held[name]}")

    def backup(self) -> None:
        copy = self.folder / "backup"
        code, out = self.run("backup", copy)
        expected = None
        if code == 0:
            self.backed_up = True
            expected = self.command.documents_at(json.loads(out)["snapshot"])
        again = self.folder / "restored"
        shutil.rmtree(again, ignore_errors=True)
        restored = Command(self.command.binary, again)
        code, _, error = self.command.run("restore", copy, again)
        if code != 0:
            if self.backed_up or code != NOT_FOUND:
                raise Wrong(f"restore: exit {code}: {error}")
            return
        self.backed_up = True  # killed after it was whole
        self.counts["restored"] += 1
        there = {handle: document_of(state) for handle, state in restored.documents().items()}
        if expected is not None:
            self.counts["restored and compared"] += 1
            if there != expected:
                raise Wrong(f"a restored backup holds {there}, not {expected}")
            for name in sorted(restored.pins() & set(self.held)):
                self.compare(restored, name)
        code, out, error = restored.run("verify", "--deep")
        if code != 0 or not json.loads(out)["ok"]:
            raise Wrong(f"verify --deep of a restored backup: exit {code}: {out} {error}")


def make_bundles(binary: Path, folder: Path, count: int) -> dict[str, Path]:
    """Bundles of the demonstration, by document."""
    demo = folder / "demo"
    subprocess.run([binary, "demo", demo, "--json"], check=True, capture_output=True)
    listed = Command(binary, demo)
    bundles = {}
    for handle, state in sorted(listed.documents().items())[:count]:
        path = folder / f"{hashlib.sha256(handle.encode()).hexdigest()[:12]}.iafbt"
        code, _, error = listed.run("export", handle, "-o", path, "--level", "3")
        if code != 0:
            raise Wrong(f"export of the demonstration: {error}")
        bundles[document_of(state)] = path
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
        document_of(state): folder / f"{handle}.iafbt"
        for handle, state in asked.documents().items()
    }


def configure(store: Path) -> None:
    """So short that an hour forgets and collects thousands of times; reads are shorter still."""
    toml = store / "lamina.toml"
    text = toml.read_text()
    for key, old, new in (("keep_snapshots", "7d", "30s"), ("gc_grace", "1h", "15s")):
        changed = text.replace(f'{key} = "{old}"', f'{key} = "{new}"')
        if changed == text:
            raise Wrong(f"lamina.toml has no {key} of {old}")
        text = changed
    toml.write_text(text)


def soak(
    binary: Path, folder: Path, bundles: dict[str, Path], seconds: float, seed: int
) -> tuple[dict, list[str]]:
    store = folder / "store"
    command = Command(binary, store)
    subprocess.run([binary, "init", store], check=True, capture_output=True)
    configure(store)
    writers = [Writer(number, seed, command, bundles) for number in range(3)]
    readers = [Reader(number, seed, command, writers) for number in range(2)]
    cleaner = Cleaner(seed, command)
    keeper = Keeper(seed, command, folder)
    workers = (*writers, *readers, cleaner, keeper)
    problems: list[str] = []
    end = time.monotonic() + seconds

    def loop(worker) -> None:
        try:
            while time.monotonic() < end and not problems:
                worker.step()
        except Exception as error:
            problems.append(f"{type(error).__name__}: {error}")

    threads = [threading.Thread(target=loop, args=(each,)) for each in workers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts: Counter = Counter()
    for worker in workers:
        counts.update(worker.counts)
    for name in keeper.held:
        try:
            keeper.compare(command, name)
        except Wrong as wrong:
            problems.append(f"in the end: {wrong}")
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
