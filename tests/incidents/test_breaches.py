"""Breaches: whom the journal says they touched, how they are judged, who decides, what the register holds."""

import csv
import datetime as dt
import io
import json
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction

from headshotly.access import disclosure, grants
from headshotly.audit.acts import Act
from headshotly.audit.models import Entry
from headshotly.incidents import breach_selectors, breaches, cases, notices, register
from headshotly.incidents.assessment import Risk, Spread
from headshotly.incidents.errors import Incomplete, NeedsAnother, NotFound, NotNow
from headshotly.incidents.models import AffectedPerson, Breach, Decision, Ground, Keys, NoticePhase, TimelineEntry
from headshotly.incidents.obligations import Addressee, Standing
from headshotly.incidents.phases import Origin, Phase
from headshotly.incidents.scope import Query
from headshotly.policy import clock
from headshotly.studio import services as studio
from headshotly.vault import services as vault
from tests.access.conftest import at_desk, make_member
from tests.incidents.casework import (
    DPO,
    OFFICER,
    SENTENCE,
    acts,
    all_words,
    breach_of,
    circumstance,
    move_to,
    open_case,
    sequenced,
    taken,
)

pytestmark = pytest.mark.django_db(databases="__all__")
HOUR = dt.timedelta(hours=1)


def open_under_grant(member, decider, person, scope: str, object_id=None) -> object:
    """Open something as a member of staff does: asked, approved, used."""
    grant = grants.ask(
        member=member, scope=scope, subject=person.id, purpose="support-request", ticket="SUP-1", minutes=30
    )
    grants.approve(decider=decider, grant_id=grant.id)
    if scope == "details":
        disclosure.open_details(member=member, grant_id=grant.id)
    else:
        disclosure.open_object(member=member, grant_id=grant.id, object_id=object_id)
    return grant


def recent(**conditions) -> Query:
    return Query(since=clock.now() - HOUR, until=clock.now() + HOUR, **conditions)


@pytest.fixture
def breach(db_all):
    return breach_of(taken())


@pytest.fixture
def scoped(breach, person):
    """A breach that touched one person's photo, opened."""
    breaches.scope_listed(
        actor=DPO, number=breach.case_id, subjects=[person.id], kinds=frozenset({"photo"}), because=SENTENCE
    )
    return breaches.of_case(breach.case_id)


def standing(breach: Breach, addressee: Addressee) -> Standing:
    found = {one.addressee: one for one in breach_selectors.obligations_of(breaches.of_case(breach.case_id))}
    return found[addressee].standing


@pytest.mark.clause("8.3.a", "8.3.b")
def test_planted_openings_give_exactly_the_people_the_kinds_and_no_keys(make_person, good_photos) -> None:
    """A curious colleague opens some data of some people; others open others'; owners open their own."""
    curious, honest, decider = make_member("support", "curious"), make_member("support", "honest"), make_member("dpo")
    ada, bob, eve, ian, zoe = (make_person(f"{name}@example.org") for name in ("ada", "bob", "eve", "ian", "zoe"))
    photos = {}
    for one in (ada, bob, eve):
        received = studio.receive_photo(actor=one.actor, subject=one.id, data=good_photos[0].read_bytes())
        photos[one.id] = received.photo
    open_under_grant(curious, decider, ada, "photo", photos[ada.id].object_id)
    open_under_grant(curious, decider, ada, "details")
    grant = open_under_grant(curious, decider, bob, "photo", photos[bob.id].object_id)
    open_under_grant(curious, decider, ian, "details")
    open_under_grant(honest, decider, eve, "photo", photos[eve.id].object_id)
    vault.open(object_id=photos[eve.id].object_id, warrant=eve.warrant())
    zoe.warrant()
    # Bob deletes the photo meanwhile: the journal still knows that it was one.
    studio.delete_photo(actor=bob.actor, subject=bob.id, photo_id=photos[bob.id].id)
    # Ian leaves: he is still one of those it touched.
    studio.delete_everything(actor=ian.actor, subject=ian.id)

    breach = breach_of(taken())
    found = breaches.scope_from_journal(
        actor=DPO, number=breach.case_id, query=recent(actors=frozenset({curious.id}), subjects=frozenset())
    )
    kinds = {one: person.kinds for one, person in found.people.items() if one != curious.id}
    assert kinds == {
        ada.id: {"photo", "name", "email"},
        bob.id: {"photo"},
        ian.id: {"name", "email"},
    }
    assert found.keys == ()
    kept = {row.subject: set(row.kinds) for row in AffectedPerson.objects.all() if row.subject != curious.id}
    assert kept == kinds
    breach.refresh_from_db()
    assert breach.journal_verified is True
    assert 20 < breach.journal_size <= Entry.objects.count()
    assert "headshotly" in breach.journal_head

    only = breaches.look_up(recent(grants=frozenset({grant.id})))
    assert set(only.people) == {bob.id}
    assert set(breaches.look_up(recent(actors=frozenset({honest.id}), actor_kinds=frozenset({"staff"}))).people) >= {
        eve.id
    }


