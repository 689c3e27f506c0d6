"""The page of objectives, the command, and the rules for Prometheus."""

import datetime as dt
import json
import re
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from headshotly.frontdoor import objective_views, objectives, program_metrics, prometheus_rules, tally
from headshotly.frontdoor.budgets import Counts
from headshotly.frontdoor.commandline import program
from headshotly.policy import clock
from tests.access.conftest import at_desk, make_member
from tests.accounts.conftest import _quick, db_all  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db(databases="__all__")
RULES = Path(__file__).resolve().parents[2] / "infra" / "prometheus" / "headshotly.rules.yml"


@pytest.fixture
def thirty_days(db_all):  # noqa: F811
    now = clock.now()
    for number in range(30):
        at = now - dt.timedelta(days=number)
        tally.add("availability", good=10_000 - (200 if number == 4 else 1), total=10_000, at=at)
        tally.add("sign-in", good=500, total=500, at=at)
    tally.add("journal", good=10, total=100, at=now)


def test_the_page_shows_every_objective_its_budget_and_what_burns(thirty_days):
    desk = at_desk(make_member("operations"))
    page = desk.get("/staff/service/").content.decode()
    for one in objectives.objectives().values():
        assert one.promise in page
    assert page.count("<svg") >= 6
    assert page.count('class="day day--bad"') == 2, "one bad day of availability, and the journal's today"
    assert "burning: page" in page
    assert "no events" in page
    assert "style=" not in page
    assert at_desk(make_member("support")).get("/staff/service/").status_code == 403


def test_a_share_is_never_rounded_up_to_everything():
    assert objective_views.percent(0.9999999, 3) == "99.999 %"
    assert objective_views.percent(1.0, 3) == "100.000 %"
    assert objective_views.percent(None) == "no events"


def test_the_picture_is_as_high_as_the_share_is_good():
    one = objectives.objectives()["sign-in"]  # a budget of one in a hundred
    day = dt.date(2026, 11, 1)
    shares = (Counts(100, 100), Counts(99, 100), Counts(98, 100), Counts(10, 100), Counts(0, 0))
    drawn = objective_views.bars(tuple((day, counts) for counts in shares), one)
    assert [(round(bar.height), bar.kind) for bar in drawn] == [
        (72, "good"), (54, "good"), (36, "bad"), (3, "bad"), (2, "none"),
    ]  # fmt: skip
    assert all(bar.y + bar.height == pytest.approx(72) for bar in drawn)


def test_the_command_says_the_same(thirty_days):
    said = CliRunner().invoke(program, ["slo"])
    assert said.exit_code == 0
    assert "availability  MISSED" not in said.output
    assert re.search(r"availability\s+met", said.output)
    assert "BURNING: page" in said.output
    told = {
        one["objective"]: one for one in json.loads(CliRunner().invoke(program, ["slo", "--format", "json"]).output)
    }
    assert told["sign-in"]["budget_left"] == 1.0
    assert told["journal"]["alarm"] == "page"
    assert told["upload"]["met"] is None


def test_the_rules_for_prometheus_are_those_of_the_objectives():
    import os

    if os.environ.get("HEADSHOTLY_WRITE_TABLES"):
        RULES.parent.mkdir(exist_ok=True)
        RULES.write_text(prometheus_rules.written(), encoding="utf-8")
    assert RULES.read_text(encoding="utf-8") == prometheus_rules.written(), "run `headshotly slo rules`"
    groups = {one["name"]: one["rules"] for one in yaml.safe_load(RULES.read_text())["groups"]}
    alerts = [one for one in groups["headshotly-objectives"] if "alert" in one]
    assert len(alerts) == 3 * len(objectives.objectives())
    assert {one["labels"]["objective"] for one in alerts} == set(objectives.objectives())
    records = {one["record"] for one in groups["headshotly-objectives"] if "record" in one}
    for one in alerts:
        assert set(re.findall(r"headshotly:[\w:]+", one["expr"])) <= records
    page = next(one for one in alerts if one["labels"] == {"severity": "page", "objective": "availability"})
    assert page["expr"].count("> 0.0144") == 2
    from headshotly.frontdoor.gauges import PARTS

    names = {family.name for part in PARTS.values() for family in part()} | {"headshotly_part_unreadable"}
    names |= {family.name for family in (*program_metrics.JOBS.collect(), *program_metrics.LAST_STEP.collect())}
    used = set(re.findall(r"headshotly_\w+", RULES.read_text()))
    assert {re.sub(r"_total$", "", name) for name in used} <= names, "every metric a rule reads exists"
