"""Runs of tests, as evidence that something is fixed."""

import pytest

from headshotly.lifecycle import junit
from headshotly.lifecycle.bounded import LARGEST_DOCUMENT
from headshotly.lifecycle.errors import DocumentRefused, RetestRefused
from tests.lifecycle.conftest import NEW, TEST
from tests.lifecycle.conftest import junit as written

pytestmark = pytest.mark.clause("4.3.b")
BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]><testsuites>&b;</testsuites>'
LOCAL = b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><testsuites>&f;</testsuites>'


@pytest.mark.parametrize("how", ["passed", "failed", "error", "skipped"])
def test_each_outcome_is_told_apart(how) -> None:
    run = junit.look_up(written(how, commit=NEW), TEST)
    assert (run.outcome, run.commit) == (how, NEW)
    assert run.message == {"failed": "still open", "error": "no"}.get(how, "")


def test_what_pytest_itself_writes_is_read(tmp_path, pytester_run) -> None:
    raw = pytester_run("def test_shut():\n    assert 1 == 2\n\nclass TestIt:\n    def test_in(self):\n        pass\n")
    assert junit.look_up(raw, "test_hole.py::test_shut").outcome == "failed"
    assert junit.look_up(raw, "test_hole.py::TestIt::test_in").outcome == "passed"


@pytest.fixture
def pytester_run(tmp_path):
    import subprocess
    import sys

    def run(source: str) -> bytes:
        (tmp_path / "test_hole.py").write_text(source)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:django", "-p", "no:xdist",
                   "--junitxml=run.xml", "-c", "/dev/null", "--rootdir=.", "test_hole.py"]  # fmt: skip
        subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=60)
        return (tmp_path / "run.xml").read_bytes()

    return run


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b"", "no JUnit"),
        (b"<html/>", "no JUnit"),
        (b"<testsuites>", "no JUnit"),
        (BOMB, "no JUnit"),
        (LOCAL, "no JUnit"),
        (b'<?xml version="1.0" encoding="nonsense"?><testsuites/>', "no JUnit"),
        (b"<" * (LARGEST_DOCUMENT + 1), "larger than 16 MiB"),
        (b"<testsuites>" + b"<testsuite><testcase/></testsuite>" * 200_001 + b"</testsuites>", "more than 200000 tests"),
    ],
)  # fmt: skip
def test_hostile_runs_are_refused(raw, says) -> None:
    with pytest.raises(DocumentRefused) as refused:
        junit.look_up(raw, TEST)
    assert says in refused.value.sentence


@pytest.mark.parametrize("name", ["", "test_it", "::", "a b.py::test", "tests/x.py::", "tests/x.py::a-b::c"])
def test_what_names_no_test_is_refused(name) -> None:
    with pytest.raises(RetestRefused):
        junit.look_up(written(), name)


def test_a_run_holds_the_test_once_and_says_when() -> None:
    with pytest.raises(RetestRefused) as refused:
        junit.look_up(written(test=("tests.other", "test_it_is_shut")), TEST)
    assert "0 times" in refused.value.sentence
    twice = written().replace(
        b"</testsuite>", b'<testcase classname="tests.vault.test_hole" name="test_it_is_shut"/></testsuite>'
    )
    with pytest.raises(RetestRefused):
        junit.look_up(twice, TEST)
    with pytest.raises(RetestRefused) as refused:
        junit.look_up(written().replace(b"timestamp", b"when"), TEST)
    assert "when" in refused.value.sentence
