"""Reading runs of tests in JUnit's XML, as pytest writes it: did the named test fail, or pass; pure."""

import datetime as dt
import hashlib
import re
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError  # nosec B405 - names only; defusedxml parses

from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from headshotly.lifecycle.bounded import LARGEST_DOCUMENT, clean, moment
from headshotly.lifecycle.errors import DocumentRefused, RetestRefused

MOST_TESTS = 200_000


@dataclass(frozen=True, slots=True)
class TestRun:
    """What one run says about one test.

    Attributes:
        outcome: ``passed``, ``failed``, ``error`` or ``skipped``.
        at: when the run began.
        commit: what it ran on, where the run says so.
        message: of the failure, in a line.
        sha256: of the file, in hex.
    """

    outcome: str
    at: dt.datetime
    commit: str
    message: str
    sha256: str


def named(test: str) -> tuple[str, str]:
    """Return classname and name of a test as JUnit has them.

    Args:
        test: pytest's id, ``tests/room/test_file.py::test_name[case]``, or ``package.module::test_name``.

    Raises:
        RetestRefused: it names no test.
    """
    path, *classes, name = test.strip().split("::") if "::" in test else ["", ""]
    module = path.removesuffix(".py").replace("/", ".")
    if not (re.fullmatch(r"[\w.]+", module) and all(re.fullmatch(r"\w+", one) for one in classes) and name):
        raise RetestRefused("A test is named as tests/room/test_file.py::test_name.")
    return ".".join([module, *classes]), name


def look_up(raw: bytes, test: str) -> TestRun:
    """Return what a run says about a test.

    Args:
        raw: the file, at most 16 MiB.
        test: as ``named`` takes it.

    Raises:
        RetestRefused: the run does not hold the test exactly once, or does not say when it was; or the name is none.
        DocumentRefused: it is no JUnit file.
    """
    classname, name = named(test)
    root = _parsed(raw)
    suites = [root] if root.tag == "testsuite" else list(root.iter("testsuite"))
    found: list[tuple[Element, Element]] = []
    for suite in suites:
        found += [
            (suite, case)
            for case in suite.findall("testcase")
            if (case.get("classname"), case.get("name")) == (classname, name)
        ]
    if len(found) != 1:
        raise RetestRefused(f"The run must hold the test {name} exactly once; it holds it {len(found)} times.")
    suite, case = found[0]
    at = moment(suite.get("timestamp", ""))
    if at is None:
        raise RetestRefused("The run does not say when it was.")
    outcome, message = _outcome(case)
    return TestRun(outcome, at, _commit(root), message, hashlib.sha256(raw).hexdigest())


def _parsed(raw: bytes) -> Element:
    if len(raw) > LARGEST_DOCUMENT:
        raise DocumentRefused(f"The run is larger than {LARGEST_DOCUMENT >> 20} MiB.")
    try:
        root: Element = ElementTree.fromstring(raw, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise DocumentRefused("The run is no JUnit XML.") from error
    if root.tag not in {"testsuites", "testsuite"}:
        raise DocumentRefused("The run is no JUnit XML.")
    if sum(1 for _ in root.iter("testcase")) > MOST_TESTS:
        raise DocumentRefused(f"The run holds more than {MOST_TESTS} tests.")
    return root


def _outcome(case: Element) -> tuple[str, str]:
    for tag, outcome in (("error", "error"), ("failure", "failed"), ("skipped", "skipped")):
        said = case.find(tag)
        if said is not None:
            return outcome, clean(said.get("message", ""), longest=300)
    return "passed", ""


def _commit(root: Element) -> str:
    said = {one.get("value", "") for one in root.iter("property") if one.get("name") == "commit"}
    return said.pop().strip().lower() if len(said) == 1 else ""
