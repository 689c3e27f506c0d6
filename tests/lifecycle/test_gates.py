"""What the gates write is what the register reads; every rule of our own has both kinds of examples."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from headshotly.lifecycle import documents, releases
from headshotly.lifecycle.severity import Severity
from headshotly.lifecycle.states import Method

REPOSITORY = Path(__file__).resolve().parents[2]
RULES = REPOSITORY / "setup" / "semgrep"
pytestmark = pytest.mark.clause("4.1.a", "4.2.b")
COMMIT = "c" * 40


@pytest.fixture
def converter(monkeypatch):
    spec = importlib.util.spec_from_file_location("findings", REPOSITORY / "setup" / "findings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "_commit", lambda: COMMIT)
    return module


def read(path: Path):
    (run,) = documents.read(path.read_bytes())[1]
    return run


def rules() -> list[tuple[Path, dict]]:
    return [(path, rule) for path in sorted(RULES.glob("*.yml")) for rule in yaml.safe_load(path.read_text())["rules"]]


def test_there_are_rules_and_each_must_find_and_must_not_find_something() -> None:
    assert len(rules()) >= 8
    for path, rule in rules():
        examples = "\n".join(each.read_text() for each in RULES.glob(f"{path.stem}.*") if each.suffix != ".yml")
        for mark in ("ruleid", "ok"):
            assert re.search(rf"\b{mark}: {rule['id']}\b", examples), f"{rule['id']} has no example of {mark}"
        assert len(rule["message"]) > 30


def test_the_gates_are_the_ones_a_release_asks_for() -> None:
    text = (REPOSITORY / "setup" / "gates.sh").read_text()
    named = set(re.findall(r'^gate "([A-Za-z ]+)"', text, re.MULTILINE)) | set(
        re.findall(r"PASS     ([A-Za-z ]+)\"", text)
    )
    suites = re.findall(r'^suite "([A-Za-z ]+)"', (REPOSITORY / ".ci" / "run").read_text(), re.MULTILINE)
    assert len(suites) == 2
    assert named | set(suites) == releases.GATES


def write_record(path: Path, rows: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(REPOSITORY / "setup" / "gates_record.py"), str(path), *more]
    return subprocess.run(command, input=rows, cwd=REPOSITORY, capture_output=True, text=True, check=False)


def test_what_one_gate_could_not_leave_does_not_keep_the_others_out_of_the_register(tmp_path) -> None:
    """Where the source of advisories is out of reach, there is no CycloneDX; the SARIF is taken in all the same."""
    recipe = re.search(r"^findings:.*\n\t@(.*)", (REPOSITORY / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    line = recipe[1].replace("bash setup/gates.sh", "true").replace("$(VENV)/headshotly", "echo").replace("$$", "$")
    (tmp_path / "build" / "findings").mkdir(parents=True)
    for name in ("bandit.sarif", "dast-tls.sarif"):
        (tmp_path / "build" / "findings" / name).touch()
    said = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    assert said.split() == ["findings", "import", "build/findings/bandit.sarif", "build/findings/dast-tls.sarif"]


@pytest.mark.parametrize("said", ["PASS", "FAIL"])
def test_what_the_tests_said_stands_in_the_record_of_the_same_commit(tmp_path, said) -> None:
    record = tmp_path / "gates.json"
    assert write_record(record, "PASS     style\nNOT RUN  dependency audit: out of reach\n").returncode == 0
    assert write_record(record, f"{said}     tests on PostgreSQL\n", "--add").returncode == 0
    gates = json.loads(record.read_text())["gates"]
    assert gates == {"style": "PASS", "dependency audit": "NOT RUN", "tests on PostgreSQL": said}


def test_tests_of_one_commit_are_not_added_to_the_gates_of_another(tmp_path) -> None:
    record = tmp_path / "gates.json"
    assert write_record(record, "PASS     tests on PostgreSQL\n", "--add").returncode == 1
    write_record(record, "PASS     style\n")
    other = json.loads(record.read_text()) | {"commit": COMMIT}
    record.write_text(json.dumps(other))
    answer = write_record(record, "PASS     tests on PostgreSQL\n", "--add")
    assert (answer.returncode, "another commit" in answer.stderr) == (1, True)
    assert json.loads(record.read_text()) == other


def test_secrets_become_findings_without_the_secret(converter, tmp_path) -> None:
    one = {
        "type": "Private Key",
        "filename": "headshotly/x.py",
        "hashed_secret": "ab" * 20,
        "is_verified": False,
        "line_number": 3,
    }
    said = json.dumps({"version": "1.5.0", "results": {"headshotly/x.py": [one]}})
    (tmp_path / "in").write_text(f"The baseline file was updated.\n{said}\n{said.replace('x.py', 'y.py')}\n")
    converter.secrets(tmp_path / "in", tmp_path / "out")
    run = read(tmp_path / "out")
    assert (run.method, run.commit, run.succeeded) == (Method.SECRETS, COMMIT, True)
    assert {seen.place for seen in run.sightings} == {"headshotly/x.py:3", "headshotly/y.py:3"}
    (tmp_path / "in").write_text("")
    converter.secrets(tmp_path / "in", tmp_path / "out")
    assert read(tmp_path / "out").sightings == ()


def test_a_licence_we_may_not_ship_becomes_a_finding(converter, tmp_path) -> None:
    packages = [
        {"Name": "fine", "Version": "1", "License": "MIT License"},
        {"Name": "bad", "Version": "2", "License": "AGPL-3.0"},
    ]
    (tmp_path / "in").write_text(json.dumps(packages))
    converter.licences(tmp_path / "in", tmp_path / "out")
    (seen,) = read(tmp_path / "out").sightings
    assert "bad 2" in seen.words
    assert seen.grade.severity is Severity.HIGH
    gates = (REPOSITORY / "setup" / "gates.sh").read_text()
    assert f'--allow-only="{";".join(converter._LICENCES)}"' in gates


def test_what_bandit_writes_is_stamped_and_read(converter, tmp_path) -> None:
    (tmp_path / "hole.py").write_text("eval(input())\n")
    command = [REPOSITORY / ".venv/bin/bandit", "-q", "-f", "sarif", "-o", tmp_path / "out.sarif", tmp_path / "hole.py"]
    subprocess.run(command, capture_output=True, timeout=60)
    converter.stamp(tmp_path / "out.sarif")
    run = read(tmp_path / "out.sarif")
    assert (run.tool, run.method, run.commit) == ("Bandit", Method.CODE, COMMIT)
    assert [(seen.rule, seen.weaknesses) for seen in run.sightings] == [("B307", (78,))]


def test_what_pip_audit_writes_is_stamped_and_read(converter, tmp_path) -> None:
    bill = {
        "bomFormat": "CycloneDX", "specVersion": "1.4", "metadata": {"tools": [{"name": "cyclonedx-python-lib"}]},
        "components": [{"bom-ref": "r1", "name": "thing", "version": "1.0", "type": "library"}],
        "vulnerabilities": [{"id": "PYSEC-2026-1", "affects": [{"ref": "r1"}], "description": "Bad.", "recommendation": "Upgrade"}],
    }  # fmt: skip
    (tmp_path / "out").write_text(json.dumps(bill))
    converter.stamp(tmp_path / "out")
    run = read(tmp_path / "out")
    assert (run.tool, run.method, run.commit) == ("pip-audit", Method.DEPENDENCIES, COMMIT)
    assert [seen.title for seen in run.sightings] == ["PYSEC-2026-1 in thing 1.0"]
    del bill["vulnerabilities"]
    (tmp_path / "out").write_text(json.dumps(bill))
    converter.stamp(tmp_path / "out")
    assert read(tmp_path / "out").sightings == ()


def test_a_changed_tree_is_no_commit(monkeypatch, converter, tmp_path) -> None:
    monkeypatch.setattr(converter, "_commit", lambda: "")
    (tmp_path / "in").write_text("")
    converter.secrets(tmp_path / "in", tmp_path / "out")
    assert read(tmp_path / "out").commit == ""


def test_a_path_is_named_from_the_root(converter) -> None:
    for said in (
        f"file://{REPOSITORY}/headshotly/x.py",
        f"{REPOSITORY}/headshotly/x.py",
        "./headshotly/x.py",
        "headshotly/x.py",
    ):
        place = {"uri": said}
        converter._make_relative(place)
        assert place["uri"] == "headshotly/x.py"
