"""``policy verify`` and ``policy show``: one line a clause, four formats, exit codes, and no service but the one there."""

import json
import xml.etree.ElementTree as ET

import pytest
from click.testing import CliRunner

from headshotly.frontdoor.commands.policy import policy
from headshotly.policy.clauses import clauses
from headshotly.proof import registry, reports, selectors, services
from headshotly.proof.findings import Assurance, attested, broken, held, unknown
from headshotly.proof.registry import Check

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("1.3.a")]
KEYS = ["clause", "verdict", "reason", "observed_at", "environment"]


def fails(_scene):
    raise OSError


LOOKS = {
    "1.1.a": lambda _scene: held("Fine.", population=2),
    "2.2": lambda _scene: broken("A store lies in us-east-1.", ids=["us-east-1"]),
    "3.1.a": fails,
    "12": lambda _scene: unknown("There is no page."),
    "2.1.b": lambda scene: attested("They say so.", expires_at=scene.now.replace(year=2090), observed_from=scene.now),
}


@pytest.fixture
def stage(monkeypatch):
    """Let one check stand for each of five verdicts."""
    made = {
        f"c{place}": Check(
            id=f"c{place}", clauses=(clause_id,), title="T", words="We look.", assurance=Assurance.MEASURED, look=look
        )
        for place, (clause_id, look) in enumerate(LOOKS.items())
    }
    monkeypatch.setattr(registry, "load", lambda: made)


def run(*arguments):
    return CliRunner().invoke(policy, ["verify", *arguments])


def test_json_has_a_row_for_every_row_of_the_table(stage) -> None:
    answer = run("--format", "json")
    rows = json.loads(answer.stdout)
    assert answer.exit_code == reports.FAILED
    assert [row["clause"] for row in rows] == list(clauses())
    assert len(rows) == 55
    assert all(list(row) == KEYS for row in rows)
    assert all(row["reason"] for row in rows)
    found = {row["clause"]: row for row in rows}
    assert [found[one]["verdict"] for one in LOOKS] == ["PASS", "FAIL", "ERROR", "UNKNOWN", "ATTESTED"]
    assert found["2.2"]["reason"] == "A store lies in us-east-1."
    assert found["1.1.a"]["environment"] == "emulated"
    assert found["1.1.a"]["observed_at"] is not None
    assert found["1.2.a-b"]["verdict"] == "FAIL"
    assert "2.2" in found["1.2.a-b"]["reason"]


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        (["1.1.a"], reports.HOLDS),
        (["1.1.a", "2.1.b"], reports.HOLDS),
        (["1.1.a", "12"], reports.UNDECIDED),
        (["3.1.a", "12"], reports.FAILED),
        (["2.2"], reports.FAILED),
    ],
)
def test_the_exit_code_says_it(stage, wanted, code) -> None:
    answer = run(*wanted)
    assert answer.exit_code == code
    assert [line.split()[1] for line in answer.stdout.splitlines()[: len(wanted)]] == [
        one for one in clauses() if one in wanted
    ]


def test_progress_is_told_beside_the_report(stage) -> None:
    answer = run("1.1.a", "2.2", "--format", "json")
    assert "[1/2] c0: held" in answer.stderr
    assert "[2/2] c1: broken" in answer.stderr
    json.loads(answer.stdout)


def test_junit(stage) -> None:
    suite = ET.fromstring(run("--format", "junit").stdout)  # noqa: S314 - our own
    assert suite.get("tests") == "55"
    assert len(suite.findall("testcase/failure")) == int(suite.get("failures")) == 2  # 2.2, and 1.2.a-b that follows it
    assert len(suite.findall("testcase/error")) == int(suite.get("errors")) == 1
    assert len(suite.findall("testcase/skipped")) == int(suite.get("skipped"))


def test_sarif(stage) -> None:
    document = json.loads(run("--format", "sarif").stdout)
    (made,) = document["runs"]
    assert document["version"] == "2.1.0"
    assert len(made["results"]) == len(made["tool"]["driver"]["rules"]) == 55
    kinds = {one["ruleId"]: (one["kind"], one["level"]) for one in made["results"]}
    assert kinds["2.2"] == ("fail", "error")
    assert kinds["12"] == ("open", "none")
    # SARIF 2.1.0, 3.27.10: a kind other than “fail” has the level “none”.
    assert all(level == "none" for kind, level in kinds.values() if kind != "fail")
    assert all(made["tool"]["driver"]["rules"][one["ruleIndex"]]["id"] == one["ruleId"] for one in made["results"])


def test_a_file_is_written_where_asked(stage, tmp_path) -> None:
    answer = run("1.1.a", "--format", "json", "--output", str(tmp_path / "report.json"))
    assert answer.stdout == ""
    assert json.loads((tmp_path / "report.json").read_text())[0]["verdict"] == "PASS"


def test_a_clause_nobody_wrote_is_refused(stage) -> None:
    answer = run("9.9")
    assert "no clause 9.9" in str(answer.exception)
    assert selectors.latest_run() is None


def test_of_no_clause_nothing_is_decided() -> None:
    assert reports.exit_code([]) == reports.UNDECIDED


def test_show_prints_the_way_from_sentence_to_evidence(scene) -> None:
    services.verify(scene=scene, clause_ids=["1.3.a"], asked_by="command")
    answer = CliRunner().invoke(policy, ["show", "1.3.a"])
    assert answer.exit_code == 0, answer.exception
    assert clauses()["1.3.a"].sentence in answer.stdout
    assert "headshotly.policy.mapping.unreviewed" in answer.stdout
    assert "mapping_reviewed (measured): We look" in answer.stdout
    assert "tests/proof/test_command.py (all of it)" in answer.stdout
    assert "mapping_reviewed: PASS: All 55 sentences" in answer.stdout


def test_every_enforced_clause_that_is_checked_says_in_plain_words_how() -> None:
    for one in registry.load().values():
        assert one.words[0].isupper()
        assert one.words.endswith(".")
        assert len(one.words) > 60
