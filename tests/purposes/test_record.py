"""The record of processing says what the declarations say, and all of it."""

import csv
import io
import json

import pytest

from headshotly.policy.operator import Operator
from headshotly.purposes import record
from headshotly.purposes.declarations import Activity, LegalBasis, RiskCriterion, declare, keeps


def an_activity(**changes: object) -> Activity:
    fields: dict[str, object] = {
        "id": "measuring-hats",
        "title": "Measuring hats",
        "purpose": 'To know which hat fits, "exactly".',
        "people": ("customers", "guests"),
        "data": ("head size",),
        "basis": LegalBasis.CONTRACT,
        "retention": "One week.",
    }
    return Activity(**(fields | changes))  # type: ignore[arg-type]


def test_json_names_the_controller_and_every_part_of_article_30() -> None:
    document = json.loads(record.as_json([an_activity()], operator=Operator()))
    assert document["controller"]["name"] == "HeadShotlyAI"
    (line,) = document["activities"]
    assert set(line) == set(record.COLUMNS)
    assert all(line.values())
    assert line["recipients"] == "nobody outside"


def test_csv_survives_commas_and_quotes() -> None:
    text = record.as_csv([an_activity()])
    (line,) = csv.DictReader(io.StringIO(text, newline=""))
    assert line["purpose"] == 'To know which hat fits, "exactly".'
    assert line["people"] == "customers, guests"


@pytest.mark.clause("1.1.b")
def test_two_risk_criteria_make_a_dpia_necessary() -> None:
    one = an_activity(risks=frozenset({RiskCriterion.SENSITIVE_DATA}))
    two = an_activity(risks=frozenset({RiskCriterion.SENSITIVE_DATA, RiskCriterion.NEW_TECHNOLOGY}))
    assert not one.needs_dpia
    assert two.needs_dpia


@pytest.mark.clause("1.1.a")
def test_an_incomplete_declaration_is_refused() -> None:
    with pytest.raises(ValueError, match="leaves a required part empty"):
        declare(an_activity(id="hats-without-end", retention=""))


@pytest.mark.clause("1.1.a")
def test_one_id_means_one_activity() -> None:
    declare(an_activity(id="hats"))
    declare(an_activity(id="hats"))
    with pytest.raises(ValueError, match="two activities are called hats"):
        declare(an_activity(id="hats", title="Selling hats"))


@pytest.mark.clause("1.1.a")
def test_a_store_names_a_declared_activity_and_only_one() -> None:
    declare(an_activity(id="hats-a"))
    declare(an_activity(id="hats-b"))
    keeps("studio.Hat.size", activity="hats-a")
    with pytest.raises(ValueError, match="undeclared activity"):
        keeps("studio.Hat.colour", activity="hats-z")
    with pytest.raises(ValueError, match="already serves"):
        keeps("studio.Hat.size", activity="hats-b")


@pytest.fixture(autouse=True)
def _registry_left_as_found() -> object:
    from headshotly.purposes import declarations

    activities, kept = dict(declarations._ACTIVITIES), dict(declarations._KEPT)
    yield
    declarations._ACTIVITIES.clear()
    declarations._ACTIVITIES.update(activities)
    declarations._KEPT.clear()
    declarations._KEPT.update(kept)