@pytest.mark.clause("8.3.a")
def test_whether_keys_were_touched_is_found_and_cannot_be_denied_in_silence(customer) -> None:
    from headshotly.vault import rotation

    intruder = make_member("operations")
    from headshotly.audit.actor import Actor

    rotation.rotate(actor=Actor(kind="staff", id=intruder.id, role="operations"))
    breach = breach_of(taken())
    found = breaches.scope_from_journal(actor=DPO, number=breach.case_id, query=recent(actors=frozenset({intruder.id})))
    assert {one.act for one in found.keys} == {Act.ROOT_ROTATED}
    breach = breaches.state_keys(actor=DPO, number=breach.case_id, keys=Keys.SAFE, because="The rotation was ordered.")
    assert "traces in the journal" in breach.keys_because


def test_a_damaged_journal_is_said_and_not_hidden(customer) -> None:
    breach = breach_of(taken())
    sequenced()
    Entry.objects.filter(act=Act.ACCOUNT_CONFIRMED.value).update(act=Act.MAIL_SENT.value)
    breaches.scope_from_journal(actor=DPO, number=breach.case_id, query=recent(everything=True))
    breach.refresh_from_db()
    assert breach.journal_verified is False
    assert "DOES NOT VERIFY" in TimelineEntry.objects.filter(kind="breach").order_by("-recorded_at")[0].words


def test_a_scope_found_again_replaces_the_first(breach, make_person) -> None:
    one, two = make_person("one@example.org"), make_person("two@example.org")
    fields = {"actor": DPO, "number": breach.case_id, "because": SENTENCE, "kinds": frozenset({"email"})}
    assert breaches.scope_everybody(**fields) == 2
    assert breaches.scope_listed(**fields, subjects=[two.id]) == 1
    assert {row.subject for row in AffectedPerson.objects.all()} == {two.id}
    with pytest.raises(Incomplete):
        breaches.scope_listed(**fields, subjects=[uuid4()])
    with pytest.raises(Incomplete):
        breaches.scope_listed(**(fields | {"kinds": frozenset()}), subjects=[one.id])


@pytest.mark.clause("8.3.a")
def test_the_clock_of_the_authority_runs_from_awareness_until_a_notice_or_an_approved_decision(breach, later) -> None:
    assert standing(breach, Addressee.AUTHORITY) is Standing.OPEN
    later(hours=74)
    assert standing(breach, Addressee.AUTHORITY) is Standing.LATE
    assert [one.addressee for _, one in breach_selectors.late()] == [Addressee.AUTHORITY]


