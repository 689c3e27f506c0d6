"""The secure life cycle, broken: section 4."""

import dataclasses
import json

import pytest

from headshotly.policy import configuration
from headshotly.proof.findings import Outcome
from headshotly.proof.scene import Scene
from headshotly.proof.source import running_source

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("4.1.a")]


@pytest.fixture
def record(watch, tmp_path):
    """Leave a record of the gates where the check looks."""
    path = tmp_path / "gates.json"
    here = dataclasses.replace(configuration.current(), options={"release.gates": str(path)})
    watch.scene = Scene(find_service=watch.scene.find_service, here=here)

    def leave(**changes) -> None:
        said = {
            "commit": running_source(), "changed": False, "at": watch.scene.now.isoformat(),
            "gates": {"types": "PASS", "security of the code": "PASS"},
        }  # fmt: skip
        path.write_text(json.dumps({**said, **changes}))

    return leave


@pytest.mark.sabotage("gates_ran", "a gate failed and it was released all the same")
def test_a_failed_gate(watch, record) -> None:
    record()
    watch.is_content()
    record(gates={"types": "PASS", "secrets": "FAIL"})
    watch.is_broken("secrets")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"commit": "0" * 40}, "last ran on 000000000000"),
        ({"changed": True}, "is running"),
        ({"gates": {"types": "PASS", "dependency audit": "NOT RUN"}}, "dependency audit did not run"),
        ({"gates": None}, "left no record"),
    ],
)
@pytest.mark.sabotage("gates_ran", "other source runs than the gates saw, or a gate was left out: no proof")
def test_gates_that_did_not_see_it_prove_nothing(watch, record, changes, says) -> None:
    record(**changes)
    found = watch.look()
    assert found.outcome is Outcome.UNKNOWN
    assert says in found.sentence
