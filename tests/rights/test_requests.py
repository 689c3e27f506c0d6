"""A request's way: clocks, proof, extension, answer, refusal, appeal; in any order, and never past its end."""

import datetime as dt
import json
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from headshotly.access.warrants import owner_warrant, service_warrant
from headshotly.audit.actor import VISITOR
from headshotly.audit.acts import Act
from headshotly.audit.models import PendingEntry
from headshotly.policy import clock
from headshotly.purposes import declarations
from headshotly.rights import asking, notices, queue, services, states, verifying
from headshotly.rights.deadlines import deadlines_of
from headshotly.rights.errors import Incomplete, LinkGone, NotFound, NotNow, TooLate
from headshotly.rights.models import RecipientNotice, RightsRequest
from headshotly.rights.services import Words
from headshotly.rights.states import ENDS, LIVE, NEXT, Channel, Kind, Outcome, Regime, State
from headshotly.vault.errors import KeyShredded
from tests.accounts.conftest import mail_text, mails
from tests.rights.conftest import DPO, OTHER_DPO, ask

pytestmark = [pytest.mark.django_db(databases="__all__"), pytest.mark.clause("1.2.c")]


@pytest.mark.parametrize(
    ("received", "kind", "regime", "expected"),
    [
        ("2026-11-24T12:00+01:00", Kind.KNOW, Regime.GDPR, ("2026-12-28", "2026-12-28", "2027-02-24")),
        ("2027-01-31T12:00+01:00", Kind.KNOW, Regime.GDPR, ("2027-03-01", "2027-03-01", "2027-04-30")),
        ("2026-11-20T12:00-08:00", Kind.KNOW, Regime.CALIFORNIA, ("2026-12-07", "2027-01-03", "2027-02-17")),
        ("2026-12-18T12:00-08:00", Kind.OPT_OUT, Regime.CALIFORNIA, ("2027-01-05", "2027-01-12", "2027-01-12")),
        # Half past midnight in Warsaw is still the day before in Los Angeles.
        ("2026-11-21T00:30+01:00", Kind.KNOW, Regime.CALIFORNIA, ("2026-12-07", "2027-01-03", "2027-02-17")),
        ("2026-11-20T12:00-08:00", Kind.KNOW, Regime.EITHER, ("2026-12-07", "2026-12-21", "2027-02-17")),
    ],
)
def test_the_worked_examples(received, kind, regime, expected) -> None:
    last = deadlines_of(kind, regime, dt.datetime.fromisoformat(received), operator_zone="Europe/Warsaw")
    assert (last.confirm_by.isoformat(), last.answer_by.isoformat(), last.longest.isoformat()) == expected


@given(
    st.datetimes(dt.datetime(2025, 1, 1), dt.datetime(2050, 1, 1), timezones=st.just(dt.UTC)),
    st.sampled_from(list(Kind)),
)
def test_whoever_names_no_law_never_waits_longer_than_under_either(moment, kind) -> None:
    either, gdpr, california = (
        deadlines_of(kind, regime, moment, operator_zone="Europe/Warsaw")
        for regime in (Regime.EITHER, Regime.GDPR, Regime.CALIFORNIA)
    )
    assert either.answer_by == min(gdpr.answer_by, california.answer_by)
    assert either.confirm_by <= either.answer_by <= either.longest


def test_words_lie_sealed_and_are_read_under_a_warrant_only(person) -> None:
    request = ask(person, text="My surname is Kanarkowska-Zielona.")
    row = RightsRequest.objects.filter(id=request.id).values_list("words", flat=True).get()
    assert b"Kanarkowska" not in bytes(getattr(row, "ciphertext", row))
    words = services.read_words(request=RightsRequest.objects.get(id=request.id), warrant=person.warrant())
    assert words.text.endswith("Zielona.")


def test_the_way_of_an_answered_request(person) -> None:
    request = ask(person)
    services.answer(actor=DPO, request_id=request.id, reply="It is corrected.")
    request.refresh_from_db()
    assert (request.state, request.outcome, request.handled_by) == (State.ANSWERED, Outcome.GRANTED, DPO.id)
    assert services.read_reply(request=request, warrant=person.warrant()) == "It is corrected."
    acts = [json.loads(bytes(leaf))["act"] for leaf in PendingEntry.objects.values_list("leaf", flat=True)]
    assert {Act.REQUEST_RECEIVED.value, Act.REQUEST_ANSWERED.value} <= set(acts)