def test_a_breach_is_recorded_once_and_only_with_sound_times(db_all) -> None:
    case = taken()
    now = clock.now()
    for changes in (
        {"aware_at": now + HOUR},
        {"began_at": now + HOUR, "ended_at": None},
        {"ended_at": now - 4 * HOUR},
        {"consequences": ("blindness",)},
        {"states": ("Germany",)},
    ):
        with pytest.raises(Incomplete):
            breach_of(case, **changes)
    with pytest.raises(NeedsAnother):
        from headshotly.audit.actor import SYSTEM

        breaches.record(actor=SYSTEM, number=case.number, known=circumstance())
    breach_of(case)
    with pytest.raises(NotNow):
        breach_of(case)
    with pytest.raises(NotNow, match="register"):
        cases.judge_personal_data(actor=OFFICER, number=case.number, touched=False, because=SENTENCE)
    with pytest.raises(NotFound):
        breaches.of_case(taken().number)


def test_restating_awareness_moves_the_clock_and_says_so(breach) -> None:
    earlier = clock.now() - 80 * HOUR
    breaches.restate(
        actor=DPO, number=breach.case_id, because="The vendor had told us on Monday.",
        known=circumstance(aware_at=earlier, began_at=None, ended_at=None),
    )  # fmt: skip
    assert standing(breach, Addressee.AUTHORITY) is Standing.LATE
    assert "Awareness moved" in TimelineEntry.objects.filter(kind="breach").order_by("-recorded_at")[0].words


@pytest.mark.clause("8.3.a", "8.3.b")
def test_a_milder_judgement_counts_only_when_somebody_else_agrees(scoped) -> None:
    assert breaches.proposal(scoped).risk is Risk.HIGH
    row = breaches.judge(actor=DPO, number=scoped.case_id, risk=Risk.UNLIKELY, because="They only looked at one photo.")
    assert breach_selectors.risk_of(scoped) is Risk.HIGH
    assert standing(scoped, Addressee.PEOPLE) is Standing.OPEN
    with pytest.raises(NeedsAnother):
        breaches.agree(actor=DPO, judgement_id=row.id)
    breaches.agree(actor=OFFICER, judgement_id=row.id)
    assert breach_selectors.risk_of(scoped) is Risk.UNLIKELY
    assert standing(scoped, Addressee.PEOPLE) is Standing.NOT_OWED
    breaches.judge(actor=OFFICER, number=scoped.case_id, risk=Risk.HIGH, because="They kept copies of it at home.")
    assert breach_selectors.risk_of(scoped) is Risk.HIGH
    assert standing(scoped, Addressee.PEOPLE) is Standing.OPEN


def test_nothing_is_judged_before_it_is_known_whom_it_touched(breach) -> None:
    with pytest.raises(NotNow):
        breaches.judge(actor=DPO, number=breach.case_id, risk=Risk.RISK, because=SENTENCE)


