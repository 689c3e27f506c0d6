"""Runs, evidence, exceptions and attestations: only added to, hashed, journalled."""

import datetime as dt
import types
from uuid import uuid4

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from headshotly.audit.actor import Actor
from headshotly.audit.acts import Act
from headshotly.audit.leaf import decode
from headshotly.audit.models import PendingEntry
from headshotly.policy import clock, dates
from headshotly.policy.clauses import ClauseKind, clauses
from headshotly.proof import evidence, registry, selectors, services
from headshotly.proof.errors import AttestationRefused, CheckMisnamed, ExceptionRefused, NothingToCheck
from headshotly.proof.findings import Assurance, Outcome, broken, held
from headshotly.proof.models import CheckRun, DecisionKind, Evidence, ExceptionDecision, ExceptionRequest
from headshotly.proof.registry import Check, check
from headshotly.proof.rules import FOLLOWS, WAITS_FOR
from headshotly.proof.verdicts import Verdict

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("1.3.a")]
ONE = Actor(kind="staff", id=uuid4(), role="security-officer")
OTHER = Actor(kind="staff", id=uuid4(), role="dpo")
REASON = "The report is being written and arrives this month."


def a_check(name="mapping_reviewed", look=lambda _scene: held("Fine.", population=1), clause_ids=("1.3.a",)) -> Check:
    return Check(id=name, clauses=clause_ids, title="T", words="W", assurance=Assurance.MEASURED, look=look)


@pytest.fixture
def only(monkeypatch):
    """Let the register hold exactly these checks."""

    def put(*checks: Check) -> None:
        monkeypatch.setattr(registry, "load", lambda: {one.id: one for one in checks})

    return put


def run(scene, **changes) -> CheckRun:
    return services.verify(scene=scene, asked_by="command", **changes)


def test_every_clause_has_a_check_or_follows_others() -> None:
    assert len(clauses()) == 55
    assert {one.id for one in selectors.unchecked()} <= set(WAITS_FOR) <= set(clauses()) - set(FOLLOWS)
    assert set(FOLLOWS["1.2.a-b"]) == {one.id for one in clauses().values() if one.kind is ClauseKind.ENFORCED} - {
        "1.2.a-b"
    }


def test_a_run_is_kept_hashed_and_journalled(scene, only) -> None:
    only(a_check())
    made = run(scene)
    (row,) = selectors.evidence_of(made)
    assert row.sha256 == evidence.digest(services.fields_of(row))
    assert made.sha256 == evidence.digest_of_run(str(made.id), [row.sha256])
    leaves = [decode(bytes(one.leaf)) for one in PendingEntry.objects.all()]
    (entry,) = [leaf for leaf in leaves if leaf.act is Act.CHECKS_RUN]
    assert made.sha256 in entry.purpose
    assert str(made.id) in entry.purpose


def test_a_hash_covers_every_field(scene, only) -> None:
    only(a_check())
    (row,) = selectors.evidence_of(run(scene))
    fields = services.fields_of(row)
    for name in evidence.FIELDS:
        assert evidence.digest({**fields, name: "something else"}) != row.sha256, name
    with pytest.raises(ValueError, match="exactly the fields"):
        evidence.digest({**fields, "more": 1})


@pytest.mark.parametrize("model", [CheckRun, Evidence])
def test_the_database_refuses_to_change_what_was_seen(scene, only, model) -> None:
    only(a_check())
    run(scene)
    with pytest.raises(DatabaseError, match="only ever added to"), transaction.atomic():
        model.objects.update(sha256="0" * 64)


def test_the_database_refuses_a_finding_about_nothing(scene, only) -> None:
    only(a_check())
    made = run(scene)
    row = selectors.evidence_of(made)[0]
    row.id, row.check_name, row.population = uuid4(), "other", 0
    with pytest.raises(IntegrityError), transaction.atomic():
        row.save(force_insert=True)


def test_a_check_that_breaks_is_an_error_and_the_others_go_on(scene, only) -> None:
    def breaks(_scene):
        raise ZeroDivisionError("with secrets")

    only(a_check("a", breaks, ("2.2",)), a_check("b"))
    found = {row.check_name: row for row in selectors.evidence_of(run(scene))}
    assert found["a"].outcome == Outcome.ERROR
    assert "ZeroDivisionError" in found["a"].sentence
    assert "secrets" not in found["a"].sentence
    assert found["b"].outcome == Outcome.HELD
    states = selectors.states()
    assert states["2.2"].judgement.verdict is Verdict.ERROR
    assert states["1.3.a"].judgement.verdict is Verdict.PASS


def test_every_row_of_the_table_has_a_verdict_and_a_reason(scene, only) -> None:
    only(a_check())
    run(scene)
    states = selectors.states()
    assert list(states) == list(clauses())
    assert all(one.judgement.reason for one in states.values())
    assert states["1.2.a-b"].judgement.verdict is Verdict.UNKNOWN


def test_the_past_can_be_asked(scene, only) -> None:
    before = clock.now()
    only(a_check())
    run(scene)
    first = clock.now()
    only(a_check(look=lambda _scene: broken("It broke.", ids=["x"])))
    run(scene)
    verdicts = [selectors.states(at=at)["1.3.a"].judgement.verdict for at in (before, first, None)]
    assert verdicts == [Verdict.UNKNOWN, Verdict.PASS, Verdict.FAIL]


