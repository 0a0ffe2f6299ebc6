#!/usr/bin/env python3
"""Sum the test results of one run: ctest's JUnit file plus one for each pytest entry of it.

Usage: count_tests.py RESULTS_FOLDER [--no-skips]. A ctest entry `python.<name>` stands for the
tests in `<name>.xml`. The last line printed is `N passed, N failed, N skipped`; exit status 1 when
anything failed or nothing ran (with --no-skips also when anything was skipped).
"""

import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path


def outcome(case: ElementTree.Element) -> str:
    if (
        case.get("status") == "fail"
        or case.find("failure") is not None
        or case.find("error") is not None
    ):
        return "failed"
    if case.find("skipped") is not None or case.get("status") in ("disabled", "notrun"):
        return "skipped"
    return "passed"


def count(results: Path) -> tuple[dict[str, int], list[str]]:
    totals = {"passed": 0, "failed": 0, "skipped": 0}
    not_passed = []

    def add(name: str, what: str) -> None:
        totals[what] += 1
        if what != "passed":
            not_passed.append(f"{what}: {name}")

    for case in ElementTree.parse(results / "ctest.xml").getroot().iter("testcase"):
        name, what = case.get("name", "?"), outcome(case)
        if not name.startswith("python."):
            add(name, what)
            continue
        parts = results / f"{name.removeprefix('python.')}.xml"
        cases = list(ElementTree.parse(parts).getroot().iter("testcase")) if parts.exists() else []
        outcomes = [outcome(part) for part in cases]
        for part, part_outcome in zip(cases, outcomes, strict=True):
            add(f"{part.get('classname')}.{part.get('name')}", part_outcome)
        if what == "failed" and "failed" not in outcomes:
            add(name, "failed")  # pytest itself broke: no case tells of it
        elif not cases:
            add(name, what)
    return totals, not_passed


def main() -> int:
    totals, not_passed = count(Path(sys.argv[1]))
    for line in sorted(not_passed):
        print(line)
    print(f"{totals['passed']} passed, {totals['failed']} failed, {totals['skipped']} skipped")
    unwanted = totals["failed"] + (totals["skipped"] if "--no-skips" in sys.argv[2:] else 0)
    return 1 if unwanted or not totals["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
