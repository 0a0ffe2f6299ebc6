"""Run scripts against the `lamina` command: run.py --binary B --shared S [SCRIPT...]

A script is a `.test` file below this folder, run in an empty folder of its own. Lines:

  # comment
  > ARGUMENTS           run `lamina ARGUMENTS` (split as a shell does), a new process
  text                  the next line of its stdout, exactly
  ~ REGEX               the next line of its stdout, matched whole
  ...                   any lines of its stdout
  json SHAPE            its stdout is one JSON document of this shape
  jsonl SHAPE           every line of its stdout is such a document
  err REGEX             a line of its stderr holds this
  error CODE REGEX      it fails with the exit status of CODE, and its stderr holds REGEX
                        (with --json or --jsonl: stderr ends in an object of that code and message)
  exit N                its exit status, when it is not 0

  corrupt FILE OFFSET   flip the byte at OFFSET (negative: from the end)
  write FILE TEXT       make a file; \\n in quotes is a line end
  copy FROM TO          copy a file; folders are made
  same A B              two files hold the same bytes
  absent FILE           nothing is there

Variables in every line: $STORE (a root that nothing is at yet), $SHARED, $DIR (the script's own
folder). A SHAPE is JSON in which "<str>", "<int>", "<num>", "<bool>", "<any>" stand for a value,
"<x|null>" for one that may be null, "<re:REGEX>" for text that holds it. An object may have more
members than its shape; a list [shape, "..."] is any number of them.
"""

import argparse
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

EXITS = {
    "kInvalidArgument": 2,
    "kNotFound": 3,
    "kAlreadyExists": 4,
    "kConflict": 5,
    "kCorruption": 6,
    "kIo": 7,
    "kResourceExhausted": 8,
    "kUnsupported": 9,
    "kInternal": 70,
}
TYPES = {"str": str, "int": int, "num": (int, float), "bool": bool, "any": object}


class Failure(Exception):
    pass


def check_shape(value, shape, where="$"):
    """Raise Failure where `value` is not of `shape`."""
    if isinstance(shape, str) and shape.startswith("<re:"):
        if not isinstance(value, str) or not re.search(shape[4:-1], value):
            raise Failure(f"{where}: {value!r} does not match {shape}")
    elif isinstance(shape, str) and shape.startswith("<"):
        name = shape[1:-1].removesuffix("|null")
        if value is None and shape.endswith("|null>"):
            return
        wrong_bool = isinstance(value, bool) and name in ("int", "num")
        if wrong_bool or not isinstance(value, TYPES[name]):
            raise Failure(f"{where}: {value!r} is not {shape}")
    elif isinstance(shape, dict):
        if not isinstance(value, dict):
            raise Failure(f"{where}: {value!r} is not an object")
        for key, inner in shape.items():
            if key not in value:
                raise Failure(f"{where}.{key} is missing; there are {sorted(value)}")
            check_shape(value[key], inner, f"{where}.{key}")
    elif isinstance(shape, list):
        if not isinstance(value, list):
            raise Failure(f"{where}: {value!r} is not a list")
        if shape[1:] == ["..."]:
            shape = shape[:1] * len(value)
        if len(shape) != len(value):
            raise Failure(f"{where}: {len(value)} elements, not {len(shape)}")
        for i, inner in enumerate(shape):
            check_shape(value[i], inner, f"{where}[{i}]")
    elif type(value) is not type(shape) or value != shape:
        raise Failure(f"{where}: {value!r}, not {shape!r}")


def check_lines(lines, expected):
    """`expected` lines against stdout; `...` is tried from the shortest."""
    if not expected:
        if lines:
            raise Failure(f"unexpected output: {lines[0]!r}")
        return
    head = expected[0]
    if head == "...":
        for skip in range(len(lines) + 1):
            try:
                return check_lines(lines[skip:], expected[1:])
            except Failure as failure:
                last = failure
        raise last
    if not lines:
        raise Failure(f"output ends before {head!r}")
    fits = re.fullmatch(head[2:], lines[0]) if head.startswith("~ ") else lines[0] == head
    if not fits:
        raise Failure(f"output line {lines[0]!r}, not {head!r}")
    check_lines(lines[1:], expected[1:])