def test_an_extension_is_told_with_reasons_before_the_first_limit_ends(person, later) -> None:
    request, late = ask(person), ask(person)
    with pytest.raises(Incomplete):
        services.extend(actor=DPO, request_id=request.id, because="busy")
    because = "Many photos of several years must be compared by hand."
    row = services.extend(actor=DPO, request_id=request.id, because=because)
    assert services.last_day(row) == row.longest
    with pytest.raises(NotNow):
        services.extend(actor=DPO, request_id=request.id, because=because)
    assert notices.tell_extended(row)
    assert because in mail_text(mails()[-1])
    later(days=60)
    with pytest.raises(TooLate):
        services.extend(actor=DPO, request_id=late.id, because=because)


def test_an_opt_out_cannot_be_extended(person) -> None:
    request = ask(person, Kind.OPT_OUT, regime=Regime.CALIFORNIA)
    with pytest.raises(NotNow):
        services.extend(actor=DPO, request_id=request.id, because="There are reasons, and plenty of them.")


def test_a_refusal_names_its_reason_and_where_to_complain(person) -> None:
    request = ask(person)
    for ground, reply in (("because", "No."), ("accurate", " "), ("", "No.")):
        with pytest.raises(Incomplete):
            services.refuse(actor=DPO, request_id=request.id, ground=ground, reply=reply)
    row = services.refuse(actor=DPO, request_id=request.id, ground="accurate", reply="We compared both.")
    assert notices.tell_ended(row, reply="We compared both.")
    told = mail_text(mails()[-1])
    for part in ("We compared both.", states.GROUNDS["accurate"], "uodo.gov.pl", "cppa.ca.gov", "court", "appeal"):
        assert part in told


def test_a_partial_answer_says_why(person) -> None:
    request = ask(person, Kind.KNOW)
    with pytest.raises(Incomplete):
        services.answer(actor=DPO, request_id=request.id, reply="Some.", outcome=Outcome.PARTLY)
    with pytest.raises(Incomplete):
        services.answer(actor=DPO, request_id=request.id, reply="All.", ground="others")
    with pytest.raises(Incomplete):
        services.answer(actor=DPO, request_id=request.id, reply="None.", outcome=Outcome.REFUSED)
    row = services.answer(actor=DPO, request_id=request.id, reply="Some.", outcome=Outcome.PARTLY, ground="others")
    assert row.ground == "others"


def test_an_appeal_is_decided_by_somebody_else(person) -> None:
    request = ask(person)
    with pytest.raises(NotNow):
        services.appeal(actor=person.actor, subject=person.id, request_id=request.id, text="No!")
    services.refuse(actor=DPO, request_id=request.id, ground="accurate", reply="It is right.")
    with pytest.raises(Incomplete):
        services.appeal(actor=person.actor, subject=person.id, request_id=request.id, text=" ")
    with pytest.raises(NotFound):
        services.appeal(actor=person.actor, subject=uuid4(), request_id=request.id, text="No!")
    appeal = services.appeal(actor=person.actor, subject=person.id, request_id=request.id, text="No!")
    with pytest.raises(NotNow):
        services.appeal(actor=person.actor, subject=person.id, request_id=request.id, text="Again!")
    with pytest.raises(NotNow, match="Somebody else"):
        services.answer(actor=DPO, request_id=appeal.id, reply="Still right.")
    services.answer(actor=OTHER_DPO, request_id=appeal.id, reply="You are right.")


def test_a_request_is_taken_back_by_its_owner_only(person) -> None:
    request = ask(person)
    with pytest.raises(NotFound):
        services.withdraw(actor=person.actor, subject=uuid4(), request_id=request.id)
    services.withdraw(actor=person.actor, subject=person.id, request_id=request.id)
    with pytest.raises(NotNow):
        services.withdraw(actor=person.actor, subject=person.id, request_id=request.id)


def test_recipients_are_named_and_told(person, monkeypatch) -> None:
    monkeypatch.setattr(declarations, "_ACTIVITIES", {})
    declarations.declare(
        declarations.Activity(
            id="paying",
            title="Paying",
            purpose="To be paid.",
            people=("customers",),
            data=("amount",),
            basis=declarations.LegalBasis.CONTRACT,
            retention="Five years.",
            recipients=("a payment service",),
        )
    )
    for kind, told in ((Kind.CORRECT, 1), (Kind.KNOW, 0)):
        request = ask(person, kind)
        services.answer(actor=DPO, request_id=request.id, reply="Done.")
        assert RecipientNotice.objects.filter(request=request).count() == told
    (notice,) = queue.untold()
    assert notice.recipient == "a payment service"
    with pytest.raises(Incomplete):
        services.record_told(actor=DPO, notice_id=notice.id, how=" ")
    services.record_told(actor=DPO, notice_id=notice.id, how="by mail")
    with pytest.raises(NotFound):
        services.record_told(actor=DPO, notice_id=notice.id, how="by mail")
    assert queue.untold() == []


