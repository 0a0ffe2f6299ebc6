"""The count at the end of a test run must be true."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[3] / "tools" / "count_tests.py"

CTEST = """<testsuite>
<testcase name="base.A.b" status="run"/>
<testcase name="base.A.c" status="fail"><failure message="x"/></testcase>
<testcase name="base.A.d" status="disabled"><skipped/></testcase>
<testcase name="python.fast" status="{status}">{inside}</testcase>
</testsuite>"""
PYTEST = """<testsuites><testsuite>
<testcase classname="t" name="one"/><testcase classname="t" name="two"><skipped/></testcase>
{more}</testsuite></testsuites>"""
FAILURE = '<failure message="x"/>'


def count(folder, *options):
    done = subprocess.run(
        [sys.executable, SCRIPT, folder, *options], capture_output=True, text=True
    )
    return done.stdout.splitlines()[-1], done.returncode


@pytest.mark.parametrize(
    "status, inside, pytest_xml, expected",
    [
        ("run", "", PYTEST.format(more=""), "2 passed, 1 failed, 2 skipped"),
        (
            "fail",
            FAILURE,
            PYTEST.format(more=f'<testcase name="three">{FAILURE}</testcase>'),
            "2 passed, 2 failed, 2 skipped",
        ),
        # pytest failed without any failed case, or left no file at all: one failure more
        ("fail", FAILURE, PYTEST.format(more=""), "2 passed, 2 failed, 2 skipped"),
        ("fail", FAILURE, None, "1 passed, 2 failed, 1 skipped"),
    ],
)
def test_counts(tmp_path, status, inside, pytest_xml, expected):
    (tmp_path / "ctest.xml").write_text(CTEST.format(status=status, inside=inside))
    if pytest_xml is not None:
        (tmp_path / "fast.xml").write_text(pytest_xml)
    assert count(tmp_path) == (expected, 1)


def test_exit_status_tells_of_skips_only_when_asked(tmp_path):
    cases = '<testcase name="a" status="run"/><testcase name="b" status="notrun"/>'
    (tmp_path / "ctest.xml").write_text(f"<testsuite>{cases}</testsuite>")
    assert count(tmp_path) == ("1 passed, 0 failed, 1 skipped", 0)
    assert count(tmp_path, "--no-skips") == ("1 passed, 0 failed, 1 skipped", 1)


def test_nothing_ran_is_a_failure(tmp_path):
    (tmp_path / "ctest.xml").write_text("<testsuite></testsuite>")
    assert count(tmp_path) == ("0 passed, 0 failed, 0 skipped", 1)