def check_error(done, arguments, code, pattern):
    if done.returncode != EXITS[code]:
        raise Failure(f"exit {done.returncode}, not {EXITS[code]} ({code}): {done.stderr}")
    text = done.stderr
    if "--json" in arguments or "--jsonl" in arguments:
        error = json.loads(text.splitlines()[-1])
        check_shape(error, {"code": code, "message": "<str>", "where": "<str>"}, "stderr")
        text = error["message"]
    if not re.search(pattern, text):
        raise Failure(f"no {pattern!r} in {text!r}")


def check_output(done, arguments, expectations):
    """Every expectation that follows a command."""
    lines, status = [], 0
    shaped = False
    for kind, rest in expectations:
        if kind == "line":
            lines.append(rest)
        elif kind == "json":
            check_shape(json.loads(done.stdout), json.loads(rest))
            shaped = True
        elif kind == "jsonl":
            for line in done.stdout.splitlines():
                check_shape(json.loads(line), json.loads(rest))
            shaped = True
        elif kind == "err":
            if not any(re.search(rest, line) for line in done.stderr.splitlines()):
                raise Failure(f"no {rest!r} on stderr: {done.stderr!r}")
        elif kind == "error":
            code, _, pattern = rest.partition(" ")
            check_error(done, arguments, code, pattern)
            status = EXITS[code]
        elif kind == "exit":
            status = int(rest)
    if done.returncode != status:
        raise Failure(f"exit {done.returncode}, not {status}: {done.stderr or done.stdout}")
    if not shaped:
        check_lines(done.stdout.splitlines(), lines)


def do_file_work(kind, words, folder):
    paths = [folder / word for word in words]  # an absolute word stays as it is
    if kind == "corrupt":
        data = bytearray(paths[0].read_bytes())
        data[int(words[1])] ^= 0xFF
        paths[0].write_bytes(data)
    elif kind == "write":
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        paths[0].write_text(words[1].replace("\\n", "\n"))
    elif kind == "copy":
        paths[1].parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(paths[0], paths[1])
    elif kind == "same" and paths[0].read_bytes() != paths[1].read_bytes():
        raise Failure(f"{words[0]} and {words[1]} differ")
    elif kind == "absent" and paths[0].exists():
        raise Failure(f"{words[0]} is there")


def steps_of(text):
    """(line number, kind, rest, expectations) of every step."""
    steps = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        kind, _, rest = line.partition(" ")
        if kind in (">", "corrupt", "write", "copy", "same", "absent"):
            steps.append((number, kind, rest, []))
        elif not steps or steps[-1][1] != ">":
            raise Failure(f"line {number}: nothing was run before {line!r}")
        elif kind in ("json", "jsonl", "err", "error", "exit"):
            steps[-1][3].append((kind, rest))
        else:
            steps[-1][3].append(("line", line))
    if not steps:
        raise Failure("no steps")
    return steps


def run_script(script, binary, shared):
    """What went wrong, or None."""
    line = 0
    with tempfile.TemporaryDirectory() as folder:
        try:
            text = script.read_text()
            for name, value in (("STORE", f"{folder}/store"), ("SHARED", shared), ("DIR", folder)):
                text = text.replace(f"${name}", str(value))
            for number, kind, rest, expectations in steps_of(text):
                line = number
                words = shlex.split(rest)
                if kind != ">":
                    do_file_work(kind, words, Path(folder))
                    continue
                done = subprocess.run(
                    [binary, *words],
                    cwd=folder,
                    capture_output=True,
                    text=True,
                    timeout=300,
                    env={"PATH": "/usr/bin:/bin", "TZ": "Asia/Tokyo"},
                )
                check_output(done, words, expectations)
        except (Failure, ValueError, OSError, re.error, subprocess.TimeoutExpired) as error:
            return f"{script}:{line}: {error}"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--shared", required=True)
    parser.add_argument("scripts", nargs="*", type=Path)
    options = parser.parse_args()
    scripts = options.scripts or sorted(Path(__file__).parent.rglob("*.test"))
    binary, shared = str(Path(options.binary).resolve()), str(Path(options.shared).resolve())
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(lambda script: run_script(script, binary, shared), scripts))
    failures = [outcome for outcome in outcomes if outcome]
    print("\n".join([*failures, f"{len(scripts)} scripts, {len(failures)} failed"]))
    return 1 if failures or not scripts else 0


if __name__ == "__main__":
    sys.exit(main())