def test_every_state_leads_to_an_end_and_no_end_leads_on() -> None:
    assert set(NEXT) == set(State)
    assert all(not NEXT[end] for end in ENDS)
    for state in LIVE:
        reached, more = {state}, {state}
        while more:
            more = {following for one in more for following in NEXT[one]} - reached
            reached |= more
        assert reached & ENDS == ENDS


STEPS = ["extend", "answer", "refuse", "withdraw", "verify"]


@settings(max_examples=30, deadline=None)
@given(steps=st.lists(st.sampled_from(STEPS), min_size=1, max_size=6))
def test_in_any_order_a_request_only_goes_where_it_may(steps) -> None:
    from headshotly.audit.actor import Actor

    actor = Actor(kind="customer", id=uuid4())
    from headshotly.vault import services as vault

    vault.create_customer_key(actor=actor, subject=actor.id)
    request = services.receive(
        actor=actor,
        kind=Kind.CORRECT,
        regime=Regime.EITHER,
        channel=Channel.ACCOUNT,
        words=Words(text="x"),
        subject=actor.id,
    ).request
    seen = [State(request.state)]
    for step in steps:
        try:
            match step:
                case "extend":
                    services.extend(actor=DPO, request_id=request.id, because="It is a long and tangled story.")
                case "answer":
                    services.answer(actor=DPO, request_id=request.id, reply="Done.")
                case "refuse":
                    services.refuse(actor=DPO, request_id=request.id, ground="nothing", reply="Nothing.")
                case "withdraw":
                    services.withdraw(actor=actor, subject=actor.id, request_id=request.id)
                case "verify":
                    services.record_verification(
                        actor=DPO, request_id=request.id, facts=9, declaration=True, permission=True
                    )
        except NotNow:
            pass
        else:
            request.refresh_from_db()
            assert State(request.state) in NEXT[seen[-1]]
            seen.append(State(request.state))
        request.refresh_from_db()
        assert State(request.state) == seen[-1]
        assert bool(request.closed_at) == (seen[-1] in ENDS)


@pytest.mark.clause("1.1.c")
def test_the_dpo_is_reminded_once_a_day_before_a_clock_runs_out(person, later) -> None:
    request = ask(person)
    assert queue.remind() == 0
    later(days=28)
    before = len(mails())
    assert queue.remind() == 1
    assert queue.remind() == 0
    assert len(mails()) == before + 1
    assert request.reference in mail_text(mails()[-1])
    assert queue.overdue() == []
    later(days=20)
    assert queue.remind() == 1
    assert "OVERDUE" in mail_text(mails()[-1])
    assert [one.request.id for one in queue.overdue()] == [request.id]


@pytest.mark.clause("1.1.c")
def test_a_reminder_that_was_not_sent_is_tried_again(person, later, monkeypatch) -> None:
    from headshotly.vendors import mail

    ask(person)
    later(days=28)
    real = mail.send

    def fails(**_message):
        raise mail.MailNotSent("Not now.")

    monkeypatch.setattr(mail, "send", fails)
    with pytest.raises(mail.MailNotSent):
        queue.remind()
    monkeypatch.setattr(mail, "send", real)
    assert queue.remind() == 1


def test_figures_count_what_happened(person, later) -> None:
    since = clock.now() - dt.timedelta(days=1)
    for step in ("answer", "refuse", "withdraw", "open"):
        request = ask(person)
        later(days=2)
        match step:
            case "answer":
                services.answer(actor=DPO, request_id=request.id, reply="Done.")
            case "refuse":
                services.refuse(actor=DPO, request_id=request.id, ground="nothing", reply="Nothing.")
            case "withdraw":
                services.withdraw(actor=person.actor, subject=person.id, request_id=request.id)
    (found,) = [one for one in queue.figures(since=since) if one.kind == Kind.CORRECT.label]
    assert (found.received, found.answered, found.refused, found.withdrawn, found.open) == (4, 1, 1, 1, 1)
    assert found.median_days == 2.0
    assert found.late == 0


def stranger(kind: Kind = Kind.DELETE, **words):
    fields = {"text": "Delete what you have of me.", "name": "Jan Nowak", "email": "jan@example.org"}
    return asking.by_stranger(kind=kind, regime=Regime.EITHER, words=Words(**(fields | words)))