def test_an_unknown_clause_is_refused(scene) -> None:
    with pytest.raises(NothingToCheck, match=r"no clause 9\.9"):
        run(scene, clause_ids=["9.9"])


def test_a_clause_that_follows_brings_the_others_checks_along(only) -> None:
    only(a_check("a", clause_ids=("9.1.b",)), a_check("b", clause_ids=("12",)))
    assert [one.id for one in services.checks_of(["1.3.b"])] == ["a"]
    assert [one.id for one in services.checks_of(["12"])] == ["b"]


def ask(**changes) -> ExceptionRequest:
    fields = {
        "actor": ONE, "check_name": "mapping_reviewed", "ids": ["x"], "reason": REASON,
        "expires_at": clock.now() + dt.timedelta(days=30),
    }  # fmt: skip
    return services.ask_exception(**{**fields, **changes})


def decide(request, actor=OTHER, kind=DecisionKind.APPROVED) -> ExceptionDecision:
    return services.decide_exception(actor=actor, request_id=request.id, kind=kind)


def verdict() -> Verdict:
    return selectors.state("1.3.a").judgement.verdict


def test_an_exception_counts_only_once_somebody_else_approved_and_until_it_ends(scene, only) -> None:
    only(a_check(look=lambda _scene: broken("It broke.", ids=["x"])))
    run(scene)
    request = ask()
    assert verdict() is Verdict.FAIL
    with pytest.raises(ExceptionRefused, match="own request"):
        decide(request, actor=ONE)
    decide(request)
    assert verdict() is Verdict.EXCEPTED
    with pytest.raises(ExceptionRefused, match="decided already"):
        decide(request, kind=DecisionKind.REFUSED)
    decide(request, kind=DecisionKind.ENDED)
    assert verdict() is Verdict.FAIL


def test_the_database_refuses_to_let_somebody_approve_their_own(scene) -> None:
    request = ask()
    with pytest.raises(IntegrityError), transaction.atomic():
        ExceptionDecision.objects.create(
            request=request, kind="approved", asked_by=ONE.id, decided_by=ONE.id, decided_at=clock.now()
        )


@pytest.mark.parametrize(
    "changes",
    [
        {"ids": []},
        {"ids": ["*"]},
        {"check_name": "nothing"},
        {"reason": "because"},
        {"expires_at": dt.datetime(2020, 1, 1, tzinfo=dt.UTC)},
        {"expires_at": dt.datetime(2090, 1, 1, tzinfo=dt.UTC)},
        {"actor": Actor(kind="system")},
    ],
)
def test_an_exception_that_lacks_a_part_is_refused(changes) -> None:
    with pytest.raises(ExceptionRefused):
        ask(**changes)


def attest(**changes):
    today = dates.today()
    fields = {
        "actor": ONE, "clause_id": "2.1.b", "statement": "The data centres are guarded and audited.",
        "document_title": "SOC 2 Type II", "document_sha256": "ab" * 32, "issuer": "Auditors Ltd",
        "valid_from": today, "expires_on": today + dt.timedelta(days=300),
    }  # fmt: skip
    return services.attest(**{**fields, **changes})


def test_an_attestation_is_kept_for_its_time() -> None:
    made = attest()
    assert selectors.attestation_of("2.1.b") == made
    assert selectors.attestation_of("2.2") is None


@pytest.mark.parametrize(
    "changes",
    [
        {"clause_id": "3.1.a"},
        {"clause_id": "5.2"},
        {"clause_id": "99"},
        {"statement": "ok"},
        {"document_sha256": "xyz"},
        {"expires_on": dt.date(2020, 1, 1)},
        {"valid_from": dt.date(2090, 1, 1), "expires_on": dt.date(2091, 1, 1)},
        {"actor": Actor(kind="system")},
    ],
)
def test_what_code_could_prove_or_lacks_a_part_is_not_attested(changes) -> None:
    with pytest.raises(AttestationRefused):
        attest(**changes)


def module(name, **contents) -> types.ModuleType:
    made = types.ModuleType(f"headshotly.proof.checks.{name}")
    vars(made).update(contents)
    return made


def test_a_check_is_found_by_its_file_s_name() -> None:
    found = registry.load()
    assert found["mapping_reviewed"].clauses == ("1.3.a",)
    assert all(name == one.id for name, one in found.items())


@pytest.mark.parametrize(
    ("contents", "says"),
    [
        ({}, "holds no check"),
        ({"look": lambda _scene: None}, "holds no check"),
        ({"look": a_check("other")}, "must be the same"),
        ({"look": a_check("mine", clause_ids=())}, "at least one clause"),
        ({"look": a_check("mine", clause_ids=("99",))}, "no clause has this number"),
        ({"look": check(id="mine", clauses=("2.2",), title=" ", words="W", assurance=Assurance.HUMAN)(held)}, "title"),
    ],
)
def test_a_file_that_is_not_its_check_stops_the_program(contents, says) -> None:
    with pytest.raises(CheckMisnamed, match=says):
        registry.of_module(module("mine", **contents))