@pytest.mark.clause("8.3.a")
def test_a_decision_not_to_tell_needs_reasons_ground_and_another_approver(scoped) -> None:
    fields = {"actor": DPO, "number": scoped.case_id, "addressee": Addressee.AUTHORITY, "ground": Ground.UNLIKELY}
    with pytest.raises(NotNow, match="not judged unlikely"):
        breaches.propose_not_to_tell(**fields, because=SENTENCE)
    row = breaches.judge(actor=DPO, number=scoped.case_id, risk=Risk.UNLIKELY, because=SENTENCE)
    breaches.agree(actor=OFFICER, judgement_id=row.id)
    with pytest.raises(Incomplete):
        breaches.propose_not_to_tell(**fields, because="no")
    decision = breaches.propose_not_to_tell(**fields, because=SENTENCE)
    assert standing(scoped, Addressee.AUTHORITY) is Standing.OPEN, "a proposal stops no clock"
    with pytest.raises(NotNow, match="already"):
        breaches.propose_not_to_tell(**fields, because=SENTENCE)
    with pytest.raises(NeedsAnother):
        breaches.approve(actor=DPO, decision_id=decision.id)
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.filter(id=decision.id).update(approved_by=DPO.id, approved_at=clock.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Decision.objects.filter(id=decision.id).update(approved_at=clock.now())
    breaches.approve(actor=OFFICER, decision_id=decision.id)
    assert standing(scoped, Addressee.AUTHORITY) is Standing.DECIDED
    breaches.judge(actor=OFFICER, number=scoped.case_id, risk=Risk.HIGH, because="More was found in their bag.")
    assert standing(scoped, Addressee.AUTHORITY) is Standing.OPEN, "what it was built on is gone"
    breaches.end_decision(actor=OFFICER, decision_id=decision.id, because="The risk is high after all.")
    with pytest.raises(NotFound):
        breaches.approve(actor=OFFICER, decision_id=decision.id)


@pytest.mark.clause("8.3.b")
def test_the_encryption_exemption_is_lost_with_the_keys(scoped) -> None:
    fields = {"actor": DPO, "number": scoped.case_id, "addressee": Addressee.PEOPLE, "because": SENTENCE}
    with pytest.raises(NotNow, match="exemption is lost"):
        breaches.propose_not_to_tell(**fields, ground=Ground.UNINTELLIGIBLE)
    breaches.restate(actor=DPO, number=scoped.case_id, known=circumstance(opened=False), because=SENTENCE)
    with pytest.raises(NotNow, match="exemption is lost"):
        breaches.propose_not_to_tell(**fields, ground=Ground.UNINTELLIGIBLE)
    breaches.state_keys(actor=DPO, number=scoped.case_id, keys=Keys.SAFE, because="No key left the key service.")
    assert breaches.proposal(breaches.of_case(scoped.case_id)).risk is Risk.UNLIKELY
    breaches.judge(actor=DPO, number=scoped.case_id, risk=Risk.HIGH, because="To be on the safe side for now.")
    decision = breaches.propose_not_to_tell(**fields, ground=Ground.UNINTELLIGIBLE)
    breaches.approve(actor=OFFICER, decision_id=decision.id)
    assert standing(scoped, Addressee.PEOPLE) is Standing.DECIDED
    breaches.state_keys(actor=DPO, number=scoped.case_id, keys=Keys.TOUCHED, because="A copy of the key was found.")
    assert standing(scoped, Addressee.PEOPLE) is Standing.OPEN


def test_a_disproportionate_letter_needs_a_public_notice_and_a_foreign_ground_is_refused(scoped) -> None:
    breaches.judge(actor=DPO, number=scoped.case_id, risk=Risk.HIGH, because=SENTENCE)
    fields = {"actor": DPO, "number": scoped.case_id, "because": SENTENCE}
    with pytest.raises(NotNow, match="public"):
        breaches.propose_not_to_tell(**fields, addressee=Addressee.PEOPLE, ground=Ground.DISPROPORTIONATE)
    with pytest.raises(NotNow, match="ground"):
        breaches.propose_not_to_tell(**fields, addressee=Addressee.AUTHORITY, ground=Ground.STATUTE)
    breaches.propose_not_to_tell(
        **fields, addressee=Addressee.PEOPLE, ground=Ground.DISPROPORTIONATE, public_notice="https://headshotly.ai/x"
    )


@pytest.mark.clause("8.3.c")
def test_whose_bills_all_went_abroad_is_no_californian(breach, make_person) -> None:
    from headshotly.orders.models import Order

    bills = {"none": [], "abroad": [True, None], "american": [False], "both": [True, False], "unknown": [None]}
    people = {name: make_person(f"{name}@example.org") for name in bills}
    for name, found in bills.items():
        for abroad in found:
            Order.objects.create(
                subject=people[name].id, package_id="basic", seats=1, currency="eur", price_minor=1900,
                provider="test", created_at=clock.now(), billed_abroad=abroad,
            )  # fmt: skip
    breaches.scope_everybody(actor=DPO, number=breach.case_id, kinds=frozenset({"email", "password"}), because=SENTENCE)
    breach = breaches.of_case(breach.case_id)
    counted = set(breach_selectors.residents(breach).values_list("subject", flat=True))
    assert {name for name, one in people.items() if one.id in counted} == {"none", "american", "both", "unknown"}
    assert breach_selectors.residents_of(breach) == 4


@pytest.mark.clause("8.3.c")
def test_californians_are_counted_unknown_residence_included(breach, make_person, monkeypatch) -> None:
    from headshotly.incidents import residence

    people = [make_person(f"person-{number}@example.org") for number in range(4)]
    homes = {people[0].id: residence.CALIFORNIA, people[1].id: residence.ELSEWHERE}
    monkeypatch.setattr(residence, "_ASK", [lambda subject: homes.get(subject, "")])
    breaches.scope_everybody(actor=DPO, number=breach.case_id, kinds=frozenset({"email", "password"}), because=SENTENCE)
    breach = breaches.of_case(breach.case_id)
    assert breach_selectors.californian(breach).applies
    assert breach_selectors.residents_of(breach) == 3
    assert standing(breach, Addressee.RESIDENTS) is Standing.OPEN
    with pytest.raises(Incomplete):
        breaches.state_residents(actor=DPO, number=breach.case_id, residents=5, because=SENTENCE)
    breaches.state_residents(
        actor=DPO, number=breach.case_id, residents=0, because="All addresses of invoices are in Poland."
    )
    assert standing(breach, Addressee.RESIDENTS) is Standing.NOT_OWED
    with pytest.raises(Incomplete):
        breaches.delay_for_law_enforcement(
            actor=DPO, number=breach.case_id, until=dt.date(2020, 1, 1), because=SENTENCE
        )


@pytest.mark.clause("8.1.a-b", "8.3.a")
def test_a_case_does_not_go_past_communication_while_somebody_is_untold(scoped) -> None:
    number = scoped.case_id
    move_to(scoped.case, Phase.COMMUNICATION)
    with pytest.raises(NotNow, match="supervisory authority"):
        cases.move(actor=OFFICER, number=number, to=Phase.LESSONS, words=SENTENCE)
    row = breaches.judge(actor=DPO, number=number, risk=Risk.UNLIKELY, because=SENTENCE)
    breaches.agree(actor=OFFICER, judgement_id=row.id)
    breaches.state_keys(actor=DPO, number=number, keys=Keys.SAFE, because="No key left the key service.")
    decision = breaches.propose_not_to_tell(
        actor=DPO, number=number, addressee=Addressee.AUTHORITY, ground=Ground.UNLIKELY, because=SENTENCE
    )
    with pytest.raises(NotNow):
        cases.move(actor=OFFICER, number=number, to=Phase.LESSONS, words=SENTENCE)
    breaches.approve(actor=OFFICER, decision_id=decision.id)
    move_to(scoped.case, Phase.CLOSED)
    with pytest.raises(NotNow, match="closed"):
        breaches.state_keys(actor=DPO, number=number, keys=Keys.TOUCHED, because=SENTENCE)


# --- the register ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("8.3.a")
def test_the_register_holds_every_breach_and_no_exercise(scoped, make_person) -> None:
    number = scoped.case_id
    breaches.say(
        actor=DPO, number=number, words=all_words() | {"nature": {"en": "=2+2 somebody looked.", "pl": "Ktoś."}}
    )
    breaches.judge(actor=DPO, number=number, risk=Risk.HIGH, because="Faces went to unknown people.")
    breach_of(taken(origin=Origin.EXERCISE))
    untold = breach_of(taken(), spread=Spread.NONE)
    rows = register.rows()
    assert [row["reference"] for row in rows] == [scoped.case.reference, untold.case.reference]
    (first, _) = rows
    assert set(first) == set(register.COLUMNS)
    for words in ("Faces went to unknown people.", "A high risk", "Supervisory authority: To be done"):
        assert any(words in cell for cell in first.values()), words
    parsed = list(csv.DictReader(io.StringIO(register.as_csv())))
    assert parsed[0]["what happened"] == "'=2+2 somebody looked.", "no spreadsheet takes it for a formula"
    document = json.loads(register.as_json())
    assert document["breaches"] == json.loads(json.dumps(rows))
    assert register.as_pdf().startswith(b"%PDF")
    assert str(scoped.id) not in register.as_csv(), "no ids that mean nothing outside"


def test_an_empty_register_says_so(db_all) -> None:
    assert register.rows() == []
    assert register.as_pdf().startswith(b"%PDF")


# --- pages -----------------------------------------------------------------------------------------------------------


@pytest.mark.clause("8.3.a", "8.3.b")
def test_the_pages_of_a_breach_as_its_people_use_them(person, later) -> None:
    officer, dpo = at_desk(make_member("security-officer")), at_desk(make_member("dpo"))
    case = taken()
    where = f"/staff/incidents/breaches/{case.number}/"
    assert "Record a breach" in dpo.get(where).content.decode()
    now = clock.now()
    known = {
        "aware_at": now.isoformat(), "began_at": (now - HOUR).isoformat(), "cause": "insider", "spread": "unknown",
        "integrity": "none", "availability": "none", "malicious": "yes", "opened": "yes",
        "consequences": ["control", "fakes"], "states": "de, cz",
    }  # fmt: skip
    assert dpo.post(f"{where}record/", known).status_code == 302
    assert dpo.post(f"{where}record/", known | {"aware_at": "yesterday"}).status_code == 422
    listed = {"what": "listed", "kinds": ["photo"], "subjects": str(person.id), "because": SENTENCE}
    assert dpo.post(f"{where}scope/", listed).status_code == 302
    journal = {
        "what": "journal", "since": (now - HOUR).isoformat(), "until": (now + HOUR).isoformat(), "actors": str(person.id)
    }  # fmt: skip
    assert dpo.post(f"{where}scope/", journal).status_code == 302
    assert dpo.post(f"{where}scope/", {**journal, "actors": ""}).status_code == 422
    assert dpo.post(f"{where}scope/", listed).status_code == 302
    steps = [
        {"what": "keys", "keys": "safe", "because": "No key left the key service."},
        {"what": "judge", "risk": "unlikely", "because": "Somebody trusted saw one photo."},
        {
            "what": "words",
            **{f"{part}-{lang}": text for part, both in all_words().items() for lang, text in both.items()},
        },
    ]
    for fields in steps:
        assert dpo.post(f"{where}step/", fields).status_code == 302, fields
    page = officer.get(where).content.decode()
    for words in ("Agree to the milder judgement", "1</span> <span>people"):
        assert words in page
    assert "Still missing" not in page
    judgement = breach_selectors.judgements(breaches.of_case(case.number))[-1]
    assert dpo.post(f"{where}approve/", {"what": "agree", "judgement": str(judgement.id)}).status_code == 403
    assert officer.post(f"{where}approve/", {"what": "agree", "judgement": str(judgement.id)}).status_code == 302
    propose = {"what": "not-to-tell", "ground": "authority:unlikely", "because": SENTENCE}
    assert dpo.post(f"{where}step/", propose).status_code == 302
    decision = Decision.objects.get()
    assert officer.post(f"{where}approve/", {"what": "approve", "decision": str(decision.id)}).status_code == 302
    assert "Decided against" in dpo.get(where).content.decode()
    for form, kind in (("csv", "text/csv"), ("json", "application/json"), ("pdf", "application/pdf")):
        answer = dpo.get(f"/staff/incidents/breaches/?form={form}")
        assert answer["Content-Type"].startswith(kind)
    assert Act.REGISTER_EXPORTED in acts()
    assert case.reference in dpo.get("/staff/incidents/breaches/").content.decode()
    for language in ("en", "pl"):
        answer = dpo.get(f"{where}draft/authority/?language={language}&phase=initial")
        assert answer.content.startswith(b"%PDF")
    assert officer.post(f"{where}send/", {"what": "release"}).status_code == 403
    assert notices.draft(breaches.of_case(case.number), Addressee.AUTHORITY, phase=NoticePhase.INITIAL).missing == ()


def test_a_case_without_a_breach_waits_for_it() -> None:
    case = open_case()
    cases.take(actor=OFFICER, number=case.number)
    cases.judge_personal_data(actor=OFFICER, number=case.number, touched=True, because=SENTENCE)
    move_to(case, Phase.COMMUNICATION)
    with pytest.raises(NotNow, match="a breach to be recorded"):
        cases.move(actor=OFFICER, number=case.number, to=Phase.LESSONS, words=SENTENCE)