def test_a_person_without_an_account_is_verified_to_the_level_of_the_law() -> None:
    received = stranger()
    assert received.request.state == State.PROOF
    assert not received.request.has_account
    with pytest.raises(NotNow):
        services.answer(actor=DPO, request_id=received.request.id, reply="Done.")
    with pytest.raises(Incomplete):
        services.record_verification(
            actor=DPO, request_id=received.request.id, facts=3, declaration=True, permission=False
        )
    row = services.prove_mailbox(actor=VISITOR, token=received.token)
    assert row.state == State.PROOF, "deleting needs more than a mailbox"
    for facts, declaration in ((2, True), (3, False)):
        with pytest.raises(Incomplete):
            services.record_verification(
                actor=DPO, request_id=row.id, facts=facts, declaration=declaration, permission=False
            )
    services.record_verification(actor=DPO, request_id=row.id, facts=3, declaration=True, permission=False)
    row.refresh_from_db()
    assert row.state == State.OPEN
    assert "3 facts" in row.verified_how


def test_a_photo_objection_needs_the_mailbox_only() -> None:
    received = stranger(Kind.PHOTO, uploader="somebody@example.org")
    assert services.prove_mailbox(actor=VISITOR, token=received.token).state == State.OPEN


def test_an_opt_out_needs_nothing_and_is_done_at_once() -> None:
    assert stranger(Kind.OPT_OUT, text="").request.kind == Kind.OPT_OUT
    assert RightsRequest.objects.get(kind=Kind.OPT_OUT).state == State.ANSWERED


def test_an_agent_shows_permission_and_the_person_confirms() -> None:
    with pytest.raises(Incomplete):
        stranger(agent="Helpful Ltd")
    received = stranger(Kind.CORRECT, agent="Helpful Ltd", permission="A signed letter of 1 May.")
    assert received.request.channel == Channel.AGENT
    services.prove_mailbox(actor=VISITOR, token=received.token)
    with pytest.raises(Incomplete):
        services.record_verification(
            actor=DPO, request_id=received.request.id, facts=2, declaration=False, permission=False
        )
    services.record_verification(actor=DPO, request_id=received.request.id, facts=2, declaration=False, permission=True)


@pytest.mark.parametrize("words", [{"text": ""}, {"email": ""}, {"email": "nobody"}, {"text": "x" * 5001}])
def test_an_incomplete_form_is_refused(words) -> None:
    with pytest.raises(Incomplete):
        stranger(**words)
    assert RightsRequest.objects.count() == 0


def test_a_link_works_for_its_time_and_for_nobody_else(later) -> None:
    received = stranger()
    for token in ("", "x", received.token[:-1]):
        with pytest.raises(LinkGone):
            services.request_of_link(token)
    later(days=31)
    with pytest.raises(LinkGone):
        services.request_of_link(received.token)


def test_the_record_is_kept_two_years_and_then_a_strangers_key_goes_with_it(later) -> None:
    received = stranger(Kind.PHOTO)
    row = services.prove_mailbox(actor=VISITOR, token=received.token)
    services.answer(actor=DPO, request_id=row.id, reply="Done.")
    row.refresh_from_db()
    words = row.words
    later(days=729)
    services.forget_old(before=clock.now() - dt.timedelta(days=731))
    assert RightsRequest.objects.filter(id=row.id).exists()
    later(days=5)
    assert services.forget_old(before=clock.now() - dt.timedelta(days=731)) == 1
    assert not RightsRequest.objects.filter(id=row.id).exists()
    with pytest.raises(KeyShredded):
        words.open(service_warrant(subject=row.subject, purpose="rights-notice"))


def test_an_open_request_is_never_forgotten(person, later) -> None:
    ask(person)
    later(days=3000)
    assert services.forget_old(before=clock.now() - dt.timedelta(days=731)) == 0


def test_a_stranger_is_answered_where_they_wrote_from() -> None:
    received = stranger(Kind.PHOTO)
    assert notices.tell_received(received.request, token=received.token)
    assert received.token in mail_text(mails()[-1])
    assert notices.address_of(received.request) == "jan@example.org"


def test_nobody_else_reads_a_strangers_words() -> None:
    from headshotly.vault.errors import ForeignObject

    received = stranger()
    other = owner_warrant(customer_id=uuid4(), session_key="session", purpose="view")
    with pytest.raises(ForeignObject):
        services.read_words(request=RightsRequest.objects.get(), warrant=other)
    assert received.token


def test_every_kind_says_what_proof_it_needs() -> None:
    for kind in Kind:
        for channel in Channel:
            level = verifying.needed(kind, channel)
            assert level.sentence
            if channel is Channel.AGENT and kind not in {Kind.OPT_OUT, Kind.LIMIT}:
                assert level.permission
