#!/usr/bin/env python3
"""Check the rules of the house that a machine can see; one line per problem, as file:line: what.

Rules: which module may include which (and no cycles), README and headers of modules, names of
folders, lengths of files and lines, a test beside every source, no loose-end markers. Exceptions
stand in the numbered lists below, which may only shrink. --self-test tries every rule on small
trees.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

# ---- what is allowed -----------------------------------------------------------------------------

# docs/architecture.md, "The rooms". Edges are not transitive, but base and io are open to all
# that stand above them.
EDGES: dict[str, set[str]] = {
    "base": set(),
    "io": {"base"},
    "table": {"base", "io"},
    "catalog": {"table"},
    "bundle": set(),
    "market": set(),
    "metrics": set(),
    "series": {"table", "market"},
    "dataset": {"catalog", "table", "market"},
    "tick_log": set(),
    "ticks": {"tick_log", "catalog", "table", "market", "series"},
    "bars": {"dataset", "ticks", "tick_log", "series", "catalog", "table"},
    "features": {"dataset", "catalog"},
    "backtests": {"bundle", "catalog", "metrics", "table"},
    "folder_index": {"backtests", "bundle", "catalog"},
    "stores": {"backtests", "bundle", "catalog"},
    "research": {"backtests", "features", "catalog", "metrics"},
    "demo": {"backtests", "bundle"},
}
EDGES["store"] = set(EDGES) - {"demo"}
EDGES["upkeep"] = {"store", "backtests", "ticks", "tick_log", "catalog", "table"}
EDGES["server"] = {"store", "upkeep"}
EDGES["cli"] = set(EDGES)
for _name in set(EDGES) - {"base", "io", "table"}:
    EDGES[_name] |= {"base", "io"}

LINES_MAX = 600
COLUMNS_MAX = 100
README_LINES_MAX = 40
BAD_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc"}

# Files longer than LINES_MAX: how many lines they have.
LONG_FILES: dict[str, int] = {}
# Files with lines wider than COLUMNS_MAX: how many such lines they have.
WIDE_LINES: dict[str, int] = {"tools/setup.sh": 4}
# Sources without a test of their own: the file that tests them instead.
TESTED_ELSEWHERE: dict[str, str] = {
    "src/lamina/backtests/catalog_rows.cc": "python/tests/cli/test_first_way.py",
    "src/lamina/backtests/import_batch.cc": "python/tests/cli/test_first_way.py",
    "src/lamina/backtests/run_batch.cc": "python/tests/cli/test_first_way.py",
    "src/lamina/backtests/run_facts.cc": "src/lamina/backtests/decompose_test.cc",
    "src/lamina/backtests/run_parts.cc": "src/lamina/backtests/decompose_test.cc",
    "src/lamina/backtests/series_blob_library.cc": "src/lamina/backtests/series_blob_test.cc",
    "src/lamina/cli/backtest_commands.cc": "python/tests/cli/test_first_way.py",
    "src/lamina/cli/dataset_commands.cc": "tests/scripts/bars/bars.test",
    "src/lamina/cli/dataset_options.cc": "tests/scripts/bars/bars.test",
    "src/lamina/cli/made_bars_commands.cc": "tests/scripts/bars/made.test",
    "src/lamina/cli/demo_command.cc": "python/tests/cli/test_first_way.py",
    "src/lamina/cli/edit_commands.cc": "python/tests/cli/test_first_way.py",
    "src/lamina/cli/index_commands.cc": "tests/scripts/index/folder.test",
    "src/lamina/cli/list_commands.cc": "python/tests/cli/test_first_way.py",
    "src/lamina/cli/market_commands.cc": "tests/scripts/market/calendars.test",
    "src/lamina/cli/migrate_command.cc": "tests/scripts/stores/migrate.test",
    "src/lamina/cli/store_commands.cc": "python/tests/cli/test_first_way.py",
    "src/lamina/cli/tick_commands.cc": "tests/scripts/ticks/query.test",
    "src/lamina/cli/tick_ingest.cc": "tests/scripts/ticks/ingest.test",
    "src/lamina/cli/tick_options.cc": "tests/scripts/ticks/query.test",
    "src/lamina/cli/tick_upkeep_commands.cc": "tests/scripts/ticks/upkeep.test",
    "src/lamina/cli/tree_command.cc": "tests/scripts/ticks/tree.test",
    "src/lamina/cli/validate_command.cc": "python/tests/cli/test_validated.py",
    "src/lamina/cli/upkeep_commands.cc": "tests/scripts/upkeep/verbs.test",
}


class Exceptions(NamedTuple):
    long_files: dict[str, int]
    wide_lines: dict[str, int]
    tested_elsewhere: dict[str, str]


HOUSE_EXCEPTIONS = Exceptions(LONG_FILES, WIDE_LINES, TESTED_ELSEWHERE)

# ---- the tree ------------------------------------------------------------------------------------

MODULES = "src/lamina"
CODE_FOLDERS = ("src", "python", "tools", "tests", "bench", "fuzz", "web", "examples", ".ci")
SKIPPED_FOLDERS = {"build", ".venv", ".git", "node_modules", "__pycache__", "dist", "corpus"}
CODE_SUFFIXES = {".h", ".cc", ".py", ".ts", ".tsx", ".sh", ".css", ".html"}
TEXT_SUFFIXES = CODE_SUFFIXES | {
    ".cmake",
    ".txt",
    ".md",
    ".toml",
    ".yml",
    ".yaml",
    ".json",
    ".test",
}
SUFFIXES_WITHOUT_TEST = ("_test", "_bench", "_fuzz")
MARKERS = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" * 3, "HA" + "CK")) + r")\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]')
CMAKE_MODULE = re.compile(r"^\s*lamina_module\((\w+)([^)]*)\)", re.M)

Report = Callable[[str, int, str], None]


class Source(NamedTuple):
    path: str  # relative to the root, with slashes
    lines: list[str]

    @property
    def suffix(self) -> str:
        return Path(self.path).suffix

    @property
    def module(self) -> str | None:
        parts = self.path.split("/")
        return parts[2] if self.path.startswith(MODULES + "/") and len(parts) > 3 else None


def walk(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.name in SKIPPED_FOLDERS or path.is_symlink():
            continue
        yield path
        if path.is_dir():
            yield from walk(path)


def read_tree(root: Path) -> tuple[list[Source], list[str]]:
    """The text files of the tree, and its folders."""
    sources, folders = [], []
    for path in walk(root):
        name = path.relative_to(root).as_posix()
        if path.is_dir():
            folders.append(name)
        elif path.suffix in TEXT_SUFFIXES or path.name in ("Makefile", "run"):
            text = path.read_text(encoding="utf-8", errors="replace")
            sources.append(Source(name, text.split("\n")[: -1 if text.endswith("\n") else None]))
    return sources, folders


# ---- the rules -----------------------------------------------------------------------------------


def check_edges(sources: list[Source], report: Report) -> None:
    graph: dict[str, dict[str, tuple[str, int]]] = {}
    for source in sources:
        module = source.module
        if source.suffix not in (".h", ".cc") or module is None:
            continue
        for number, line in enumerate(source.lines, 1):
            include = INCLUDE.match(line)
            if not include:
                continue
            quote, target = include.groups()
            if not target.startswith("lamina/"):
                if quote == '"':
                    report(
                        source.path,
                        number,
                        f'write the full path, "lamina/{module}/…", of "{target}"',
                    )
                continue
            other = target.split("/")[1]
            if other == module:
                continue
            graph.setdefault(module, {}).setdefault(other, (source.path, number))
            if other not in EDGES.get(module, set()):
                report(source.path, number, f"{module} may not include {other}")
            if target.endswith("_internal.h"):
                report(source.path, number, f"{target} is private to {other}")
    check_cycles(graph, report)


def check_cycles(graph: dict[str, dict[str, tuple[str, int]]], report: Report) -> None:
    done: set[str] = set()

    def visit(module: str, trail: list[str]) -> None:
        for other, (path, number) in sorted(graph.get(module, {}).items()):
            if other in trail:
                cycle = [*trail[trail.index(other) :], other]
                report(path, number, "modules include each other: " + " -> ".join(cycle))
            elif other not in done:
                visit(other, [*trail, other])
        done.add(module)

    for module in sorted(graph):
        if module not in done:
            visit(module, [module])


def check_cmake(sources: list[Source], report: Report) -> None:
    for source in sources:
        if source.path != "CMakeLists.txt":
            continue
        text = "\n".join(source.lines)
        for call in CMAKE_MODULE.finditer(text):
            number = text.count("\n", 0, call.start(1)) + 1
            words = call.group(2).split()
            deps = words[words.index("DEPS") + 1 :] if "DEPS" in words else []
            for dep in deps:
                if dep in ("LIBS", "PCH"):
                    break
                if dep not in EDGES.get(call.group(1), set()):
                    report(source.path, number, f"{call.group(1)} may not depend on {dep}")


def check_modules(sources: list[Source], folders: list[str], report: Report) -> None:
    readmes = {source.path: source for source in sources if source.path.endswith("/README.md")}
    for folder in folders:
        if folder.startswith(MODULES + "/") and folder.count("/") == 2:
            module = folder.split("/")[2]
            if module not in EDGES:
                report(
                    folder, 1, f"{module} has no row in the table of edges of tools/check_house.py"
                )
            readme = readmes.get(folder + "/README.md")
            if readme is None:
                report(folder, 1, "no README.md")
            elif len(readme.lines) > README_LINES_MAX:
                report(readme.path, README_LINES_MAX + 1, f"over {README_LINES_MAX} lines")


def check_names(sources: list[Source], folders: list[str], report: Report) -> None:
    for path in (*folders, *(source.path for source in sources)):
        if Path(path).stem.lower() in BAD_NAMES:
            report(path, 1, "name it after a concept")


def check_headers(sources: list[Source], report: Report) -> None:
    for source in sources:
        if source.suffix != ".h" or source.module is None:
            continue
        if "#pragma once" not in source.lines:
            report(source.path, 1, "no #pragma once")
        place = source.path.removeprefix("src/")
        stated = next((line for line in source.lines if line.startswith("/// \\file")), None)
        if stated is None:
            report(source.path, 1, f"no `/// \\file {place}` with its purpose")
        elif stated.split()[2:] != [place]:
            report(source.path, source.lines.index(stated) + 1, f"\\file is not {place}")


def check_lengths(sources: list[Source], exceptions: Exceptions, report: Report) -> None:
    seen: set[str] = set()
    for source in sources:
        if source.suffix not in CODE_SUFFIXES or source.path.split("/")[0] not in CODE_FOLDERS:
            continue
        seen.add(source.path)
        lines = len(source.lines)
        allowed = exceptions.long_files.get(source.path)
        if lines > (allowed or LINES_MAX):
            report(source.path, lines, f"{lines} lines, over {allowed or LINES_MAX}")
        elif allowed is not None and lines < allowed:
            lower = (
                f"lower its number in LONG_FILES to {lines}"
                if lines > LINES_MAX
                else "drop it from LONG_FILES"
            )
            report(source.path, lines, f"{lines} lines, under its {allowed}: {lower}")
        wide = [number for number, line in enumerate(source.lines, 1) if len(line) > COLUMNS_MAX]
        allowed = exceptions.wide_lines.get(source.path, 0)
        if len(wide) > allowed:
            for number in wide:
                columns = len(source.lines[number - 1])
                report(source.path, number, f"{columns} columns, over {COLUMNS_MAX}")
        elif len(wide) < allowed:
            lower = (
                f"lower its number in WIDE_LINES to {len(wide)}"
                if wide
                else "drop it from WIDE_LINES"
            )
            report(source.path, 1, f"{len(wide)} wide lines, under its {allowed}: {lower}")
    for name, listed in (
        ("LONG_FILES", exceptions.long_files),
        ("WIDE_LINES", exceptions.wide_lines),
    ):
        for path in listed.keys() - seen:
            report(path, 1, f"no such file: drop it from {name}")


def check_tests(sources: list[Source], exceptions: Exceptions, report: Report) -> None:
    paths = {source.path for source in sources}
    for source in sources:
        stem = source.path.removesuffix(".cc")
        if source.module is None or source.suffix != ".cc" or stem.endswith(SUFFIXES_WITHOUT_TEST):
            continue
        instead = exceptions.tested_elsewhere.get(source.path)
        if stem + "_test.cc" in paths:
            if instead is not None:
                report(source.path, 1, "has its test now: drop it from TESTED_ELSEWHERE")
        elif instead is None:
            if Path(source.path).name != "main.cc":
                report(source.path, 1, f"no {Path(stem).name}_test.cc beside it")
        elif instead not in paths:
            report(source.path, 1, f"{instead}, which is to test it, does not exist")
    for path in exceptions.tested_elsewhere.keys() - paths:
        report(path, 1, "no such file: drop it from TESTED_ELSEWHERE")


def check_markers(sources: list[Source], report: Report) -> None:
    for source in sources:
        for number, line in enumerate(source.lines, 1):
            marker = MARKERS.search(line)
            if marker:
                report(source.path, number, f"loose end: {marker.group(0)}")


def check(root: Path, exceptions: Exceptions = HOUSE_EXCEPTIONS) -> list[str]:
    problems: list[str] = []

    def report(path: str, line: int, what: str) -> None:
        problems.append(f"{path}:{line}: {what}")

    sources, folders = read_tree(root)
    check_edges(sources, report)
    check_cmake(sources, report)
    check_modules(sources, folders, report)
    check_names(sources, folders, report)
    check_headers(sources, report)
    check_lengths(sources, exceptions, report)
    check_tests(sources, exceptions, report)
    check_markers(sources, report)
    return problems


# ---- self test -----------------------------------------------------------------------------------

GOOD = {
    "CMakeLists.txt": "lamina_module(base LIBS x)\nlamina_module(io\n  DEPS base LIBS y PCH)\n",
    "src/lamina/base/README.md": "# base\n",
    "src/lamina/base/a.h": "#pragma once\n\n/// \\file lamina/base/a.h\n/// Purpose.\n",
    "src/lamina/base/a.cc": '#include "lamina/base/a.h"\n#include <vector>\n',
    "src/lamina/base/a_test.cc": '#include "lamina/base/a.h"\n',
    "src/lamina/io/README.md": "# io\n" * README_LINES_MAX,
    "src/lamina/io/b.cc": '#include "lamina/base/a.h"\n',
    "src/lamina/io/b_test.cc": "é" * COLUMNS_MAX + "\n" * LINES_MAX,
    "src/lamina/io/b_bench.cc": "\n",
    "src/lamina/cli/README.md": "# cli\n",
    "src/lamina/cli/main.cc": '#include "lamina/base/a.h"\n',
    "build/x/common/z.cc": "x" * 200,
}
NO_EXCEPTIONS = Exceptions({}, {}, {})
WIDE = "x" * (COLUMNS_MAX + 1)
B = "src/lamina/io/b.cc"
A_CYCLE = {
    "src/lamina/base/a.h": GOOD["src/lamina/base/a.h"] + '#include "lamina/io/b.h"\n',
    "src/lamina/io/b.h": '#pragma once\n/// \\file lamina/io/b.h\n#include "lamina/base/a.h"\n',
}

# What is added to GOOD, the exceptions, and the problems that must be found.
CASES: list[tuple[dict[str, str], Exceptions, list[str]]] = [
    ({}, NO_EXCEPTIONS, []),
    (
        {B: '\n#include "lamina/table/x.h"\n'},
        NO_EXCEPTIONS,
        [B + ":2: io may not include table"],
    ),
    (
        {B: "#  include <lamina/cli/x.h>\n"},
        NO_EXCEPTIONS,
        [B + ":1: io may not include cli"],
    ),
    (
        {B: '#include "b.h"\n'},
        NO_EXCEPTIONS,
        [B + ':1: write the full path, "lamina/io/…", of "b.h"'],
    ),
    (
        {B: '#include "lamina/base/a_internal.h"\n'},
        NO_EXCEPTIONS,
        [B + ":1: lamina/base/a_internal.h is private to base"],
    ),
    (
        A_CYCLE,
        NO_EXCEPTIONS,
        [
            "src/lamina/base/a.h:5: base may not include io",
            "src/lamina/io/b.cc:1: modules include each other: base -> io -> base",
        ],
    ),
    (
        {"CMakeLists.txt": "\nlamina_module(base DEPS io LIBS x)\n"},
        NO_EXCEPTIONS,
        ["CMakeLists.txt:2: base may not depend on io"],
    ),
    (
        {"src/lamina/other/a.h": "#pragma once\n/// \\file lamina/other/a.h\n"},
        NO_EXCEPTIONS,
        [
            "src/lamina/other:1: other has no row in the table of edges of tools/check_house.py",
            "src/lamina/other:1: no README.md",
        ],
    ),
    (
        {"src/lamina/io/README.md": "\n" * (README_LINES_MAX + 1)},
        NO_EXCEPTIONS,
        ["src/lamina/io/README.md:41: over 40 lines"],
    ),
    ({"python/utils/x.py": "\n"}, NO_EXCEPTIONS, ["python/utils:1: name it after a concept"]),
    ({"python/helpers.py": "\n"}, NO_EXCEPTIONS, ["python/helpers.py:1: name it after a concept"]),
    (
        {"src/lamina/io/c.h": "// nothing\n"},
        NO_EXCEPTIONS,
        [
            "src/lamina/io/c.h:1: no #pragma once",
            "src/lamina/io/c.h:1: no `/// \\file lamina/io/c.h` with its purpose",
        ],
    ),
    (
        {"src/lamina/io/c.h": "#pragma once\n/// \\file lamina/io/d.h\n"},
        NO_EXCEPTIONS,
        ["src/lamina/io/c.h:2: \\file is not lamina/io/c.h"],
    ),
    ({"tools/x.py": "\n" * 601}, NO_EXCEPTIONS, ["tools/x.py:601: 601 lines, over 600"]),
    ({"tools/x.py": "\n" * 601}, Exceptions({"tools/x.py": 601}, {}, {}), []),
    (
        {"tools/x.py": "\n" * 602},
        Exceptions({"tools/x.py": 601}, {}, {}),
        ["tools/x.py:602: 602 lines, over 601"],
    ),
    (
        {"tools/x.py": "\n" * 601},
        Exceptions({"tools/x.py": 650}, {}, {}),
        ["tools/x.py:601: 601 lines, under its 650: lower its number in LONG_FILES to 601"],
    ),
    (
        {"tools/x.py": "\n" * 600},
        Exceptions({"tools/x.py": 650}, {}, {}),
        ["tools/x.py:600: 600 lines, under its 650: drop it from LONG_FILES"],
    ),
    ({B: f"\n{WIDE}\n"}, NO_EXCEPTIONS, [B + ":2: 101 columns, over 100"]),
    ({B: f"\n{WIDE}\n"}, Exceptions({}, {B: 1}, {}), []),
    (
        {B: f"{WIDE}\n"},
        Exceptions({}, {B: 2}, {}),
        [B + ":1: 1 wide lines, under its 2: lower its number in WIDE_LINES to 1"],
    ),
    (
        {},
        Exceptions({}, {B: 2}, {}),
        [B + ":1: 0 wide lines, under its 2: drop it from WIDE_LINES"],
    ),
    (
        {},
        Exceptions({"a.py": 700}, {"b.py": 1}, {"c.cc": "d.cc"}),
        [
            "a.py:1: no such file: drop it from LONG_FILES",
            "b.py:1: no such file: drop it from WIDE_LINES",
            "c.cc:1: no such file: drop it from TESTED_ELSEWHERE",
        ],
    ),
    ({"src/lamina/io/c.cc": "\n"}, NO_EXCEPTIONS, ["src/lamina/io/c.cc:1: no c_test.cc beside it"]),
    (
        {"src/lamina/io/c.cc": "\n"},
        Exceptions({}, {}, {"src/lamina/io/c.cc": "src/lamina/io/b_test.cc"}),
        [],
    ),
    (
        {"src/lamina/io/c.cc": "\n"},
        Exceptions({}, {}, {"src/lamina/io/c.cc": "src/lamina/io/z_test.cc"}),
        ["src/lamina/io/c.cc:1: src/lamina/io/z_test.cc, which is to test it, does not exist"],
    ),
    (
        {},
        Exceptions({}, {}, {B: "src/lamina/base/a_test.cc"}),
        [B + ":1: has its test now: drop it from TESTED_ELSEWHERE"],
    ),
    (
        {
            B: "// TO" + "DO: later\n",
            "docs/x.md": "\n\nFIX" + "ME\n",
            "src/lamina/io/b_test.cc": "/tmp/XXXXXX\n",
        },
        NO_EXCEPTIONS,
        [B + ":1: loose end: TO" + "DO", "docs/x.md:3: loose end: FIX" + "ME"],
    ),
]


def self_test() -> int:
    failures = 0
    for added, exceptions, expected in CASES:
        with tempfile.TemporaryDirectory() as folder:
            root = Path(folder)
            for name, text in {**GOOD, **added}.items():
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding="utf-8")
            found = check(root, exceptions)
        if sorted(found) != sorted(expected):
            failures += 1
            print(f"self-test of {sorted(added)} failed")
            print(f"  expected {sorted(expected)}")
            print(f"  found    {sorted(found)}")
    table: list[str] = []
    check_cycles(
        {module: {other: ("EDGES", 1) for other in others} for module, others in EDGES.items()},
        lambda path, line, what: table.append(what),
    )
    for what in table:
        print(f"self-test: the table of edges has a cycle: {what}")
    print(f"check_house --self-test: {len(CASES)} trees, {failures} failures")
    return 1 if failures or table else 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    problems = check(arguments.root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
