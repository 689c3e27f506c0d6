"""Documents as scanners write them, and people to work on them."""

import json
from uuid import UUID

import pytest

from headshotly.audit.actor import SYSTEM, Actor
from headshotly.lifecycle import importing
from headshotly.lifecycle.models import Finding, Scan
from headshotly.policy import clock
from tests.access.conftest import make_member
from tests.accounts.conftest import db_all  # noqa: F401 - a fixture

OLD, NEW = "a" * 40, "b" * 40
TEST = "tests/vault/test_hole.py::test_it_is_shut"


def result(rule="py.hole", *, path="headshotly/vault/hole.py", line=7, snippet="open(hole)", **more) -> dict:
    region = {"startLine": line, "snippet": {"text": snippet}}
    place = {"physicalLocation": {"artifactLocation": {"uri": path}, "region": region}}
    return {"ruleId": rule, "message": {"text": "A hole."}, "locations": [place], **more}


def sarif(*results, tool="Semgrep OSS", commit=OLD, at=None, ok=True, rules=(), scope="", **run) -> bytes:
    made = {
        "tool": {"driver": {"name": tool, "version": "1.0", "rules": list(rules)}},
        "invocations": [{"executionSuccessful": ok, "endTimeUtc": (at or clock.now()).isoformat()}],
        "results": list(results),
        **run,
    }
    if commit:
        made["versionControlProvenance"] = [{"revisionId": commit, "repositoryUri": "https://example.org/us"}]
    if scope:
        made["automationDetails"] = {"id": scope}
    return json.dumps({"version": "2.1.0", "runs": [made]}).encode()


def vulnerability(advisory="CVE-2026-1234", *, ref="pkg:pypi/thing@1.0", **more) -> dict:
    return {"id": advisory, "description": "Bad.", "affects": [{"ref": ref}], **more}


def cyclonedx(*vulnerabilities, commit=OLD, at=None, version="1.0") -> bytes:
    purl = f"pkg:pypi/thing@{version}"
    return json.dumps(
        {
            "bomFormat": "CycloneDX",
            "specVersion": "1.6",
            "metadata": {
                "timestamp": (at or clock.now()).isoformat(),
                "tools": {"components": [{"name": "pip-audit", "version": "2.10"}]},
                "properties": [{"name": "headshotly:commit", "value": commit}],
            },
            "components": [{"type": "library", "bom-ref": purl, "name": "thing", "version": version, "purl": purl}],
            "vulnerabilities": list(vulnerabilities),
        }
    ).encode()


def junit(how="passed", *, at=None, commit="", test=("tests.vault.test_hole", "test_it_is_shut")) -> bytes:
    inside = {"passed": "", "failed": '<failure message="still open">x</failure>', "error": '<error message="no"/>',
              "skipped": "<skipped/>"}[how]  # fmt: skip
    said = f'<properties><property name="commit" value="{commit}"/></properties>' if commit else ""
    return (
        f'<?xml version="1.0"?><testsuites><testsuite name="pytest" timestamp="{(at or clock.now()).isoformat()}">{said}'
        f'<testcase classname="{test[0]}" name="{test[1]}" time="0.1">{inside}</testcase></testsuite></testsuites>'
    ).encode()


def take(raw: bytes, **more) -> Scan:
    return importing.take_in(actor=SYSTEM, raw=raw, **more)[0]


def found() -> Finding:
    return Finding.objects.get()


def actor_of(member) -> Actor:
    return Actor(kind="staff", id=UUID(str(member.id)), role=member.role)


@pytest.fixture
def officer(db_all):  # noqa: F811 - a fixture
    return make_member("security-officer")


@pytest.fixture
def developer(db_all):  # noqa: F811 - a fixture
    return make_member("developer")


@pytest.fixture
def dpo(db_all):  # noqa: F811 - a fixture
    return make_member("dpo")
