#!/usr/bin/env python3
"""Check docs/requirements.md: every requirement id has one row, and every test it names exists.

Usage: check_requirements.py [SPEC]. SPEC is the list of requirements; where it is absent only the
rows are checked.
A row is `| ID | what | where it lives | status |`; a status is one or more of
  `test: <name>`      a test of this tree as its source names it: Suite.Name, test_function, file
  `planned: step N`   not yet (`planned: later`: after the steps that are numbered so far)
  `reason: <text>`    not done, and why
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ROW = re.compile(r"^\| ((?:IA|IB|ME)-\d{3}) \| [^|]* \| [^|]* \| ([^|]*) \|$")
STATUS = re.compile(r"(test|planned|reason): *([^;]+)")


def tests_of_tree() -> set[str]:
    names = set()
    for path in (ROOT / "src").rglob("*_test.cc"):
        text = path.read_text(encoding="utf-8")
        names.update(
            f"{s}.{n}" for s, n in re.findall(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", text, re.M)
        )
    for path in (ROOT / "python" / "tests").rglob("test_*.py"):
        names.update(re.findall(r"^\s*def (test_\w+)\(", path.read_text(encoding="utf-8"), re.M))
    for folder in ("tests", "tools", "bench"):
        names.update(
            path.name for path in (ROOT / folder).rglob("*") if path.suffix in (".test", ".py")
        )
    return names


def main() -> int:
    problems: list[str] = []
    rows: dict[str, str] = {}
    page = ROOT / "docs" / "requirements.md"
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        match = ROW.match(line)
        if not match:
            if re.match(r"^\| *(IA|IB|ME)-", line):
                problems.append(f"{page.name}:{number}: not | ID | what | where | status |")
            continue
        if match[1] in rows:
            problems.append(f"{page.name}:{number}: {match[1]} has two rows")
        rows[match[1]] = match[2].strip()

    tests = tests_of_tree()
    for requirement, status in rows.items():
        parts = STATUS.findall(status)
        if not parts:
            problems.append(f"{requirement}: no test, plan or reason: {status!r}")
        for kind, value in parts:
            if kind == "test" and value.strip().strip("`") not in tests:
                problems.append(f"{requirement}: no test named {value.strip()}")
            if kind == "planned" and not re.fullmatch(r"step \d+|later", value.strip()):
                problems.append(f"{requirement}: planned for which step? {value.strip()}")

    spec = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    if spec and spec.exists():
        wanted = set(re.findall(r"^- ((?:IA|IB|ME)-\d+)", spec.read_text(encoding="utf-8"), re.M))
        problems += [f"{requirement}: has no row" for requirement in sorted(wanted - rows.keys())]
        problems += [
            f"{requirement}: is no requirement" for requirement in sorted(rows.keys() - wanted)
        ]

    print("\n".join(problems))
    done = sum("test:" in status for status in rows.values())
    print(f"{len(rows)} requirements: {done} with tests, {len(problems)} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
